"""Certificates and signatures as cards may give them, to everything that decides on them."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress

from cryptography import x509

from appliance.errors import UntrustedError
from appliance.trust.chain import (
    MOST_SERIAL_BYTES,
    PSEUDONYM_BYTES,
    CardCertificate,
    SignatureCertificate,
    verify,
    verify_signer,
)
from appliance.trust.holder import holder_of
from appliance.trust.policy import Policy, Usage, card_policy, installer_policy
from appliance.trust.signature import BadSignatureError, digest_for, verify_signature
from tests.fuzz.der import bend, read, write
from tests.fuzz.issuing import NOW, issuer, leaves
from tests.fuzz.tape import Tape
from tests.sim.card.pki import Use

AS_IT_IS, SIGNED_ANEW, BENT, SIGNATURE = range(4)
SIGNER, INSTALLER, NO_TEST_CARDS = 0x04, 0x08, 0x10
MOST_BENDS, MOST_PLACES = 8, 120
EMPTIED, DOUBLED = 0, 2
MESSAGE = b"what the person read"


def one(data: bytes) -> None:
    """A byte says what the rest is: a certificate, what an issuer signs, changes to a good one, or a signature."""
    tape = Tape(data)
    how = tape.byte()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # cryptography frowns at some certificates that it takes
        if how % 4 == SIGNATURE:
            _signature(tape)
        else:
            _certificate(_der(tape, how), how)


def seeds() -> Iterator[bytes]:
    for number, (use, leaf) in enumerate(leaves()):
        signer = SIGNER if use is Use.SIGNATURE else 0
        for rules in (0, INSTALLER, NO_TEST_CARDS):
            yield bytes([AS_IT_IS | signer | rules]) + leaf.der
        yield bytes([SIGNED_ANEW | signer]) + leaf.certificate.tbs_certificate_bytes
        for how in range(7):
            yield bytes([BENT | signer, number, 1, 0, 9 + 5 * how, how, number])
    of_signature = next(number for number, (use, _) in enumerate(leaves()) if use is Use.SIGNATURE)
    for place in range(MOST_PLACES):
        for how in (EMPTIED, DOUBLED):
            yield bytes([BENT | SIGNER, of_signature, 1, 0, place, how, 0])
        yield bytes([BENT | SIGNER, of_signature, 1, 0, place, EMPTIED, 1, 0xFF])  # a number becomes -1
    for number in range(4):
        for count in (0, 1, 64, 96, 132, 256):
            yield bytes([SIGNATURE, number]) + bytes(range(count % 256)) + bytes(count // 256)


def _der(tape: Tape, how: int) -> bytes:
    use = _use(how)
    match how % 4:
        case 1:
            return issuer(use).sign(tape.rest())
        case 2:
            leaf = leaves()[tape.byte() % len(leaves())][1]
            nodes = read(leaf.certificate.tbs_certificate_bytes)
            assert nodes is not None
            for _ in range(tape.byte() % MOST_BENDS):
                bend(nodes, tape)
            return issuer(use).sign(write(nodes))
        case _:
            return tape.rest()


def _certificate(der: bytes, how: int) -> None:
    decide: Callable[..., CardCertificate] = verify_signer if how & SIGNER else verify
    with suppress(UntrustedError):
        _trusted(decide(der, issuer(_use(how)).anchors, NOW, _policy(how)))
    try:
        certificate = x509.load_der_x509_certificate(der)
    except (ValueError, x509.InvalidVersion):
        return
    with suppress(UntrustedError):
        assert holder_of(certificate).name


def _trusted(certificate: CardCertificate) -> None:
    assert 0 < len(certificate._serial) <= MOST_SERIAL_BYTES
    assert len(certificate.issuer_key_id) == 32
    assert certificate.not_after >= NOW
    assert "serial" not in repr(certificate)
    if isinstance(certificate, SignatureCertificate):
        assert certificate.holder.address
    else:
        pseudonym = getattr(certificate, "pseudonym")  # noqa: B009 - not every certificate of a card has one
        assert len(pseudonym(bytes(32))) == PSEUDONYM_BYTES
    _refused(certificate, bytes(64))


def _signature(tape: Tape) -> None:
    use, leaf = leaves()[tape.byte() % 4]
    certificate = verify(leaf.der, issuer(use).anchors, NOW, card_policy(allow_test_cards=True))
    _refused(certificate, tape.rest())


def _refused(certificate: CardCertificate, signature: bytes) -> None:
    """Nobody but the holder of the key makes a signature."""
    assert len(digest_for(certificate, MESSAGE)) in (32, 48, 64)
    try:
        verify_signature(certificate, MESSAGE, signature)
    except BadSignatureError:
        return
    raise AssertionError("a signature was believed that nobody made")


def _use(how: int) -> Use:
    return Use.SIGNATURE if how & SIGNER else Use.AUTHENTICATION


def _policy(how: int) -> Policy:
    use = Usage.SIGNATURE if how & SIGNER else Usage.AUTHENTICATION
    return installer_policy(use) if how & INSTALLER else card_policy(use, allow_test_cards=not how & NO_TEST_CARDS)
