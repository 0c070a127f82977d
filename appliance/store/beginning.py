"""How a transaction of a connection begins; the connection is SQLite's or SQLCipher's, and its errors are passed on."""

from typing import Any


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
