"""A note of the latest signed head in a file beside the database, by which an older copy of the database is recognised.

It is written after each append without waiting for the disk: a power cut may leave it behind the database, never ahead.
It is one sector and keeps its size, so what a power cut leaves is the note before or the note after, and no mixture.
"""

import os
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from appliance.errors import UntrustedError
from appliance.ledger.checkpoint import Checkpoint, open_checkpoint
from appliance.ledger.encoding import EncodingError, decode, encode
from appliance.ledger.signers import Pinned
from appliance.store.files import write_file

LENGTH_BYTES, SUM_BYTES = 2, 4
MOST_BYTES = 4096
SECTOR_BYTES = 512
MODE = 0o660


class NoteDamagedError(UntrustedError):
    """The bytes of the note are not what was written."""

    code = "ledger.note_damaged"


@dataclass(frozen=True, slots=True)
class NotedHead:
    """The head of the ledger ``origin`` at some time; believed only after ``open``."""

    origin: str
    size: int
    root: bytes
    checkpoint: bytes

    def open(self, keys: Pinned) -> Checkpoint:
        """The head, if a key of the ledger signed it; raises an ``UntrustedError`` of ``ledger.*``."""
        return open_checkpoint(self.checkpoint, self.root, self.origin, keys)


class HeadNote:
    """The file at ``path``; any process of the box may write it, and the last one counts."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def write(self, head: NotedHead) -> None:
        """Never raises: the append it speaks of is durable already, and a note that is behind does no harm."""
        data = encode([head.origin, head.size, head.root, head.checkpoint])
        length, padded = len(data).to_bytes(LENGTH_BYTES), data.ljust(SECTOR_BYTES - LENGTH_BYTES - SUM_BYTES, b"\0")
        framed = length + zlib.crc32(length + padded).to_bytes(SUM_BYTES) + padded
        with suppress(OSError):
            try:
                handle = os.open(self._path, os.O_WRONLY | os.O_CLOEXEC)
            except FileNotFoundError:
                write_file(self._path, framed, MODE)
                return
            try:
                os.pwrite(handle, framed, 0)
            finally:
                os.close(handle)

    def read(self) -> NotedHead | None:
        """What was noted, None if nothing was; raises ``NoteDamagedError``."""
        try:
            with self._path.open("rb") as file:
                raw = file.read(MOST_BYTES)
        except OSError:
            return None
        length, start = raw[:LENGTH_BYTES], LENGTH_BYTES + SUM_BYTES
        if raw[LENGTH_BYTES:start] != zlib.crc32(length + raw[start:]).to_bytes(SUM_BYTES):
            raise NoteDamagedError()
        try:
            origin, size, root, checkpoint = decode(raw[start : start + int.from_bytes(length)])
        except (EncodingError, ValueError, TypeError) as error:
            raise NoteDamagedError() from error
        return NotedHead(origin, size, root, checkpoint)
