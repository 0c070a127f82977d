"""The disk below the database: how much room it has, and whether it takes a write at this moment."""

import errno
import os
import tempfile
from dataclasses import dataclass
from enum import Enum, unique
from pathlib import Path

PROBE = b"\0" * 4096


@unique
class DiskFault(Enum):
    """Why a write fails."""

    FULL = "full"
    READ_ONLY = "read_only"
    BROKEN = "broken"


KINDS = {errno.ENOSPC: DiskFault.FULL, errno.EDQUOT: DiskFault.FULL, errno.EROFS: DiskFault.READ_ONLY}
# Who looks may have no right to write there, or a disk knows no nameless files: neither says anything of the disk.
NOT_THE_DISK = {errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE}
NO_NAMELESS_FILES = {errno.EOPNOTSUPP, errno.EISDIR, errno.ENOENT}


@dataclass(frozen=True)
class Disk:
    """Sizes in bytes, as anybody but root may use them; ``fault`` is what a write met just now."""

    free_bytes: int
    total_bytes: int
    fault: DiskFault | None = None


def look_at_disk(folder: Path) -> Disk:
    """Asks for the room in a folder, and writes and flushes a block there that leaves nothing behind."""
    try:
        found = os.statvfs(folder)
    except OSError as error:
        return Disk(0, 0, _kind(error))
    free_bytes, total_bytes = found.f_bavail * found.f_frsize, found.f_blocks * found.f_frsize
    try:
        _write(folder)
    except OSError as error:
        return Disk(free_bytes, total_bytes, _kind(error))
    return Disk(free_bytes, total_bytes)


def _write(folder: Path) -> None:
    try:
        file = os.open(folder, os.O_TMPFILE | os.O_RDWR, 0o600)
    except OSError as error:
        if error.errno not in NO_NAMELESS_FILES:
            raise
        file, name = tempfile.mkstemp(prefix=".probe-", dir=folder)
        Path(name).unlink()
    try:
        os.write(file, PROBE)
        os.fsync(file)
    finally:
        os.close(file)


def _kind(error: OSError) -> DiskFault | None:
    if error.errno in NOT_THE_DISK:
        return None
    return KINDS.get(error.errno or 0, DiskFault.BROKEN)
