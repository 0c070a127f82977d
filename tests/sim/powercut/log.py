"""The log of ``file_log.c``: what happened to the files below one folder, in order."""

import os
import struct
from dataclasses import dataclass
from enum import Enum, unique
from pathlib import Path
from typing import Final

HEADER: Final = struct.Struct("<5Q")
LOG_VARIABLE: Final = "FILE_LOG"
FOLDER_VARIABLE: Final = "FILE_LOG_FOLDER"


@unique
class Kind(Enum):
    """As in ``file_log.c``. ``NOTE`` is written by the program itself; ``UNKNOWN`` cannot be replayed."""

    CREATE = 1
    WRITE = 2
    TRUNCATE = 3
    SYNC = 4
    RENAME = 5
    UNLINK = 6
    LINK = 7
    MKDIR = 8
    RMDIR = 9
    NOTE = 10
    UNKNOWN = 11


@dataclass(frozen=True, slots=True)
class Record:
    """``path`` is below the folder, the folder itself is ``""``; ``data`` are the bytes, the new name, the text.

    ``offset`` is the new size where a file is truncated (or grows without being written).
    """

    kind: Kind
    inode: int
    offset: int
    path: str
    data: bytes


def read_log(path: Path) -> list[Record]:
    """Raises ``ValueError`` for a log that ends in the middle of a record."""
    whole, at, records = path.read_bytes(), 0, []
    while at < len(whole):
        try:
            kind, inode, offset, path_bytes, data_bytes = HEADER.unpack_from(whole, at)
        except struct.error as error:
            raise ValueError("the log ends in the middle of a record") from error
        at += HEADER.size
        end = at + path_bytes + data_bytes
        if end > len(whole):
            raise ValueError("the log ends in the middle of a record")
        name = os.fsdecode(whole[at : at + path_bytes])
        records.append(Record(Kind(kind), inode, offset, name, whole[at + path_bytes : end]))
        at = end
    return records


def write_note(text: bytes) -> None:
    """Adds a note to the log of this program; only one that a recorder runs has one."""
    handle = os.open(os.environ[LOG_VARIABLE], os.O_WRONLY | os.O_APPEND)
    try:
        os.write(handle, HEADER.pack(Kind.NOTE.value, 0, 0, 0, len(text)) + text)
    finally:
        os.close(handle)
