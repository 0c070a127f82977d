"""A file that takes room on the disk only to give it up: on a full disk even deleting needs room.

It lies beside the database and is really allocated. A reserve that was given up stays as an empty file, so that every
program sees that from now on only essential records may be written; it is filled again when there is room.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

NAME = "box.reserve"
MOST_BYTES = 32 << 20
SHARE = 16
"""A small disk keeps one part of so many."""
CLEAR = 2
"""It is filled again when so many times its size are free: the box must not go to and fro at the edge."""


class Reserve:
    """The reserve of one database. Several programs may use it at once."""

    def __init__(self, database: Path) -> None:
        self._database, self.path = database, database.with_name(NAME)

    @property
    def given_up(self) -> bool:
        """Whether it was there and is not now."""
        try:
            return self.path.stat().st_size == 0
        except OSError:
            return False

    def keep(self) -> bool:
        """Allocates it if it is not there and the disk has room enough; whether it is there now.

        Raises ``OSError`` where the disk cannot be written at all, or not by this program.
        """
        with suppress(OSError):
            if self.path.stat().st_size > 0:
                return True
        disk = os.statvfs(self.path.parent)
        size = min(MOST_BYTES, disk.f_blocks * disk.f_frsize // SHARE)
        if disk.f_bavail * disk.f_frsize < CLEAR * size:
            return False
        with self._locked(os.O_CREAT) as file:
            if os.fstat(file).st_size == 0:
                try:
                    os.posix_fallocate(file, 0, size)
                except OSError:
                    os.ftruncate(file, 0)
                    return False
                os.fsync(file)
        return True

    def give_up(self) -> bool:
        """Gives its room to the disk; whether there was any to give."""
        try:
            with self._locked() as file:
                size = os.fstat(file).st_size
                os.ftruncate(file, 0)
                os.fsync(file)
        except OSError:
            return False
        return size > 0

    @contextmanager
    def _locked(self, more: int = 0) -> Iterator[int]:
        file = os.open(self.path, os.O_RDWR | os.O_CLOEXEC | more, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            if more:
                # Whoever may write the database may use its reserve, whichever program came first.
                owner = self._database.stat()
                with suppress(PermissionError):
                    os.fchown(file, owner.st_uid, owner.st_gid)
                with suppress(PermissionError):
                    os.fchmod(file, owner.st_mode & 0o666)
            yield file
        finally:
            os.close(file)
