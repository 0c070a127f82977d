"""A new key for the database while every program goes on with its work (docs/decisions/0012).

The successor lies beside the key until it takes its place, and every program tries both: whenever this is interrupted,
exactly one of the two opens the database, and running it again brings it to its end.
"""

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYetError
from contextlib import suppress
from enum import Enum, unique
from pathlib import Path
from time import monotonic, sleep

from appliance.errors import BusyError, MadoguchiError, RefusedError
from appliance.services.successor import RotationRunningError, Successor, alone
from appliance.store.database import KEY_BYTES, Database
from appliance.store.faults import DiskFullError, StoreError, WrongKeyError

SPARE_BYTES = 64 << 20
"""What must stay free for everybody else's records while the database is written a second time."""
FULL_BYTES = 1 << 20
PATIENCE_S = 600.0
LOOK_S = 1.0
PAUSE_S = 0.5


class NoRoomToRotateError(RefusedError):
    """The disk cannot take the database a second time; ``need_mb`` and ``free_mb`` are in units of 2^20 bytes."""

    code = "keys.no_room"


class StillReadError(BusyError):
    """The database is under the new key, but somebody has been reading an older state of it for too long."""

    code = "keys.still_read"


@unique
class Stage(Enum):
    """How far a rotation has come."""

    MADE = "made"
    REWRITING = "rewriting"
    REWRITTEN = "rewritten"
    EMPTIED = "emptied"
    CHECKED = "checked"


Tell = Callable[[Stage, int], None]
"""The stage that was reached, and of the whole rewrite the per cent that are done."""


class KeyRotation:
    """``path`` is the database, ``name`` the credential with its key, in ``$CREDENTIALS_DIRECTORY``."""

    def __init__(self, path: Path, name: str, tell: Tell | None = None) -> None:
        self._path, self._told = path, tell
        self._successor = Successor(name)

    @property
    def sealed(self) -> bool:
        """Whether somebody else keeps the keys and handed them in, as systemd does."""
        return self._successor.sealed

    @property
    def unfinished(self) -> bool:
        """Whether a successor is there and nobody is at work on it."""
        return self._successor.left_in(self._path.parent)

    def run(self) -> None:
        """Changes the key, or brings a change to its end that was interrupted.

        1. Nobody else does so at the same time.
        2. There is a successor: one that an interrupted change left, or a new one, durable before it is used.
        3. The database is rewritten under it in one transaction, unless it is already; there is room for that.
        4. Nothing is left in the WAL that the old key could read.
        5. The old key opens the database no more, the new one does, and every page is sound under it.
        6. The successor takes the place of the key in one step; sealed keys are replaced by who sealed them.

        Raises ``keys.*`` or ``store.*``; what was there before goes on being right.
        """
        with alone(self._path.parent):
            key, successor = self._keys()
            if successor is None or not _opens(self._path, successor):
                with Database.open(self._path, key, PATIENCE_S) as database:
                    database.checkpoint()
                    if refused := _no_room(database, _need(database)):
                        raise refused
                    successor = successor or self._make_successor()
                    self._tell(Stage.MADE, 0)
                    try:
                        self._rewrite(database, successor)
                    except (DiskFullError, StoreError) as error:
                        full = _no_room(database, FULL_BYTES)  # SQLCipher says the same of every reason
                        with suppress(MadoguchiError):
                            database.checkpoint()  # what was written in vain takes no room from others
                        raise full or error from None
            self._tell(Stage.REWRITTEN, 100)
            with Database.open(self._path, successor, PATIENCE_S) as database:
                _empty_wal(database)
                self._tell(Stage.EMPTIED, 100)
                if faults := database.check():
                    raise StoreError(reason=faults[0])
            if key != successor and _opens(self._path, key):
                raise StoreError(reason="the old key still opens the database")
            self._tell(Stage.CHECKED, 100)
            self._successor.take_over()

    def finish(self) -> bool:
        """Ends a change of which only the last steps are missing, as at a start; whether it did."""
        with suppress(RotationRunningError, StillReadError), alone(self._path.parent):
            _, successor = self._keys()
            if successor is None or self.sealed or not _opens(self._path, successor):
                return False
            with Database.open(self._path, successor) as database:
                _empty_wal(database)
            self._successor.take_over()
            return True
        return False

    def _tell(self, stage: Stage, percent: int) -> None:
        if self._told is not None:
            self._told(stage, percent)

    def _keys(self) -> tuple[bytes, bytes | None]:
        key, *rest = self._successor.source()
        whole = [one for one in rest if len(one) == KEY_BYTES]
        return key, whole[0] if whole else None

    def _make_successor(self) -> bytes:
        key = os.urandom(KEY_BYTES)
        self._successor.keep(key)
        return key

    def _rewrite(self, database: Database, successor: bytes) -> None:
        pages = _size(database)
        wal = self._path.with_name(f"{self._path.name}-wal")
        with ThreadPoolExecutor(1) as pool:
            work: Future[None] = pool.submit(database.rekey, successor)
            while True:
                with suppress(NotYetError):
                    return work.result(LOOK_S)
                with suppress(OSError):
                    self._tell(Stage.REWRITING, min(99, 100 * wal.stat().st_size // pages))


def _opens(path: Path, key: bytes) -> bool:
    try:
        Database.open(path, key).close()
    except WrongKeyError:
        return False
    return True


def _size(database: Database) -> int:
    """Bytes of the database as it is now, wherever its pages lie."""
    found = database.row("SELECT page_count * page_size FROM pragma_page_count, pragma_page_size")
    return int(found[0]) if found else 0


def _need(database: Database) -> int:
    return _size(database) * 101 // 100 + SPARE_BYTES


def _no_room(database: Database, least: int) -> NoRoomToRotateError | None:
    """The error to raise if fewer bytes than these are free."""
    disk = os.statvfs(database.path.parent)
    free = disk.f_bavail * disk.f_frsize
    return NoRoomToRotateError(need_mb=-(-_need(database) >> 20), free_mb=free >> 20) if free < least else None


def _empty_wal(database: Database) -> None:
    end_s = monotonic() + PATIENCE_S
    while not database.checkpoint():
        if monotonic() >= end_s:
            raise StillReadError()
        sleep(PAUSE_S)
