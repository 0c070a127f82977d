"""Whole conversations with a virtual card, for tests that look at what they took and what they left behind."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.x509 import load_der_x509_certificate

from appliance.card.connection import Meter, conversation
from appliance.card.files import CardTraits, ReaderTraits
from appliance.card.jpki import JpkiSession
from appliance.card.key import Key
from tests.card.conftest import MESSAGE, Generation
from tests.card.table import Wire
from tests.sim.card.card import VirtualCard

SECRETS = {Key.AUTHENTICATION: b"1234", Key.SIGNATURE: b"abc123"}
WRONG = {Key.AUTHENTICATION: b"9999", Key.SIGNATURE: b"wrong1"}


def session_with(
    card: VirtualCard, reader: ReaderTraits | None = None, traits: CardTraits | None = None
) -> tuple[JpkiSession, Meter]:
    card.place()
    meter = Meter()
    return JpkiSession(conversation(Wire(card), meter), reader, traits), meter


def visit(
    session: JpkiSession,
    generation: Generation,
    key: Key = Key.AUTHENTICATION,
    secret: bytes | None = None,
    last_try: bool = False,
) -> tuple[bytes, bytes]:
    """Certificate and signature, in the order in which this key gives them."""
    typed = bytearray(SECRETS[key] if secret is None else secret)
    if key is Key.SIGNATURE:
        session.open(typed, key, last_try)
        certificate = session.read_certificate(key)
    else:
        certificate = session.read_certificate()
        session.open(typed, key, last_try)
    return certificate, session.sign(generation.digest, key)


def assert_signed(certificate: bytes, signature: bytes) -> None:
    """The key in the certificate signed ``MESSAGE``."""
    key = load_der_x509_certificate(certificate).public_key()
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(signature, MESSAGE, padding.PKCS1v15(), hashes.SHA256())
        return
    assert isinstance(key, ec.EllipticCurvePublicKey)
    r, s = int.from_bytes(signature[:48]), int.from_bytes(signature[48:])
    key.verify(encode_dss_signature(r, s), MESSAGE, ec.ECDSA(hashes.SHA384()))


def pins_sent(card: VirtualCard) -> int:
    return sum("<pin>" in one.command for one in card.exchanges)
