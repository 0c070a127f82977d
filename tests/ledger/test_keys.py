"""Keys: P-256 in PEM, signatures of 64 bytes, and a short name for each."""

import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_public_key,
)

from appliance.ledger.keys import KeyFormError, SignatureError, SigningKey, VerifyingKey

KEY = SigningKey.make()
MESSAGE = b"message"


def pems(key: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> tuple[bytes, bytes]:
    """The private and the public half."""
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), public


def test_a_signature_is_of_one_key_and_one_message() -> None:
    signature = KEY.sign(MESSAGE)
    assert len(signature) == 64
    KEY.public.verify(signature, MESSAGE)
    assert KEY.sign(MESSAGE) != signature
    for key, message in ((KEY.public, b"other"), (SigningKey.make().public, MESSAGE)):
        with pytest.raises(SignatureError):
            key.verify(signature, message)


@pytest.mark.parametrize("signature", [b"", b"\0" * 64, b"\xff" * 64, b"\0" * 63, b"\0" * 65])
def test_what_is_no_signature_does_not_verify(signature: bytes) -> None:
    with pytest.raises(SignatureError):
        KEY.public.verify(signature, MESSAGE)


def test_the_encoding_with_two_numbers_in_der_is_refused() -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    der = key.sign(MESSAGE, ec.ECDSA(hashes.SHA256()))
    with pytest.raises(SignatureError):
        VerifyingKey(key.public_key()).verify(der, MESSAGE)


def test_keys_survive_being_written() -> None:
    again = SigningKey.from_pem(KEY.pem())
    again.public.verify(KEY.sign(MESSAGE), MESSAGE)
    public = VerifyingKey.from_pem(KEY.public.pem())
    public.verify(again.sign(MESSAGE), MESSAGE)
    assert public.key_id == again.public.key_id == KEY.public.key_id


def test_the_name_of_a_key_is_the_beginning_of_its_digest() -> None:
    spki = load_pem_public_key(KEY.public.pem()).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert KEY.public.key_id == hashlib.sha256(spki).digest()[:8]
    assert SigningKey.make().public.key_id != KEY.public.key_id


@pytest.mark.parametrize("other", [ec.generate_private_key(ec.SECP384R1()), ed25519.Ed25519PrivateKey.generate()])
def test_only_p_256_is_taken(other: ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey) -> None:
    private, public = pems(other)
    with pytest.raises(KeyFormError, match="P-256"):
        SigningKey.from_pem(private)
    with pytest.raises(KeyFormError, match="P-256"):
        VerifyingKey.from_pem(public)


@pytest.mark.parametrize(
    "pem", [b"", b"-----BEGIN PUBLIC KEY-----", b"\xff", KEY.pem()[:80]], ids=["empty", "head", "byte", "cut"]
)
def test_what_is_no_pem_is_named_without_being_shown(pem: bytes) -> None:
    for read in (SigningKey.from_pem, VerifyingKey.from_pem):
        with pytest.raises(KeyFormError) as refused:
            read(pem)
        assert KEY.pem()[40:60].decode() not in str(refused.value)


def test_the_two_halves_are_not_taken_for_each_other() -> None:
    with pytest.raises(KeyFormError):
        SigningKey.from_pem(KEY.public.pem())
    with pytest.raises(KeyFormError):
        VerifyingKey.from_pem(KEY.pem())


def test_a_key_in_der_has_one_form() -> None:
    assert VerifyingKey.from_spki(KEY.public.spki).key_id == KEY.public.key_id
    public = load_pem_public_key(KEY.public.pem())
    assert isinstance(public, ec.EllipticCurvePublicKey)
    point = public.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)
    compressed = bytes.fromhex("3039301306072a8648ce3d020106082a8648ce3d030107032200") + point
    edwards = ed25519.Ed25519PrivateKey.generate().public_key()
    other = edwards.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    for bad in (b"", b"key", compressed, KEY.public.spki + b"\0", KEY.public.spki[:-1], other):
        with pytest.raises(KeyFormError):
            VerifyingKey.from_spki(bad)
