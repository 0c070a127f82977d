"""A small table for the tests of the database itself."""

from appliance.store.database import Database

NOTE = "CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)"


class PulledError(Exception):
    """What a test raises where the power goes."""


def write(database: Database, *texts: str) -> None:
    with database.transaction() as transaction:
        transaction.run_many("INSERT INTO note (text) VALUES (?)", [(text,) for text in texts])


def texts(database: Database) -> list[str]:
    return [row[0] for row in database.rows("SELECT text FROM note ORDER BY id")]
