"""Files that are there whole or not at all."""

import fcntl
import os
import re
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

CHUNK_BYTES = 1 << 16
PARTIAL = re.compile(r"\..+\.([1-9][0-9]{0,8})\.partial")
"""The name while a file is written, with the number of the process that does."""


def write_whole(out: Path, chunks: Iterable[bytes]) -> int:
    """Writes a file of the owner's own that is there whole or not at all; the number of bytes. Raises ``OSError``.

    What a process that was killed has left in the folder is removed.
    """
    _remove_left(out.parent)
    partial = out.with_name(f".{out.name}.{os.getpid()}.partial")
    handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(handle, "wb", CHUNK_BYTES) as file:
            with suppress(OSError):  # a file system without locks
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            for chunk in chunks:
                file.write(chunk)
            size = file.tell()
            file.flush()
            os.fsync(file.fileno())
            partial.replace(out)  # under the lock: nobody takes it for one that was left
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    folder = os.open(out.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return size


def _remove_left(folder: Path) -> None:
    """Removes partial files of ours whose process is gone; who cannot be asked is left alone."""
    for path in folder.glob(".*.partial"):
        number = PARTIAL.fullmatch(path.name)
        if number is not None and not _runs(int(number[1])):
            with suppress(OSError):
                _remove_unlocked(path)


def _remove_unlocked(path: Path) -> None:
    # Its number may be that of a process elsewhere, which writes here too: then it holds the lock.
    handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if os.fstat(handle).st_uid == os.geteuid():
            path.unlink()
    finally:
        os.close(handle)


def _runs(number: int) -> bool:
    try:
        os.kill(number, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True
