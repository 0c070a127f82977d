"""The pages of an encrypted database in the clear, free ones and those of its log too: what a thief with the key has.

SQLCipher 4 with a raw key: each page of 4,096 bytes is AES-256-CBC, then 16 bytes of IV and 64 of HMAC; the first page
begins with 16 bytes of salt. A log (WAL) has a header of 32 bytes, and one of 24 before each page.
"""

from collections.abc import Iterator
from pathlib import Path

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

PAGE, RESERVED, IV, SALT = 4096, 80, 16, 16
LOG_HEADER, FRAME_HEADER = 32, 24


def plain_pages(path: Path, key: bytes) -> Iterator[bytes]:
    """Every page of the file and of the log beside it."""
    raw = path.read_bytes()
    for at in range(0, len(raw), PAGE):
        yield _decrypted(raw[at : at + PAGE], key, SALT if at == 0 else 0)
    log = path.with_name(f"{path.name}-wal")
    raw = log.read_bytes() if log.exists() else b""
    for at in range(LOG_HEADER, len(raw), FRAME_HEADER + PAGE):
        frame = raw[at : at + FRAME_HEADER + PAGE]
        first = int.from_bytes(frame[:4]) == 1
        yield _decrypted(frame[FRAME_HEADER:], key, SALT if first else 0)


def holds(path: Path, key: bytes, wanted: bytes) -> bool:
    """Whether any page has these bytes, also across those that an overflow lays one after the other."""
    return wanted in b"".join(plain_pages(path, key))


def _decrypted(page: bytes, key: bytes, salt: int) -> bytes:
    body, reserved = page[salt : PAGE - RESERVED], page[PAGE - RESERVED :]
    cipher = Cipher(algorithms.AES(key), modes.CBC(reserved[:IV])).decryptor()
    return cipher.update(body) + cipher.finalize()
