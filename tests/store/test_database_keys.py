"""The key of a database is changed while others have it open, and a program is given more than one."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlcipher3

from appliance.store import database as module
from appliance.store.database import Database
from appliance.store.faults import (
    StoreBusyError,
    WrongKeyError,
)
from tests.sim.box import DATABASE_KEY
from tests.store.notes import PulledError, texts, write

NEXT_KEY = b"n" * 32
# A file may not grow beyond twice this database: the rewrite fails in the middle, as on a full disk.
FULL = """
import resource, sys
from pathlib import Path
from appliance.store.database import Database
from tests.sim.box import DATABASE_KEY
path = Path(sys.argv[1])
resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size // 2, -1))
with Database.open(path, DATABASE_KEY) as database:
    database.rekey(b"n" * 32)
"""


def both() -> list[bytes]:
    return [DATABASE_KEY, NEXT_KEY]


@pytest.fixture
def shared(notes: Database) -> Iterator[Database]:
    """The notes as a program opens them that knows both keys; one note is there."""
    write(notes, "before")
    with Database.open(notes.path, both) as database:
        yield database


def opening(path: Path) -> list[bytes]:
    """Which of the keys open the file."""
    found = []
    for key in both():
        try:
            Database.open(path, key).close()
        except WrongKeyError:
            continue
        found.append(key)
    return found


def look(database: Database) -> None:
    assert texts(database) == ["before"]


def look_at_one(database: Database) -> None:
    assert database.row("SELECT text FROM note") == ("before",)


def look_at_each(database: Database) -> None:
    assert list(database.each("SELECT text FROM note")) == [("before",)]


def write_one(database: Database) -> None:
    write(database, "after")
    assert texts(database) == ["before", "after"]


def migrate(database: Database) -> None:
    database.script("CREATE TABLE more (id INTEGER PRIMARY KEY)")
    assert database.rows("SELECT * FROM more") == []


def check(database: Database) -> None:
    assert database.check() == []


def ask_version(database: Database) -> None:
    assert database.data_version() > 0


def look_at_a_snapshot(database: Database) -> None:
    with database.snapshot():
        look(database)


@pytest.mark.parametrize(
    "act", [look, look_at_one, look_at_each, look_at_a_snapshot, write_one, migrate, check, ask_version]
)
def test_a_program_that_knows_both_keys_does_not_notice_the_change(
    notes: Database, shared: Database, act: Callable[[Database], None]
) -> None:
    look(shared)
    notes.rekey(NEXT_KEY)
    act(shared)
    assert opening(notes.path) == [NEXT_KEY]


def test_a_program_that_knows_the_old_key_alone_is_refused(notes: Database, shared: Database) -> None:
    look(shared)
    notes.rekey(NEXT_KEY)
    for _ in range(2):
        with pytest.raises(WrongKeyError):
            texts(notes)
        with pytest.raises(WrongKeyError):
            write(notes, "lost")
    look(shared)


def test_who_reads_goes_on_with_what_was_there(notes: Database, shared: Database) -> None:
    write(notes, *(f"{number:04}" for number in range(2000)))
    reading = shared.each("SELECT text FROM note ORDER BY id")
    assert next(reading) == ("before",)
    notes.rekey(NEXT_KEY)
    with Database.open(notes.path, NEXT_KEY) as other:
        write(other, "afterwards")
        assert not other.checkpoint()  # what is still read stays where it is
        assert [row[0] for row in reading] == [f"{number:04}" for number in range(2000)]
        assert texts(shared)[-1] == "afterwards"
        assert other.checkpoint()
    assert shared.check() == []


def test_the_key_cannot_change_inside_a_transaction(
    notes: Database, shared: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 50)
    with shared.transaction() as transaction:
        transaction.run("INSERT INTO note (text) VALUES ('first')")
        with pytest.raises(StoreBusyError):
            notes.rekey(NEXT_KEY)
        transaction.run("INSERT INTO note (text) VALUES ('second')")
    assert opening(notes.path) == [DATABASE_KEY]
    write(notes, "third")  # the program that was refused writes on under the right key
    assert texts(shared) == ["before", "first", "second", "third"]
    assert shared.check() == []


def test_a_bare_connection_whose_change_was_refused_spoils_the_file(notes: Database) -> None:
    """Why ``rekey`` takes the lock first on a connection that ends with it."""
    write(notes, "before")

    def bare() -> sqlcipher3.Connection:
        connection = sqlcipher3.connect(str(notes.path), timeout=0.05, isolation_level=None)
        connection.execute("PRAGMA cipher_log_level = NONE")
        connection.execute(f"PRAGMA key = \"x'{DATABASE_KEY.hex()}'\"")
        connection.execute("PRAGMA journal_mode = WAL")
        return connection

    careless = bare()
    with notes.transaction() as transaction:
        transaction.run("INSERT INTO note (text) VALUES ('first')")
        with pytest.raises(sqlcipher3.OperationalError, match="PRAGMA key or rekey"):
            careless.execute(f"PRAGMA rekey = \"x'{NEXT_KEY.hex()}'\"")
    careless.execute("INSERT INTO note (text) VALUES ('second')")
    careless.close()
    with pytest.raises(sqlcipher3.DatabaseError):
        bare().execute("PRAGMA integrity_check").fetchall()


def test_a_change_that_fails_in_the_middle_changes_nothing(notes: Database, shared: Database) -> None:
    write(notes, *(f"{number}" * 1000 for number in range(200)))
    notes.checkpoint()
    done = subprocess.run([sys.executable, "-c", FULL, str(notes.path)], capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "store." in done.stderr
    assert opening(notes.path) == [DATABASE_KEY]
    assert len(texts(shared)) == 201
    assert shared.check() == []


@pytest.mark.parametrize("key", [b"", NEXT_KEY + b"!"])
def test_a_new_key_must_be_a_key(notes: Database, key: bytes) -> None:
    with pytest.raises(WrongKeyError):
        notes.rekey(key)
    assert opening(notes.path) == [DATABASE_KEY]


def test_a_key_that_is_replaced_while_it_is_tried_is_read_anew(notes: Database) -> None:
    given = [[b"x" * 32, b"half"], [b"x" * 32, DATABASE_KEY]]
    with Database(notes.path, lambda: given.pop(0)) as database:
        assert texts(database) == []
    assert given == []


def test_without_a_key_no_file_is_made(tmp_path: Path) -> None:
    def absent() -> list[bytes]:
        raise PulledError

    with pytest.raises(PulledError):
        Database.open(tmp_path / "x.db", absent)
    with pytest.raises(PulledError):
        Database.create(tmp_path / "x.db", absent)
    assert list(tmp_path.iterdir()) == []


def test_keys_of_which_none_fits_are_refused(notes: Database) -> None:
    with pytest.raises(WrongKeyError):
        Database.open(notes.path, lambda: [b"x" * 32, b"half", b""])


def test_the_data_version_of_another_connection_is_another(notes: Database, shared: Database) -> None:
    seen = {shared.data_version()}
    notes.rekey(NEXT_KEY)
    seen.add(shared.data_version())
    with Database.open(notes.path, NEXT_KEY) as other:
        other.rekey(DATABASE_KEY)
    seen.add(shared.data_version())
    assert len(seen) == 3
    assert shared.data_version() in seen


def test_what_a_program_remembers_of_a_transaction_ends_with_its_connection(notes: Database, shared: Database) -> None:
    """Each connection of this story changes one row, so that the numbers of SQLite are the same again and again."""
    stamps = []
    for key, text in ((NEXT_KEY, "one"), (DATABASE_KEY, "two"), (NEXT_KEY, "three")):
        with shared.transaction() as transaction:
            transaction.run("INSERT INTO note (text) VALUES (?)", (text,))
            stamps.append(transaction.stamp())
        with shared.transaction() as transaction:
            assert transaction.stamp() == stamps[-1]
        Database(notes.path, both).rekey(key)
    assert len(set(stamps)) == 3
    assert len({changes for _, changes in stamps}) == 1
