"""Keys for whom something is sealed that nobody else can open: HPKE (RFC 9180) with ML-KEM-768 and X25519 together.

A private key is the X25519 private key followed by the ML-KEM-768 seed, a public key those two public keys in the
same order. What a message is for goes into ``info``: a message that was sealed for one thing opens for nothing else.
"""

from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.hpke import (
    AEAD,
    KDF,
    KEM,
    MLKEM768X25519PrivateKey,
    MLKEM768X25519PublicKey,
    Suite,
)
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from appliance.errors import ConfigError, UntrustedError

SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
X25519_BYTES = 32


class EvidenceKeyError(ConfigError):
    """Not a key of the hub's verifier."""

    code = "evidence.key_form"


class EvidenceError(UntrustedError):
    """Evidence that does not open with this key, or is not what it should be."""

    code = "evidence.sealed"


class Recipient:
    """Whoever holds the private key."""

    def __init__(self, key: Any, raw: bytes) -> None:
        self._key, self._raw = key, raw

    @classmethod
    def make(cls) -> Self:
        return cls.from_bytes(_private_bytes(MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()))

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """From ``to_bytes``; raises ``EvidenceKeyError``."""
        try:
            exchange = X25519PrivateKey.from_private_bytes(raw[:X25519_BYTES])
            kem = MLKEM768PrivateKey.from_seed_bytes(raw[X25519_BYTES:])
        except ValueError as error:
            raise EvidenceKeyError(reason="no verifier's private key") from error
        return cls(MLKEM768X25519PrivateKey(kem, exchange), raw)

    def to_bytes(self) -> bytes:
        return self._raw

    def public_bytes(self) -> bytes:
        """What others seal for this recipient with."""
        exchange = X25519PrivateKey.from_private_bytes(self._raw[:X25519_BYTES]).public_key()
        kem = MLKEM768PrivateKey.from_seed_bytes(self._raw[X25519_BYTES:]).public_key()
        return exchange.public_bytes_raw() + kem.public_bytes(Encoding.Raw, PublicFormat.Raw)

    def unseal(self, message: bytes, info: bytes) -> bytes:
        """The plain bytes; raises ``EvidenceError``."""
        try:
            return SUITE.decrypt(message, self._key, info=info)
        except (InvalidTag, ValueError) as error:
            raise EvidenceError(reason="other key") from error


def seal_for(public: bytes, plain: bytes | bytearray, info: bytes) -> bytes:
    """The HPKE message, 1,136 bytes longer than ``plain``; raises ``EvidenceKeyError``."""
    try:
        exchange = X25519PublicKey.from_public_bytes(public[:X25519_BYTES])
        kem = MLKEM768PublicKey.from_public_bytes(public[X25519_BYTES:])
    except ValueError as error:
        raise EvidenceKeyError(reason="no verifier's public key") from error
    return SUITE.encrypt(plain, MLKEM768X25519PublicKey(kem, exchange), info=info)


def _private_bytes(kem: MLKEM768PrivateKey, exchange: X25519PrivateKey) -> bytes:
    seed = kem.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return exchange.private_bytes_raw() + seed
