"""Evidence: what the person read, the card's signature and its certificate, for the hub's verifier alone.

An epoch has a random key. One HPKE message for each epoch carries it to the verifier; in the box it is in memory only,
so the box cannot read what it sealed in an epoch that is over. Each item has a key of its own, derived from the key of
its epoch and its random id with HKDF-SHA256 (RFC 5869): whoever is given that key opens one item and learns nothing of
the others. A certificate is an item of its own, to which the items of all acts with that card refer.

Forms, the first byte being the version: an epoch's message is ``01 || epoch id || HPKE``, a sealed item ``01 || item
id || AES-256-GCM`` with version, epoch id and item id as associated data. An item is named by the SHA-256 of its
sealed bytes, and an entry's body refers to that. The statement that an item may hold is bound by the body too, and by
the card's signature.
"""

import hashlib
import os
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from appliance.ledger.encoding import EncodingError, decode, encode
from appliance.ledger.recipient import EvidenceError, Recipient, seal_for

VERSION = b"\x01"
EPOCH_INFO, ITEM_INFO = b"madoguchi evidence epoch 1", b"madoguchi evidence item 1"
KEY_BYTES, ID_BYTES, DIGEST_BYTES = 32, 16, 32
HEAD_BYTES = len(VERSION) + ID_BYTES
# The key of an item seals exactly one text, so a fixed nonce is never used twice with it.
NONCE = bytes(12)
SIGNED_STATEMENT, CERTIFICATE = 1, 2
"""The first element of what is sealed: what an item is, and in which version."""


@dataclass(frozen=True, slots=True)
class SignedStatement:
    """``statement`` are the canonical bytes the card signed, ``certificate`` is the SHA-256 of its certificate's DER,
    ``signature`` the card's."""

    statement: bytes
    certificate: bytes
    signature: bytes


@dataclass(frozen=True, slots=True)
class SealedEvidence:
    """``digest`` names the item, ``epoch`` is the id of its epoch."""

    digest: bytes
    epoch: bytes
    sealed: bytes


class EvidenceSealer:
    """One epoch, from now until ``end``: ``message`` is stored once, each item refers to it by ``epoch``."""

    def __init__(self, verifier: bytes) -> None:
        self.epoch = os.urandom(ID_BYTES)
        self._key = bytearray(os.urandom(KEY_BYTES))
        self.message = VERSION + self.epoch + seal_for(verifier, self._key, EPOCH_INFO + self.epoch)

    def seal(self, evidence: SignedStatement) -> SealedEvidence:
        """The statement, its signature, and the digest of the certificate."""
        return self._seal([SIGNED_STATEMENT, evidence.statement, evidence.certificate, evidence.signature])

    def seal_certificate(self, der: bytes) -> SealedEvidence:
        return self._seal([CERTIFICATE, der])

    def end(self) -> None:
        """Overwrites the key; copies that the interpreter or the library made of it are beyond reach."""
        self._key[:] = bytes(len(self._key))
        self._key.clear()

    def _seal(self, content: list[int | bytes]) -> SealedEvidence:
        if not self._key:
            raise ValueError("an epoch that has ended seals nothing")
        item = os.urandom(ID_BYTES)
        key = _item_key(self._key, self.epoch, item)
        sealed = VERSION + item + AESGCM(key).encrypt(NONCE, encode(content), VERSION + self.epoch + item)
        return SealedEvidence(hashlib.sha256(sealed).digest(), self.epoch, sealed)


class EvidenceOpener(Recipient):
    """The verifier; only the hub holds this key."""

    def item_key(self, message: bytes, item: SealedEvidence) -> bytes:
        """The key that opens this item and no other; ``message`` is that of its epoch. Raises ``EvidenceError``."""
        if message[:1] != VERSION or item.sealed[:1] != VERSION:
            raise EvidenceError(reason="version")
        if message[1:HEAD_BYTES] != item.epoch:
            raise EvidenceError(reason="other epoch")
        key = self.unseal(message[HEAD_BYTES:], EPOCH_INFO + item.epoch)
        return _item_key(key, item.epoch, item.sealed[1:HEAD_BYTES])

    def open(self, message: bytes, item: SealedEvidence) -> SignedStatement:
        """Raises ``EvidenceError``."""
        return open_statement(self.item_key(message, item), item)

    def open_certificate(self, message: bytes, item: SealedEvidence) -> bytes:
        """The DER; raises ``EvidenceError``."""
        return open_certificate(self.item_key(message, item), item)


def check_digest(item: SealedEvidence) -> None:
    """Raises ``EvidenceError`` unless these are the bytes that the digest names."""
    if hashlib.sha256(item.sealed).digest() != item.digest:
        raise EvidenceError(reason="other bytes")


def open_statement(key: bytes, item: SealedEvidence) -> SignedStatement:
    """Opens an item with its own key; raises ``EvidenceError``."""
    match _open(key, item):
        case [int(kind), bytes(statement), bytes(certificate), bytes(signature)] if kind == SIGNED_STATEMENT:
            return SignedStatement(statement, certificate, signature)
    raise EvidenceError(reason="no statement")


def open_certificate(key: bytes, item: SealedEvidence) -> bytes:
    """Opens the item of a certificate with its own key; the DER. Raises ``EvidenceError``."""
    match _open(key, item):
        case [int(kind), bytes(der)] if kind == CERTIFICATE:
            return der
    raise EvidenceError(reason="no certificate")


def _open(key: bytes, item: SealedEvidence) -> object:
    check_digest(item)
    if item.sealed[:1] != VERSION:
        raise EvidenceError(reason="version")
    bound = VERSION + item.epoch + item.sealed[1:HEAD_BYTES]
    try:
        return decode(AESGCM(key).decrypt(NONCE, item.sealed[HEAD_BYTES:], bound))
    except (InvalidTag, ValueError) as error:
        raise EvidenceError(reason="other key") from error
    except EncodingError as error:
        raise EvidenceError(reason="content") from error


def _item_key(epoch_key: bytes | bytearray, epoch: bytes, item: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=ITEM_INFO + epoch + item).derive(epoch_key)
