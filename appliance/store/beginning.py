"""How a connection begins, and its transactions; it is SQLite's or SQLCipher's, and its errors are passed on."""

from typing import Any


def unlock(connection: Any, key: bytes) -> None:
    """Names the key of an encrypted file; whether it fits, the first reading tells."""
    # Its own lines on standard error would break the log; what they say comes back as an exception.
    connection.execute("PRAGMA cipher_log_level = NONE")
    connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
    connection.execute("PRAGMA cipher_memory_security = OFF")


def prepare(connection: Any) -> None:
    """What a commit promises, and what a schema that somebody else wrote may not do."""
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA trusted_schema = OFF")


def begin_reading(connection: Any) -> Any:
    """From here on all that is read is one state of the database; returns the connection."""
    connection.execute("BEGIN")
    try:
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()  # BEGIN alone reads nothing yet
    except BaseException:
        connection.execute("ROLLBACK")  # not in a transaction any more: it may be begun again under another key
        raise
    return connection


def begin(connection: Any) -> Any:
    """Takes the write lock, after the connection's busy timeout at the latest."""
    connection.execute("BEGIN IMMEDIATE")
    return connection


def begin_at_once(connection: Any) -> Any:
    """Takes the write lock if nobody has it."""
    (timeout_ms,) = connection.execute("PRAGMA busy_timeout").fetchone()
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        return begin(connection)
    finally:
        connection.execute(f"PRAGMA busy_timeout = {timeout_ms}")


def try_to_write(connection: Any) -> None:
    """Writes, and takes it back: ``BEGIN IMMEDIATE`` says nothing where nothing can be written, it only reads then."""
    begin_at_once(connection)
    try:
        connection.execute("PRAGMA user_version = 0")
    finally:
        connection.execute("ROLLBACK")
