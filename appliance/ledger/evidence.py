"""Evidence: what the person read, the card's certificate and its signature, for the hub's verifier alone.

One HPKE encapsulation (RFC 9180, hybrid ML-KEM-768 with X25519) for each epoch carries a random epoch key to the
verifier; each item is AES-256-GCM under that key, which stays in memory only. So the box cannot read what it sealed
before it was last started. An item is named by the SHA-256 of its sealed bytes, and an entry's body refers to that.
"""

import hashlib
import os
from dataclasses import dataclass
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
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
from appliance.ledger.encoding import decode, encode

SUITE = Suite(KEM.MLKEM768_X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)
INFO = b"madoguchi evidence epoch 1"
KEY_BYTES, NONCE_BYTES, EPOCH_ID_BYTES, X25519_BYTES = 32, 12, 16, 32


class EvidenceKeyError(ConfigError):
    """Not a key of the hub's verifier."""

    code = "evidence.key_form"


class EvidenceError(UntrustedError):
    """Evidence that does not open with this key, or is not what it should be."""

    code = "evidence.sealed"


@dataclass(frozen=True, slots=True)
class Evidence:
    """``statement`` are the canonical bytes the card signed, ``certificate`` is DER, ``signature`` the card's."""

    statement: bytes
    certificate: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SealedEvidence:
    digest: bytes
    epoch: bytes
    sealed: bytes


class EvidenceSealer:
    """One epoch: ``epoch_id`` and ``epoch_key`` (the HPKE message) are stored once, each item refers to them."""

    def __init__(self, verifier: bytes) -> None:
        self.epoch_id = os.urandom(EPOCH_ID_BYTES)
        key = os.urandom(KEY_BYTES)
        self.epoch_key = SUITE.encrypt(key, _public(verifier), info=INFO + self.epoch_id)
        self._cipher = AESGCM(key)

    def seal(self, evidence: Evidence) -> SealedEvidence:
        nonce = os.urandom(NONCE_BYTES)
        plain = encode([evidence.statement, evidence.certificate, evidence.signature])
        sealed = nonce + self._cipher.encrypt(nonce, plain, self.epoch_id)
        return SealedEvidence(hashlib.sha256(sealed).digest(), self.epoch_id, sealed)


class EvidenceOpener:
    """The verifier's side; only the hub holds this key."""

    def __init__(self, key: Any, raw: bytes) -> None:
        self._key, self._raw = key, raw

    @classmethod
    def make(cls) -> Self:
        return cls.from_bytes(_private_bytes(MLKEM768PrivateKey.generate(), X25519PrivateKey.generate()))

    @classmethod
    def from_bytes(cls, raw: bytes) -> Self:
        """From ``to_bytes``: the X25519 private key, then the ML-KEM-768 seed."""
        try:
            exchange = X25519PrivateKey.from_private_bytes(raw[:X25519_BYTES])
            kem = MLKEM768PrivateKey.from_seed_bytes(raw[X25519_BYTES:])
        except ValueError as error:
            raise EvidenceKeyError(reason="no verifier's private key") from error
        return cls(MLKEM768X25519PrivateKey(kem, exchange), raw)

    def to_bytes(self) -> bytes:
        return self._raw

    def public_bytes(self) -> bytes:
        """The X25519 public key, then the ML-KEM-768 public key: what a box is given when it enrols."""
        exchange = X25519PrivateKey.from_private_bytes(self._raw[:X25519_BYTES]).public_key()
        kem = MLKEM768PrivateKey.from_seed_bytes(self._raw[X25519_BYTES:]).public_key()
        return exchange.public_bytes_raw() + kem.public_bytes(Encoding.Raw, PublicFormat.Raw)

    def open(self, epoch_key: bytes, item: SealedEvidence) -> Evidence:
        """Raises ``EvidenceError``."""
        if hashlib.sha256(item.sealed).digest() != item.digest:
            raise EvidenceError(reason="other bytes")
        try:
            key = SUITE.decrypt(epoch_key, self._key, info=INFO + item.epoch)
            plain = AESGCM(key).decrypt(item.sealed[:NONCE_BYTES], item.sealed[NONCE_BYTES:], item.epoch)
        except (InvalidTag, ValueError) as error:
            raise EvidenceError(reason="other key") from error
        statement, certificate, signature = decode(plain)
        return Evidence(statement, certificate, signature)


def _public(raw: bytes) -> MLKEM768X25519PublicKey:
    try:
        exchange = X25519PublicKey.from_public_bytes(raw[:X25519_BYTES])
        kem = MLKEM768PublicKey.from_public_bytes(raw[X25519_BYTES:])
    except ValueError as error:
        raise EvidenceKeyError(reason="no verifier's public key") from error
    return MLKEM768X25519PublicKey(kem, exchange)


def _private_bytes(kem: MLKEM768PrivateKey, exchange: X25519PrivateKey) -> bytes:
    seed = kem.private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
    return exchange.private_bytes_raw() + seed
