"""The encrypted database: the only module that knows sqlcipher3.

SQLCipher 4 with a raw 32-byte key, WAL and ``synchronous=FULL``: what a transaction committed survives a power cut.
Each thread has a connection of its own; a write transaction begins with BEGIN IMMEDIATE and is short. Foreign
exceptions become errors of this module.

Another process may change the key while this one works (docs/decisions/0012). A connection notices when its next read
or its BEGIN IMMEDIATE finds page 1 under another key; nothing was done by then, so the statement is run again on a
connection with the key that fits now. Whoever reads a snapshot keeps it, and whoever writes holds the lock that the
change of the key needs: neither can meet it in the middle.
"""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar

import sqlcipher3

from appliance.errors import MadoguchiError
from appliance.store.beginning import begin, begin_at_once, begin_reading, prepare, try_to_write, unlock
from appliance.store.faults import (
    ConstraintError,
    DatabaseMissingError,
    ReadOnlyError,
    StoreBusyError,
    StoreError,
    WrongKeyError,
    fault_of,
)

KEY_BYTES = 32
BUSY_TIMEOUT_MS = 5_000
CHECKPOINT_TIMEOUT_MS = 500
MOST_HELD_PAGES = 1_000
MOST_CHECKPOINTS = 20
PAUSE_S = 0.05
MOST_RECONNECTIONS = 3
Row = tuple[Any, ...]
Keys = Callable[[], Sequence[bytes]]
"""Asked at each connection: the keys of which one opens the file, the likeliest first."""
Done = TypeVar("Done")


class Database:
    """One database file. ``key`` None opens a file that is not encrypted (the hub's SQLite).

    ``patience_s`` is for how long a write waits for another program's, beyond the first busy timeout of 5 s.
    """

    def __init__(self, path: Path, key: bytes | Keys | None, patience_s: float = 0.0) -> None:
        if isinstance(key, bytes) and len(key) != KEY_BYTES:
            raise WrongKeyError(reason=f"the key must have {KEY_BYTES} bytes")
        self.path = path
        self._keys = partial(tuple, [key]) if isinstance(key, bytes) else key
        self._fitted: bytes | None = None
        self._patience_s = patience_s
        self._connections = 0
        self._local = threading.local()
        self._all: list[Any] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @classmethod
    def open(cls, path: Path, key: bytes | Keys | None, patience_s: float = 0.0) -> Self:
        """Opens an existing file and proves that the key fits; raises ``DatabaseMissingError``, ``WrongKeyError``."""
        database = cls(path, key, patience_s)
        database._candidates()  # without a key nobody looks for the file, still less makes it
        if not path.exists():
            raise DatabaseMissingError(path=str(path))
        database.row("SELECT count(*) FROM sqlite_master")
        return database

    @classmethod
    def create(cls, path: Path, key: bytes | Keys | None) -> Self:
        """Makes the file if it is not there, readable by its owner and group only, and opens it.

        Raises ``ReadOnlyError`` where no file can be made.
        """
        cls(path, key)._candidates()
        try:
            if not path.exists():
                path.touch(mode=0o660)
        except OSError as error:
            raise ReadOnlyError(reason=error.strerror) from error
        return cls.open(path, key)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        return self._steadily(lambda connection: list(connection.execute(sql, tuple(parameters))))

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        found: Row | None = self._steadily(lambda connection: connection.execute(sql, tuple(parameters)).fetchone())
        return found

    def each(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        """Rows one by one, for tables that do not fit memory."""
        cursor = self._steadily(lambda connection: connection.execute(sql, tuple(parameters)), ends=False)
        with self._giving_up(cursor.connection), _translated():
            while many := cursor.fetchmany(512):
                yield from many

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """All that this thread reads in the block is the database as it is when the block begins."""
        connection = self._steadily(begin_reading)
        with self._giving_up(connection), _translated():
            try:
                yield
            finally:
                if connection.in_transaction:  # a fault of the disk may have ended it
                    connection.execute("ROLLBACK")

    @contextmanager
    def transaction(self, *, waiting: bool = True) -> Iterator["Transaction"]:
        """A write transaction: everything in the block is durable when it ends, or nothing happened.

        Raises ``StoreBusyError`` before the block if others write for longer than this program waits, or, without
        ``waiting``, if somebody else writes at this moment.
        """
        connection = self._patiently(begin) if waiting else self._steadily(begin_at_once)
        with self._giving_up(connection), _translated():
            try:
                yield Transaction(connection, self._local.number)
                connection.execute("COMMIT")
            except BaseException:
                # After a full disk SQLite has rolled back by itself, and ROLLBACK would hide the reason.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def script(self, sql: str, then: Callable[["Transaction"], None] | None = None) -> None:
        """Runs the statements of a migration and what comes after them as one transaction."""

        def run(connection: Any) -> None:
            try:
                connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\n;")
                if then is not None:
                    then(Transaction(connection, self._local.number))
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

        self._patiently(run)

    def data_version(self) -> int:
        """A number that changes whenever another connection has committed (PRAGMA data_version)."""
        version = self.row("PRAGMA data_version")
        return _apart(self._local.number, version)

    def check(self) -> list[str]:
        """What ``PRAGMA cipher_integrity_check`` and ``integrity_check`` find wrong; empty when all is well."""
        faults = self.check_pages()
        if faults:
            # It reads the bare file: a page that so far lies in the WAL alone, or that a power cut tore and the WAL
            # makes good, looks damaged. After a whole checkpoint every page that there was has been in the file.
            with suppress(MadoguchiError):  # on a disk that cannot be written nothing is under way
                for _ in range(MOST_CHECKPOINTS):
                    if self.checkpoint():
                        break
                    time.sleep(PAUSE_S)
            faults = [fault for fault in self.check_pages() if fault in faults]
        try:
            said = [line for (text,) in self.rows("PRAGMA integrity_check") for line in str(text).splitlines()]
            return faults + [line for line in said if line != "ok"]
        except (StoreError, WrongKeyError) as error:  # a page that does not decrypt ends the walk through the tree
            return [*faults, str(error.fields["reason"])]

    def check_pages(self) -> list[str]:
        """The pages of the file that were not written with the key, one text for each; a database that cannot be used
        any more has them too."""
        found = []
        for key in self._candidates():
            if key is None:
                return []
            with _translated():
                # A connection with nothing but the key: what others are told first reads pages that may be damaged.
                connection = sqlcipher3.connect(str(self.path), isolation_level=None)
                try:
                    unlock(connection, key)
                    found.append([str(one[0]) for one in connection.execute("PRAGMA cipher_integrity_check")])
                finally:
                    connection.close()
        if not found:
            raise WrongKeyError(reason=f"the key must have {KEY_BYTES} bytes")
        return min(found, key=len)

    def checkpoint(self) -> bool:
        """Brings everything from the WAL into the file and empties it; False while somebody reads an older state."""
        # The first part, which may be long, lets others write. The rest holds them up while it waits for who reads, so
        # it is short and waits for a moment only.
        busy, size, moved = self.row("PRAGMA wal_checkpoint(PASSIVE)") or (1, 0, 0)
        if busy or size - moved > MOST_HELD_PAGES:
            return False
        self.row(f"PRAGMA busy_timeout = {CHECKPOINT_TIMEOUT_MS}")
        try:
            found = self.row("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            self.row(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}")
        return found is not None and found[0] == 0

    def rekey(self, key: bytes) -> None:
        """Writes every page anew under another key, in one transaction: afterwards exactly one of the two opens it.

        Others read on meanwhile, and their writes wait. The WAL grows by the size of the database.
        Raises ``StoreBusyError``, ``DiskFullError`` or ``StoreError``; the old key is still the right one then.
        """
        if len(key) != KEY_BYTES:
            raise WrongKeyError(reason=f"the key must have {KEY_BYTES} bytes")
        # A thread's own connection would not do: one whose PRAGMA rekey was refused goes on to write under the new
        # key into a file under the old one. So this one takes the lock first, and ends here whatever happens.
        others = Database(self.path, self._keys, self._patience_s)
        with others:
            connection = others._patiently(begin)
            with _translated():
                done = connection.execute(f"PRAGMA rekey = \"x'{key.hex()}'\"").fetchone()
                if done != ("ok",):
                    raise StoreError(reason="the key was not changed")
                connection.execute("COMMIT")

    def close(self) -> None:
        with self._lock:
            for connection in self._all:
                connection.close()
            self._all.clear()
            self._local = threading.local()

    def _patiently(self, work: Callable[[Any], Done]) -> Done:
        """Work that begins with taking the write lock: waits for others for as long as was agreed."""
        end_s = time.monotonic() + self._patience_s
        while True:
            try:
                return self._steadily(work)
            except StoreBusyError:
                if time.monotonic() >= end_s:
                    raise
                time.sleep(PAUSE_S)

    def _steadily(self, work: Callable[[Any], Done], *, ends: bool = True) -> Done:
        """Work that has done nothing yet if the key or the connection turns out to be of no use: it is begun again.
        ``ends`` is whether the connection is needed no longer after it, unless a transaction is open then."""
        for _ in range(MOST_RECONNECTIONS):
            fresh = getattr(self._local, "connection", None) is None
            connection = self._connection()
            try:
                with self._giving_up(connection, ends=ends), _translated():
                    return work(connection)
            except WrongKeyError:
                if connection.in_transaction:
                    raise  # the key cannot have changed: this is damage
                self._drop(connection)
            except (StoreError, ReadOnlyError):
                # One that was made while the disk was at fault may read only, long after that.
                if fresh or self._local.connection is not None:
                    raise
        raise WrongKeyError(reason="the key does not open the database")

    @contextmanager
    def _giving_up(self, connection: Any, *, ends: bool = True) -> Iterator[None]:
        """After a fault of the disk the connection is not used again: SQLCipher lets none go on in which reading a page
        failed once. Nor after this use, if it was made where nothing could be written: as long as it is there, every
        other of this process reads only, because they share the index of the log. Whoever is in a transaction ends that
        first."""
        faulty = False
        try:
            yield
        except (StoreError, ReadOnlyError):
            faulty = True
            raise
        finally:
            # What was done in between may have met the same fault, and given the connection up before.
            mine = connection is getattr(self._local, "connection", None)
            if mine and (faulty or (ends and self._local.passing)) and not connection.in_transaction:
                self._drop(connection)

    def _connection(self) -> Any:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            self._local.connection, self._local.passing = connection, _reads_only(connection)
            with self._lock:
                self._all.append(connection)
                self._connections += 1
                self._local.number = self._connections
        return connection

    def _drop(self, connection: Any) -> None:
        self._local.connection = None
        with self._lock:
            if connection in self._all:
                self._all.remove(connection)
        connection.close()

    def _connect(self) -> Any:
        """A connection with the first key that fits, the one that did so last before all others.

        A key may be replaced between reading it and trying it; then the keys are read anew.
        """
        tried: list[bytes | None] = []
        while True:
            fresh = sorted((key for key in self._candidates() if key not in tried), key=lambda key: key != self._fitted)
            if not fresh:
                raise WrongKeyError(reason="the key does not open the database")
            for key in fresh:
                try:
                    connection = self._connect_with(key)
                except WrongKeyError:
                    tried.append(key)
                else:
                    self._fitted = key
                    return connection

    def _candidates(self) -> list[bytes | None]:
        return [None] if self._keys is None else [key for key in self._keys() if len(key) == KEY_BYTES]

    def _connect_with(self, key: bytes | None) -> Any:
        with _translated():
            # Connections stay with their thread; only close() touches them from another one, at the very end.
            connection = sqlcipher3.connect(
                str(self.path), timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False
            )
            try:
                if key is not None:
                    unlock(connection, key)
                prepare(connection)
            except BaseException:
                connection.close()
                raise
            return connection


class Transaction:
    """The writing side of ``Database.transaction``; ``number`` tells the connections of one ``Database`` apart."""

    def __init__(self, connection: Any, number: int) -> None:
        self._connection, self._number, self._version = connection, number, -1

    def run(self, sql: str, parameters: Sequence[Any] = ()) -> int:
        """Executes one statement; returns the number of rows it changed."""
        with _translated():
            return int(self._connection.execute(sql, tuple(parameters)).rowcount)

    def run_many(self, sql: str, parameters: Sequence[Sequence[Any]]) -> None:
        with _translated():
            self._connection.executemany(sql, parameters)

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        with _translated():
            found: Row | None = self._connection.execute(sql, tuple(parameters)).fetchone()
            return found

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        with _translated():
            return list(self._connection.execute(sql, tuple(parameters)))

    def stamp(self) -> tuple[int, int]:
        """Found again by this thread only if nothing was written since: by others (data_version), or by itself."""
        if self._version < 0:  # nobody else can commit while the transaction lasts
            self._version = _apart(self._number, self.row("PRAGMA data_version"))
        return self._version, int(self._connection.total_changes)


def _apart(number: int, version: Row | None) -> int:
    # SQLite counts for each connection anew: another one could say the same number of another state.
    return (number << 32) + int(version[0]) if version else 0


def _reads_only(connection: Any) -> bool:
    """Whether it was opened where nothing can be written, which it does not forget when the disk is well again."""
    try:
        with _translated():
            try_to_write(connection)
    except StoreBusyError:
        return False
    except MadoguchiError:
        return True
    return False


@contextmanager
def _translated() -> Iterator[None]:
    # The text of a database error can quote values, so only the kind of fault passes on.
    try:
        yield
    except sqlcipher3.IntegrityError as error:
        raise ConstraintError(reason=str(error)) from None
    except sqlcipher3.DatabaseError as error:
        raise fault_of(str(error)) from None
