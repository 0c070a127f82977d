"""Each numbered check of ``verify``, and what a verified certificate gives and hides."""

import hashlib
import hmac

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from hypothesis import given
from hypothesis import strategies as st

from appliance.trust.anchors import key_id_of
from appliance.trust.chain import (
    AuthenticationCertificate,
    ExpiredCertificateError,
    MalformedCertificateError,
    NotYetValidError,
    verify,
)
from appliance.trust.policy import UntrustedIssuerError, WrongUseError, card_policy
from tests.card.table import quietly
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.card.pki import Issued, Use, Wish, key_usage
from tests.trust.material import DAY, NOW, anchors_of, issued

POLICY = card_policy(allow_test_cards=True)
SCHOOL_KEY = bytes(range(32))


def remade(issuer: Issued, leaf: Issued, *extensions: tuple[x509.ExtensionType, bool]) -> bytes:
    """The leaf once more with other extensions, signed by the same root."""
    assert isinstance(issuer.key, rsa.RSAPrivateKey)
    builder = x509.CertificateBuilder(
        leaf.certificate.issuer,
        leaf.certificate.subject,
        leaf.certificate.public_key(),
        leaf.certificate.serial_number,
        leaf.certificate.not_valid_before_utc,
        leaf.certificate.not_valid_after_utc,
    )
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical)
    made = builder.sign(issuer.key, hashes.SHA256())
    return Issued(issuer.key, made).der


def check(hierarchy: Hierarchy, der: bytes) -> AuthenticationCertificate:
    return verify(der, anchors_of(hierarchy), NOW, POLICY)


def test_a_good_certificate(hierarchy: Hierarchy) -> None:
    leaf = issued(hierarchy)
    checked = check(hierarchy, leaf.der)
    assert checked.issuer_key_id == key_id_of(hierarchy.roots[Use.AUTHENTICATION, 3].certificate)
    assert checked.public_key == leaf.key.public_key()
    assert checked.is_test


@pytest.mark.parametrize("generation", [2, 3, 4])
def test_every_generation_of_the_root(hierarchy: Hierarchy, generation: int) -> None:
    leaf = hierarchy.issue(Use.AUTHENTICATION, generation=generation)
    root = hierarchy.roots[Use.AUTHENTICATION, generation].certificate
    assert check(hierarchy, leaf.der).issuer_key_id == key_id_of(root)


def test_1_bytes_that_are_no_certificate(hierarchy: Hierarchy) -> None:
    leaf = issued(hierarchy).der
    for der in (b"", b"\x30\x00", leaf[:-1], leaf + b"\xff", b"-----BEGIN CERTIFICATE-----"):
        with pytest.raises(MalformedCertificateError):
            check(hierarchy, der)


def test_1_an_unknown_critical_extension(hierarchy: Hierarchy) -> None:
    leaf, root = issued(hierarchy), hierarchy.roots[Use.AUTHENTICATION, 3]
    unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\x05\x00")
    with pytest.raises(MalformedCertificateError) as caught:
        check(hierarchy, remade(root, leaf, (unknown, True)))
    assert caught.value.fields["oid"] == "1.2.3.4"


def test_2_other_keys_of_the_same_name(hierarchy: Hierarchy, stranger: Hierarchy) -> None:
    with pytest.raises(UntrustedIssuerError):
        check(hierarchy, issued(stranger).der)


def test_2_no_anchors_at_all(hierarchy: Hierarchy) -> None:
    with pytest.raises(UntrustedIssuerError):
        verify(issued(hierarchy).der, (), NOW, POLICY)


@quietly
@given(place=st.floats(0, 1, exclude_max=True), bit=st.integers(0, 7))
def test_2_no_flipped_bit_is_believed(hierarchy: Hierarchy, good: bytes, place: float, bit: int) -> None:
    der = bytearray(good)
    der[int(place * len(der))] ^= 1 << bit
    with pytest.raises((UntrustedIssuerError, MalformedCertificateError)):
        check(hierarchy, bytes(der))


def test_1_a_signature_whose_last_bit_does_not_count(hierarchy: Hierarchy) -> None:
    even = next(der for der in (issued(hierarchy).der for _ in range(200)) if not der[-1] & 1)
    unused_bits = len(even) - 257  # of the BIT STRING with 256 octets of RSA at the end
    assert even[unused_bits] == 0
    with pytest.raises(MalformedCertificateError):
        check(hierarchy, even[:unused_bits] + b"\1" + even[unused_bits + 1 :])


@pytest.fixture(scope="session")
def good(hierarchy: Hierarchy) -> bytes:
    return issued(hierarchy).der


def test_3_its_time(hierarchy: Hierarchy) -> None:
    with pytest.raises(ExpiredCertificateError):
        check(hierarchy, issued(hierarchy, Wish(not_before=NOW - 9 * DAY, not_after=NOW - DAY)).der)
    with pytest.raises(NotYetValidError):
        check(hierarchy, issued(hierarchy, Wish(not_before=NOW + DAY, not_after=NOW + 9 * DAY)).der)


def test_3_both_ends_belong_to_it(hierarchy: Hierarchy) -> None:
    leaf = issued(hierarchy)
    for moment in (leaf.certificate.not_valid_before_utc, leaf.certificate.not_valid_after_utc):
        assert verify(leaf.der, anchors_of(hierarchy), moment, POLICY).is_test


def test_4_a_root_is_no_card(hierarchy: Hierarchy) -> None:
    with pytest.raises(WrongUseError) as caught:
        check(hierarchy, hierarchy.roots[Use.AUTHENTICATION, 3].der)
    assert caught.value.fields["reason"] == "certificate of a CA"


def test_5_the_policy_is_asked(hierarchy: Hierarchy) -> None:
    with pytest.raises(WrongUseError):
        check(hierarchy, issued(hierarchy, Wish(key_usage=key_usage("key_encipherment"))).der)
    with pytest.raises(UntrustedIssuerError):
        verify(issued(hierarchy).der, anchors_of(hierarchy), NOW, card_policy(allow_test_cards=False))


def test_a_pseudonym_is_the_half_of_a_keyed_digest(hierarchy: Hierarchy) -> None:
    serial = 0x80FF_0000_0000_0001  # the first bit is set: DER puts a zero before it
    checked = check(hierarchy, issued(hierarchy, Wish(serial=serial)).der)
    octets = b"\x00" + serial.to_bytes(8)
    expected = hmac.new(SCHOOL_KEY, checked.issuer_key_id + octets, hashlib.sha256).digest()[:16]
    assert checked.pseudonym(SCHOOL_KEY) == expected


def test_pseudonyms_tell_cards_and_schools_apart(hierarchy: Hierarchy) -> None:
    first, second = (check(hierarchy, issued(hierarchy).der) for _ in range(2))
    assert first.pseudonym(SCHOOL_KEY) == first.pseudonym(SCHOOL_KEY)
    assert first.pseudonym(SCHOOL_KEY) != second.pseudonym(SCHOOL_KEY)
    assert first.pseudonym(SCHOOL_KEY) != first.pseudonym(bytes(32))
    with pytest.raises(ValueError, match="32 bytes"):
        first.pseudonym(b"short")


def test_printing_it_shows_no_serial_number(hierarchy: Hierarchy) -> None:
    leaf = issued(hierarchy)
    number = leaf.certificate.serial_number
    text = repr(check(hierarchy, leaf.der))
    assert str(number) not in text
    assert f"{number:x}" not in text.lower()
    assert repr(number.to_bytes(20))[2:-1] not in text
