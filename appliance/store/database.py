"""The encrypted database: the only module that knows sqlcipher3.

SQLCipher 4 with a raw 32-byte key, WAL and ``synchronous=FULL``: what a transaction committed survives a power cut.
Each thread has a connection of its own; a write transaction begins with BEGIN IMMEDIATE and is short. Foreign
exceptions become errors of this module.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import sqlcipher3

from appliance.errors import BusyError, ConfigError, MadoguchiError, UnavailableError

KEY_BYTES = 32
BUSY_TIMEOUT_MS = 5_000
Row = tuple[Any, ...]


class WrongKeyError(ConfigError):
    """The key does not open the file, or the file is no database."""

    code = "store.wrong_key"


class DatabaseMissingError(ConfigError):
    """There is no database yet; ``appliance init`` makes it."""

    code = "store.missing"


class StoreBusyError(BusyError):
    """Another program held the database for longer than the busy timeout."""

    code = "store.busy"


class DiskFullError(UnavailableError):
    """The disk has no room: nothing of the transaction was written."""

    code = "store.disk_full"


class ReadOnlyError(UnavailableError):
    """The file system or the file cannot be written."""

    code = "store.read_only"


class StoreError(UnavailableError):
    """Any other fault of the database or the disk below it."""

    code = "store.fault"


class ConstraintError(MadoguchiError):
    """A rule of the schema was broken: a row twice, or a change to what may only grow."""

    code = "store.constraint"


class Database:
    """One database file. ``key`` None opens a file that is not encrypted (the hub's SQLite)."""

    def __init__(self, path: Path, key: bytes | None) -> None:
        if key is not None and len(key) != KEY_BYTES:
            raise WrongKeyError(reason=f"the key must have {KEY_BYTES} bytes")
        self.path = path
        self._key = key
        self._local = threading.local()
        self._all: list[Any] = []
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    @classmethod
    def open(cls, path: Path, key: bytes | None) -> Self:
        """Opens an existing file and proves that the key fits; raises ``DatabaseMissingError``, ``WrongKeyError``."""
        if not path.exists():
            raise DatabaseMissingError(path=str(path))
        database = cls(path, key)
        database.row("SELECT count(*) FROM sqlite_master")
        return database

    @classmethod
    def create(cls, path: Path, key: bytes | None) -> Self:
        """Makes the file if it is not there, readable by its owner and group only, and opens it.

        Raises ``ReadOnlyError`` where no file can be made.
        """
        try:
            if not path.exists():
                path.touch(mode=0o660)
        except OSError as error:
            raise ReadOnlyError(reason=error.strerror) from error
        return cls.open(path, key)

    def rows(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]:
        with _translated():
            return list(self._connection().execute(sql, tuple(parameters)))

    def row(self, sql: str, parameters: Sequence[Any] = ()) -> Row | None:
        with _translated():
            found: Row | None = self._connection().execute(sql, tuple(parameters)).fetchone()
            return found

    def each(self, sql: str, parameters: Sequence[Any] = ()) -> Iterator[Row]:
        """Rows one by one, for tables that do not fit memory."""
        with _translated():
            cursor = self._connection().execute(sql, tuple(parameters))
            while many := cursor.fetchmany(512):
                yield from many

    @contextmanager
    def transaction(self) -> Iterator["Transaction"]:
        """A write transaction: everything in the block is durable when it ends, or nothing happened."""
        connection = self._connection()
        with _translated():
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield Transaction(connection)
                connection.execute("COMMIT")
            except BaseException:
                # After a full disk SQLite has rolled back by itself, and ROLLBACK would hide the reason.
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def script(self, sql: str, then: Callable[["Transaction"], None] | None = None) -> None:
        """Runs the statements of a migration and what comes after them as one transaction."""
        connection = self._connection()
        with _translated():
            try:
                connection.executescript(f"BEGIN IMMEDIATE;\n{sql}\n;")
                if then is not None:
                    then(Transaction(connection))
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    def flush_log(self) -> bool:
        """Writes the log (WAL) into the file and empties it, so that it holds nothing of what was erased; False if a
        reader kept it for longer than the busy timeout."""
        try:
            found = self.row("PRAGMA wal_checkpoint(TRUNCATE)")
        except StoreBusyError:
            return False
        return found is not None and found[0] == 0

    def data_version(self) -> int:
        """A number that changes whenever another connection has committed (PRAGMA data_version)."""
        found = self.row("PRAGMA data_version")
        return int(found[0]) if found else 0

    def check(self) -> list[str]:
        """What ``PRAGMA cipher_integrity_check`` and ``integrity_check`` find wrong; empty when all is well."""
        faults = self.check_pages()
        try:
            faults += [str(one[0]) for one in self.rows("PRAGMA integrity_check") if one[0] != "ok"]
        except (StoreError, WrongKeyError) as error:  # a page that does not decrypt ends the walk through the tree
            faults.append(str(error.fields["reason"]))
        return faults

    def check_pages(self) -> list[str]:
        """The pages of the file that were not written with this key, one text for each; a database that cannot be
        used any more has them too."""
        if self._key is None:
            return []
        with _translated():
            # A connection with nothing but the key: what others are told first reads pages that may be damaged.
            connection = sqlcipher3.connect(str(self.path), isolation_level=None)
            try:
                _unlock(connection, self._key)
                return [str(one[0]) for one in connection.execute("PRAGMA cipher_integrity_check")]
            finally:
                connection.close()

    def close(self) -> None:
        with self._lock:
            for connection in self._all:
                connection.close()
            self._all.clear()
            self._local = threading.local()

    def _connection(self) -> Any:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            self._local.connection = connection
            with self._lock:
                self._all.append(connection)
        return connection

    def _connect(self) -> Any:
        with _translated():
            # Connections stay with their thread; only close() touches them from another one, at the very end.
            connection = sqlcipher3.connect(
                str(self.path), timeout=BUSY_TIMEOUT_MS / 1000, isolation_level=None, check_same_thread=False
            )
            try:
                if self._key is not None:
                    _unlock(connection, self._key)
                connection.execute("PRAGMA journal_mode = WAL")
                connection.execute("PRAGMA synchronous = FULL")
                connection.execute("PRAGMA foreign_keys = ON")
                connection.execute("PRAGMA secure_delete = ON")
                connection.execute("PRAGMA trusted_schema = OFF")
            except BaseException:
                connection.close()
                raise
            return connection


class Transaction:
    """The writing side of ``Database.transaction``."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

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
        """Two numbers that a later transaction of this thread finds again only if nobody wrote anything in between:
        no other connection (PRAGMA data_version), and not this one either (rows changed so far)."""
        version = self.row("PRAGMA data_version")
        return (version[0] if version else 0), int(self._connection.total_changes)


def _unlock(connection: Any, key: bytes) -> None:
    # Its own lines on standard error would break the log; what they say comes back as an exception.
    connection.execute("PRAGMA cipher_log_level = NONE")
    connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
    connection.execute("PRAGMA cipher_memory_security = OFF")


@contextmanager
def _translated() -> Iterator[None]:
    # The text of a database error can quote values, so only the kind of fault passes on.
    try:
        yield
    except sqlcipher3.IntegrityError as error:
        raise ConstraintError(reason=str(error)) from None
    except sqlcipher3.DatabaseError as error:
        text = str(error)
        if "not a database" in text or "file is encrypted" in text:
            raise WrongKeyError(reason="the key does not open the database") from None
        if "locked" in text or "busy" in text:
            raise StoreBusyError() from None
        if "full" in text:
            raise DiskFullError() from None
        if "readonly" in text or "unable to open" in text:
            raise ReadOnlyError() from None
        raise StoreError(reason=text) from None
