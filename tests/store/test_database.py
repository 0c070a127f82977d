"""The encrypted file: its key, its faults by name, its transactions and its threads."""

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from appliance.store import database as module
from appliance.store.database import Database
from appliance.store.faults import (
    ConstraintError,
    DatabaseMissingError,
    DiskFullError,
    ReadOnlyError,
    StoreBusyError,
    StoreError,
    WrongKeyError,
)
from tests.sim.box import DATABASE_KEY
from tests.store.notes import PulledError, texts, write


def test_the_file_holds_no_plain_text(notes: Database) -> None:
    write(notes, "見本 花子")
    notes.close()
    files = list(notes.path.parent.glob("notes.db*"))
    raw = b"".join(file.read_bytes() for file in files)
    assert len(raw) > 4096
    for plain in (
        "見本 花子".encode(),
        "見本 花子".encode("utf-16-le"),
        b"SQLite format 3",
        b"CREATE TABLE",
        DATABASE_KEY,
    ):
        assert plain not in raw
    with pytest.raises(sqlite3.DatabaseError, match="not a database"):
        sqlite3.connect(notes.path).execute("SELECT * FROM sqlite_master")


@pytest.mark.parametrize("key", [b"x" * 32, None])
def test_another_key_or_none_does_not_open_it(
    notes: Database, key: bytes | None, capfd: pytest.CaptureFixture[str]
) -> None:
    write(notes, "見本")
    notes.close()
    with pytest.raises(WrongKeyError) as refused:
        Database.open(notes.path, key)
    assert "x" * 32 not in str(refused.value)
    assert capfd.readouterr() == ("", "")  # the library's own log would stand between the lines of ours
    with Database.open(notes.path, DATABASE_KEY) as again:
        assert texts(again) == ["見本"]


@pytest.mark.parametrize("key", [b"", b"k" * 31, b"k" * 33])
def test_a_key_of_another_length_is_no_key(tmp_path: Path, key: bytes) -> None:
    with pytest.raises(WrongKeyError, match="32 bytes"):
        Database(tmp_path / "x.db", key)


def test_what_is_no_database_is_told_like_a_wrong_key(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"something else entirely\n" * 400)
    with pytest.raises(WrongKeyError):
        Database.open(path, DATABASE_KEY)


def test_a_missing_file_is_not_made_by_opening_it(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    with pytest.raises(DatabaseMissingError) as refused:
        Database.open(path, DATABASE_KEY)
    assert refused.value.fields == {"path": str(path)}
    assert not path.exists()


def test_a_new_file_is_for_its_owner_and_group(notes: Database) -> None:
    assert notes.path.stat().st_mode & 0o007 == 0


def test_a_place_that_cannot_hold_a_file_is_read_only(tmp_path: Path) -> None:
    with pytest.raises(ReadOnlyError):
        Database.create(tmp_path / "absent" / "x.db", DATABASE_KEY)
    with pytest.raises(ReadOnlyError):
        Database.open(tmp_path, DATABASE_KEY)


class ReadingOnly(Database):
    """Its connections may only read for as long as this is said."""

    now = True

    def _connect(self) -> Any:
        connection = super()._connect()
        connection.execute(f"PRAGMA query_only = {int(self.now)}")
        return connection


def test_a_read_only_database_says_so_and_takes_records_as_soon_as_it_can(notes: Database) -> None:
    with ReadingOnly.open(notes.path, DATABASE_KEY) as database:
        for _ in range(2):
            with pytest.raises(ReadOnlyError):
                write(database, "見本")
        assert texts(database) == []
        database.now = False  # the connection that was made just now still may only read
        write(database, "見本")
        assert texts(database) == ["見本"]


def test_a_database_that_another_holds_is_busy(notes: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 50)
    with Database.open(notes.path, DATABASE_KEY) as other:
        with notes.transaction() as transaction:
            transaction.run("INSERT INTO note (text) VALUES ('first')")
            with pytest.raises(StoreBusyError):
                write(other, "second")
            assert texts(other) == []  # a reader sees the last state, and waits for nobody
        write(other, "second")
    assert texts(notes) == ["first", "second"]


def test_who_does_not_wait_is_refused_at_once_even_where_the_program_is_patient(notes: Database) -> None:
    with Database.open(notes.path, DATABASE_KEY, patience_s=60) as other:
        with notes.transaction(), pytest.raises(StoreBusyError), other.transaction(waiting=False):
            pass
        with other.transaction(waiting=False) as transaction:
            transaction.run("INSERT INTO note (text) VALUES ('free')")
    assert texts(notes) == ["free"]


def test_a_full_disk_writes_nothing_and_then_goes_on(notes: Database) -> None:
    write(notes, "before")
    pages = notes.row("PRAGMA page_count")
    assert pages is not None
    notes.rows(f"PRAGMA max_page_count = {pages[0] + 2}")
    with pytest.raises(DiskFullError):
        write(notes, "small", *(f"{number}" * 4000 for number in range(20)))
    assert texts(notes) == ["before"]
    notes.rows("PRAGMA max_page_count = 100000")
    write(notes, "after")
    assert texts(notes) == ["before", "after"]
    assert notes.check() == []


def test_a_transaction_is_all_or_nothing(notes: Database) -> None:
    def fail() -> None:
        with notes.transaction() as transaction:
            transaction.run("INSERT INTO note (text) VALUES ('half')")
            assert transaction.row("SELECT count(*) FROM note") == (1,)
            raise PulledError

    with pytest.raises(PulledError):
        fail()
    assert texts(notes) == []
    with pytest.raises(ConstraintError):
        write(notes, "one", "one")
    assert texts(notes) == []


def test_a_transaction_says_how_many_rows_it_changed(notes: Database) -> None:
    write(notes, "a", "b")
    with notes.transaction() as transaction:
        assert transaction.run("UPDATE note SET text = text || '!'") == 2
        assert transaction.rows("SELECT text FROM note") == [("a!",), ("b!",)]


def test_a_broken_rule_names_the_column_and_not_the_value(notes: Database) -> None:
    write(notes, "見本 花子")
    with pytest.raises(ConstraintError) as refused:
        write(notes, "見本 花子")
    assert "note.text" in str(refused.value)
    assert "花子" not in str(refused.value)
    assert refused.value.__suppress_context__


def test_any_other_fault_is_a_fault(notes: Database) -> None:
    with pytest.raises(StoreError):
        notes.rows("SELECT nothing FROM nowhere")


def test_each_thread_has_its_own_transaction(notes: Database) -> None:
    def work(name: str) -> None:
        for number in range(10):
            write(notes, f"{name}{number}")

    threads = [threading.Thread(target=work, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(texts(notes)) == sorted(f"{name}{number}" for name in "abcd" for number in range(10))


def test_a_thread_sees_what_is_committed_only(notes: Database) -> None:
    seen: list[list[str]] = []

    def look() -> None:
        seen.append(texts(notes))

    def in_a_thread() -> None:
        thread = threading.Thread(target=look)
        thread.start()
        thread.join()

    with notes.transaction() as transaction:
        transaction.run("INSERT INTO note (text) VALUES ('one')")
        in_a_thread()
    in_a_thread()
    assert seen == [[], ["one"]]


def test_rows_come_one_by_one(notes: Database) -> None:
    write(notes, *(str(number) for number in range(1300)))
    rows = notes.each("SELECT id FROM note WHERE id > ? ORDER BY id", (100,))
    assert next(rows) == (101,)
    assert sum(1 for _ in rows) == 1199


def test_a_closed_database_opens_again_when_it_is_used(notes: Database) -> None:
    write(notes, "one")
    notes.close()
    assert texts(notes) == ["one"]


def test_what_a_commit_promises_is_switched_on(notes: Database) -> None:
    asked = ("journal_mode", "synchronous", "foreign_keys", "secure_delete", "trusted_schema")
    assert [notes.row(f"PRAGMA {name}") for name in asked] == [("wal",), (2,), (1,), (1,), (0,)]


def test_a_damaged_page_is_found(notes: Database) -> None:
    write(notes, *(f"{number}" * 1000 for number in range(30)))
    assert notes.check() == []
    notes.close()
    raw = bytearray(notes.path.read_bytes())
    raw[len(raw) // 2] ^= 1
    notes.path.write_bytes(raw)
    assert notes.check() != []


def test_damage_that_two_readings_meet_ends_both_with_the_fault(notes: Database) -> None:
    write(notes, *(f"{number:04}" * 1000 for number in range(600)))
    notes.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    notes.close()
    raw = bytearray(notes.path.read_bytes())
    for page in range(len(raw) // 4096 * 29 // 30 * 4096, len(raw), 4096):
        raw[page + 100] ^= 1
    notes.path.write_bytes(raw)
    rows = notes.each("SELECT text FROM note")
    next(rows)  # the first ones are read
    with pytest.raises((StoreError, WrongKeyError)):
        notes.rows("SELECT text FROM note")
    with pytest.raises((StoreError, WrongKeyError)):  # on a connection that was given up meanwhile
        list(rows)


def test_each_fault_of_an_index_is_told_in_a_line_of_its_own(notes: Database) -> None:
    write(notes, *(f"{number}" for number in range(300)))
    with notes.transaction() as transaction:
        transaction.run("CREATE INDEX note_text ON note (text)")
        transaction.run("PRAGMA writable_schema = ON")
        transaction.run(
            "UPDATE sqlite_master SET sql = 'CREATE INDEX note_text ON note (-id)' WHERE name = 'note_text'"
        )
    notes.close()
    found = notes.check()
    assert len(found) > 90
    assert not any("\n" in line for line in found)


def test_a_patient_program_waits_for_longer_than_the_busy_timeout(
    notes: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 20)
    with Database.open(notes.path, DATABASE_KEY, patience_s=60) as patient:
        waiting = threading.Thread(target=write, args=(patient, "late"))
        with notes.transaction() as transaction:
            transaction.run("INSERT INTO note (text) VALUES ('early')")
            waiting.start()
            waiting.join(25 * 0.02)
            assert waiting.is_alive()
        waiting.join(30)
        assert texts(patient) == ["early", "late"]


def test_patience_has_an_end(notes: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "BUSY_TIMEOUT_MS", 20)
    with Database.open(notes.path, DATABASE_KEY, patience_s=0.1) as other:
        with notes.transaction(), pytest.raises(StoreBusyError):
            write(other, "never")
        assert texts(other) == []


def test_a_page_that_a_power_cut_tore_is_whole_in_the_log(notes: Database, tmp_path: Path) -> None:
    """The power went while the log was moved into the file: the file is torn, and nothing is damaged."""
    write(notes, *(f"{number}" * 1000 for number in range(30)))
    notes.rows("PRAGMA wal_checkpoint(FULL)")
    with notes.transaction() as transaction:
        transaction.run("UPDATE note SET text = text || 'more'")
    torn, log = bytearray(notes.path.read_bytes()), notes.path.with_name("notes.db-wal").read_bytes()
    # sqlite.org/fileformat2.html, section 4.1: a header of 32 bytes with a salt at 16, then frames: 24 bytes (page
    # number, the salt at 8) and a page.
    frames = [log[at : at + 24] for at in range(32, len(log), 24 + 4096)]
    pages = {int.from_bytes(one[:4]) for one in frames if one[8:16] == log[16:24]}
    assert len(pages) > 3
    for page in pages:
        torn[page * 4096 - 512 : page * 4096] = bytes(512)
    left = tmp_path / "left.db"
    left.write_bytes(torn)
    left.with_name("left.db-wal").write_bytes(log)
    with Database.open(left, DATABASE_KEY) as after:
        assert after.check() == []
        assert texts(after) == texts(notes)


def test_damage_is_found_on_a_disk_that_takes_nothing_more(notes: Database) -> None:
    write(notes, *(f"{number}" * 1000 for number in range(30)))
    notes.rows("PRAGMA query_only = ON")
    assert notes.check() == []


def test_a_snapshot_stays_as_it_was_while_others_write(notes: Database) -> None:
    write(notes, "before")
    with notes.snapshot():
        writer = threading.Thread(target=write, args=(notes, "meanwhile"))
        writer.start()
        writer.join()
        assert texts(notes) == ["before"]
    assert texts(notes) == ["before", "meanwhile"]
    with pytest.raises(ZeroDivisionError), notes.snapshot():
        raise ZeroDivisionError
    write(notes, "after")
