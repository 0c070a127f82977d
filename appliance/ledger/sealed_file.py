"""A large file that one recipient can open: what a backup is written into, from one end to the other.

``MDGF || version || length of the header || header || signature || chunks``. The header is deterministic CBOR and can
be read by anybody; the box's device key signs it (ES256), and SHA-256 of header and signature is the file's id. In the
header an HPKE message (RFC 9180) carries the random key of the content to the recipient. The content is cut into
chunks of 64 KiB, each AES-256-GCM under that key with the chunk's number and whether it is the last one as nonce, and
the file's id as associated data (the STREAM construction of Hoang, Reyhanitabar, Rogaway and Vizar, 2015): no chunk
can be changed, left out, moved, added or taken from another file. Only the box and the recipient ever know the
content's key, so the signature of the header speaks for everything that opens under it.
"""

import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance.errors import RefusedError, UntrustedError
from appliance.ledger.encoding import EncodingError, decode, encode
from appliance.ledger.keys import SigningKey
from appliance.ledger.recipient import EvidenceError, Recipient, seal_for
from appliance.ledger.signers import Pinned, Signers
from appliance.ledger.succession import follow

MAGIC, VERSION = b"MDGF", 1
LENGTH_BYTES, SIGNATURE_BYTES, TAG_BYTES, COUNTER_BYTES = 4, 64, 16, 11
MOST_HEADER_BYTES = 64 << 10
KEY_BYTES = 32
CHUNK_BYTES = 64 << 10
INFO = b"madoguchi sealed file 1"
SIGNED = b"madoguchi sealed file header 1\0"
Read = Callable[[int], bytes]
"""Gives so many bytes, or fewer at the end, as a file does."""


class SealedFileError(RefusedError):
    """Not a file of this kind, or of a later version; ``reason`` says which."""

    code = "backup.form"


class DamagedFileError(UntrustedError):
    """The content is not what was sealed: changed, cut off, or of another key. ``chunk`` is the first that is not."""

    code = "backup.damaged"


class OtherRecipientError(UntrustedError):
    """The file was sealed for another key."""

    code = "backup.recipient"


@dataclass(frozen=True, slots=True)
class About:
    """What the header says for everybody, nothing of it personal.

    ``kind`` is ``backup`` or ``keys``; ``size`` counts the entries of the ledger ``origin``, which is the box's in this
    ``generation``; ``levels`` are the numbers of the last migration of each family; ``recipient`` is the beginning of
    the SHA-256 of the public key that it is sealed for.
    """

    kind: str
    school: str
    origin: str
    generation: int
    size: int
    made_ms: int
    levels: dict[str, int]
    recipient: bytes


@dataclass(frozen=True, slots=True)
class Header:
    """``sealed_key`` is the HPKE message, ``raw`` what is signed; ``file_id`` 32 bytes. ``successions`` lead to the key
    that signed, for a reader who has pinned an earlier one."""

    about: About
    sealed_key: bytes
    raw: bytes
    signature: bytes
    successions: tuple[bytes, ...] = ()

    @property
    def file_id(self) -> bytes:
        return sha256(self.raw + self.signature).digest()

    @classmethod
    def read(cls, read: Read) -> Self:
        """From the beginning of a file; raises ``SealedFileError``."""
        start = read(len(MAGIC) + 1 + LENGTH_BYTES)
        if start[: len(MAGIC)] != MAGIC:
            raise SealedFileError(reason="kind")
        if start[len(MAGIC) : len(MAGIC) + 1] != bytes([VERSION]):
            raise SealedFileError(reason="version")
        length = int.from_bytes(start[len(MAGIC) + 1 :])
        if length > MOST_HEADER_BYTES:
            raise SealedFileError(reason="header")
        raw, signature = read(length), read(SIGNATURE_BYTES)
        if len(raw) != length or len(signature) != SIGNATURE_BYTES:
            raise SealedFileError(reason="header")
        try:
            *told, sealed_key = decode(raw)
            successions = _read_successions(told.pop()) if len(told) > len(About.__slots__) else ()
            about = _read_about(told)
        except (EncodingError, ValueError, TypeError) as error:
            raise SealedFileError(reason="header") from error
        if type(sealed_key) is not bytes:
            raise SealedFileError(reason="header")
        return cls(about, sealed_key, raw, signature, successions)

    def verify(self, keys: Pinned) -> None:
        """Raises an ``UntrustedError`` unless the box with these keys made the file, with one that may at its size."""
        signers = follow(Signers.of(keys), self.successions, self.about.origin)
        signers.verify(self.about.size, self.signature, SIGNED + self.raw)

    def content_key(self, recipient: Recipient) -> bytes:
        """What opens the content; raises ``OtherRecipientError``."""
        try:
            return recipient.unseal(self.sealed_key, INFO)
        except EvidenceError as error:
            raise OtherRecipientError(wanted=self.about.recipient.hex()) from error

    def to_bytes(self) -> bytes:
        return MAGIC + bytes([VERSION]) + len(self.raw).to_bytes(LENGTH_BYTES) + self.raw + self.signature


def seal_file(
    about: About, public: bytes, device: SigningKey, content: Iterable[bytes], successions: Iterable[bytes] = ()
) -> Iterator[bytes]:
    """The bytes of the file, part by part, for the recipient with this public key; holds two chunks at most.

    ``successions`` are those that lead to the device key, if it is not the ledger's first.
    """
    key = os.urandom(KEY_BYTES)
    sealed_key = seal_for(public, key, INFO)
    told, led = [getattr(about, name) for name in About.__slots__], tuple(successions)
    raw = encode([*told, *([list(led)] if led else []), sealed_key])
    header = Header(about, sealed_key, raw, device.sign(SIGNED + raw), led)
    yield header.to_bytes()
    cipher, number, waiting = AESGCM(key), 0, bytearray()
    for part in content:
        waiting += part
        while len(waiting) > CHUNK_BYTES:  # the last chunk must be known as such, so a full one waits for more
            yield cipher.encrypt(_nonce(number, last=False), bytes(waiting[:CHUNK_BYTES]), header.file_id)
            del waiting[:CHUNK_BYTES]
            number += 1
    yield cipher.encrypt(_nonce(number, last=True), bytes(waiting), header.file_id)


def open_content(header: Header, key: bytes, read: Read) -> Iterator[bytes]:
    """The content, chunk by chunk, each only after its tag was right; ``read`` stands behind the header.

    Who stops before the end does not know whether it is there. Raises ``DamagedFileError``.
    """
    cipher, number = AESGCM(key), 0
    sealed = read(CHUNK_BYTES + TAG_BYTES)
    while True:
        following = read(CHUNK_BYTES + TAG_BYTES) if len(sealed) == CHUNK_BYTES + TAG_BYTES else b""
        try:
            yield cipher.decrypt(_nonce(number, last=not following), sealed, header.file_id)
        except (InvalidTag, ValueError) as error:
            raise DamagedFileError(chunk=number) from error
        if not following:
            return
        sealed, number = following, number + 1


def recipient_id(public: bytes) -> bytes:
    """By which people tell public keys apart: the first 8 bytes of the SHA-256."""
    return sha256(public).digest()[:8]


def _nonce(number: int, *, last: bool) -> bytes:
    return number.to_bytes(COUNTER_BYTES) + bytes([last])


def _read_successions(told: object) -> tuple[bytes, ...]:
    if not isinstance(told, list) or not told or not all(type(one) is bytes for one in told):
        raise SealedFileError(reason="header")
    return tuple(told)


def _read_about(told: list[Any]) -> About:
    """Raises ``SealedFileError`` unless every part is of its kind."""
    *parts, levels, recipient = told
    texts, numbers = parts[:3], parts[3:]
    good = (
        len(parts) == 6
        and all(type(one) is str for one in texts)
        and all(type(one) is int and one >= 0 for one in numbers)
        and type(levels) is dict
        and all(type(name) is str and type(level) is int for name, level in levels.items())
        and type(recipient) is bytes
    )
    if not good:
        raise SealedFileError(reason="header")
    return About(*told)
