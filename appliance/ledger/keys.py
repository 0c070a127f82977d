"""The P-256 keys that sign ledgers: the device's, and the hub's for cosignatures (ES256, RFC 9053 section 2.1)."""

import hashlib
from typing import Protocol, Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from appliance.errors import ConfigError, UntrustedError

KEY_ID_BYTES = 8
ES256_ALG = -7
COORDINATE_BYTES = 32
ES256 = ec.ECDSA(hashes.SHA256())


class KeyFormError(ConfigError):
    """Not a P-256 key in PEM."""

    code = "ledger.key_form"


class SignatureError(UntrustedError):
    """A signature that the pinned key did not make."""

    code = "ledger.signature"


class Verifier(Protocol):
    """A public key of any algorithm that signs checkpoints; ``alg`` is its number in COSE."""

    @property
    def alg(self) -> int: ...

    @property
    def key_id(self) -> bytes: ...

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raises ``SignatureError``."""
        ...


class Signer(Protocol):
    """The private half."""

    @property
    def public(self) -> Verifier: ...

    def sign(self, message: bytes) -> bytes: ...


class VerifyingKey:
    """A pinned public key. ``spki`` is its SubjectPublicKeyInfo (DER, RFC 5480, an uncompressed point), ``key_id`` the
    first 8 bytes of the SHA-256 of that."""

    alg = ES256_ALG

    def __init__(self, key: ec.EllipticCurvePublicKey) -> None:
        self._key = key
        self.spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.key_id = hashlib.sha256(self.spki).digest()[:KEY_ID_BYTES]

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """From SubjectPublicKeyInfo in PEM; raises ``KeyFormError``."""
        try:
            key = serialization.load_pem_public_key(pem)
        except ValueError as error:
            raise KeyFormError(reason="no public key in PEM") from error
        return cls(_on_p256(key))

    @classmethod
    def from_spki(cls, spki: bytes) -> Self:
        """From exactly the bytes of ``spki``; raises ``KeyFormError``."""
        try:
            made = cls(_on_p256(serialization.load_der_public_key(spki)))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise KeyFormError(reason="no public key in DER") from error
        if made.spki != spki:
            raise KeyFormError(reason="another form of the key")
        return made

    def __eq__(self, other: object) -> bool:
        return isinstance(other, VerifyingKey) and self.spki == other.spki

    def __hash__(self) -> int:
        return hash(self.spki)

    def pem(self) -> bytes:
        return self._key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raises ``SignatureError`` unless these 64 bytes (r || s) are this key's signature."""
        if len(signature) != 2 * COORDINATE_BYTES:
            raise SignatureError(reason="length")
        r = int.from_bytes(signature[:COORDINATE_BYTES])
        s = int.from_bytes(signature[COORDINATE_BYTES:])
        try:
            self._key.verify(encode_dss_signature(r, s), message, ES256)
        except InvalidSignature as error:
            raise SignatureError(reason="does not verify") from error


class SigningKey:
    """A private key; ``public`` is its other half."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self._key = key
        self.public = VerifyingKey(key.public_key())

    @classmethod
    def make(cls) -> Self:
        return cls(ec.generate_private_key(ec.SECP256R1()))

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """From a key in PEM without a password; raises ``KeyFormError``."""
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError) as error:
            raise KeyFormError(reason="no private key in PEM") from error
        if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
            raise KeyFormError(reason="not a P-256 key")
        return cls(key)

    def pem(self) -> bytes:
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def sign(self, message: bytes) -> bytes:
        """64 bytes, r || s (RFC 9053 section 2.1)."""
        r, s = decode_dss_signature(self._key.sign(message, ES256))
        return r.to_bytes(COORDINATE_BYTES) + s.to_bytes(COORDINATE_BYTES)


def _on_p256(key: object) -> ec.EllipticCurvePublicKey:
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise KeyFormError(reason="not a P-256 key")
    return key
