"""Who a signature certificate says its holder is."""

from datetime import date

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from appliance.trust.chain import verify_signer
from appliance.trust.holder import HOLDER_ARC, HolderError, holder_of
from appliance.trust.policy import Usage, card_policy
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.card.pki import Person, Use, Wish
from tests.trust.material import DAY, NOW, anchors_of, issued

POLICY = card_policy(Usage.SIGNATURE, allow_test_cards=True)
GOOD = {1: "窓口 花子", 2: "00000", 3: "2", 4: "419850401", 5: "見本県例示市", 6: "000000"}


@pytest.fixture(scope="module")
def key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def utf8(text: str) -> bytes:
    raw = text.encode()
    assert len(raw) < 128
    return bytes([0x0C, len(raw)]) + raw


def saying(key: rsa.RSAPrivateKey, *said: tuple[str, bytes]) -> x509.Certificate:
    """A certificate with these other names in it."""
    name = x509.Name([])
    builder = x509.CertificateBuilder(name, name, key.public_key(), 4711, NOW - DAY, NOW + DAY)
    names = [x509.OtherName(x509.ObjectIdentifier(oid), value) for oid, value in said]
    if names:
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
    return builder.sign(key, hashes.SHA256())


def with_changes(key: rsa.RSAPrivateKey, **changes: str | None) -> x509.Certificate:
    said = GOOD | {int(number.removeprefix("_")): text for number, text in changes.items()}
    return saying(key, *((f"{HOLDER_ARC}.{number}", utf8(text)) for number, text in said.items() if text is not None))


def test_the_four_items_of_a_card(hierarchy: Hierarchy) -> None:
    person = Person(name="髙橋 誠", sex="1", birth="319700101", address="見本県例示市架空町9番地")
    der = issued(hierarchy, Wish(person=person), Use.SIGNATURE).der
    holder = verify_signer(der, anchors_of(hierarchy, Use.SIGNATURE), NOW, POLICY).holder
    assert (holder.name, holder.sex, holder.address) == ("髙橋 誠", "1", "見本県例示市架空町9番地")
    assert (holder.era, holder.birth, holder.birth_text) == ("3", date(1970, 1, 1), "19700101")
    assert holder.name_substitutes == "0" * 5


def test_nobody_is_shown_in_a_log(hierarchy: Hierarchy) -> None:
    certificate = verify_signer(
        issued(hierarchy, None, Use.SIGNATURE).der, anchors_of(hierarchy, Use.SIGNATURE), NOW, POLICY
    )
    assert "花子" not in repr(certificate)
    assert "架空町" not in repr(certificate)


@pytest.mark.parametrize("birth", ["419850400", "319850230", "400000000"])
def test_a_date_that_the_registry_does_not_know_whole(key: rsa.RSAPrivateKey, birth: str) -> None:
    holder = holder_of(with_changes(key, _4=birth))
    assert (holder.birth, holder.birth_text) == (None, birth[1:])


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"_1": None}, {"reason": "missing", "attribute": 1}),
        ({"_5": ""}, {"reason": "missing", "attribute": 5}),
        ({"_4": "19850401"}, {"reason": "date of birth"}),
        ({"_4": "41985040x"}, {"reason": "date of birth"}),
        ({"_4": "４19850401"}, {"reason": "date of birth"}),
    ],
)
def test_a_certificate_that_does_not_say_who(
    key: rsa.RSAPrivateKey, changes: dict[str, str | None], fields: dict[str, object]
) -> None:
    with pytest.raises(HolderError) as caught:
        holder_of(with_changes(key, **changes))
    assert caught.value.fields == fields


@pytest.mark.parametrize("value", [b"\x13\x01a", b"\x0c\x02\xff\xfe", b"\x0c\x82\x08\x00" + b"a" * 2048])
def test_what_is_no_text_is_refused_unquoted(key: rsa.RSAPrivateKey, value: bytes) -> None:
    with pytest.raises(HolderError) as caught:
        holder_of(saying(key, (f"{HOLDER_ARC}.1", value)))
    assert caught.value.fields == {"reason": "not text", "attribute": 1}
    assert caught.value.__cause__ is None


def test_nothing_or_something_twice(key: rsa.RSAPrivateKey) -> None:
    with pytest.raises(HolderError) as caught:
        holder_of(saying(key))
    assert caught.value.fields == {"reason": "no subject alternative name"}
    twice = [(f"{HOLDER_ARC}.1", utf8("a"))] * 2
    with pytest.raises(HolderError) as caught:
        holder_of(saying(key, ("2.999.1", utf8("other")), *twice))
    assert caught.value.fields == {"reason": "twice", "attribute": 1}


def test_what_cannot_be_read_names_nobody(key: rsa.RSAPrivateKey) -> None:
    name = x509.Name([])
    nonsense = x509.UnrecognizedExtension(x509.SubjectAlternativeName.oid, b"\x30\x05\x00")
    builder = x509.CertificateBuilder(name, name, key.public_key(), 4711, NOW - DAY, NOW + DAY)
    certificate = builder.add_extension(nonsense, critical=False).sign(key, hashes.SHA256())
    with pytest.raises(HolderError) as caught:
        holder_of(certificate)
    assert caught.value.fields == {"reason": "extensions"}
