"""All rows of a database go through one stream and come back in another database as they were."""

import io
import random
from collections.abc import Iterator
from pathlib import Path

import pytest
import zstandard

from appliance.ledger.encoding import encode
from appliance.store.database import Database, Row
from appliance.store.dump import KEY_TABLES, LEFT_OUT, Counted, DumpError, Loader, count_rows, dump, tables
from appliance.store.faults import ConstraintError
from appliance.store.migrate import migrate
from appliance.store.schema import BOX_FAMILIES
from tests.sim.box import DATABASE_KEY
from tests.store.test_migrate import ROWS


@pytest.fixture
def filled(database: Database) -> Database:
    """Something in every table, and in one of them more than goes at once."""
    columns = {name: len(database.rows("SELECT 1 FROM pragma_table_info(?)", (name,))) for name in tables(database)}
    with database.transaction() as transaction:
        for rows in ROWS.values():
            for name, many in rows.items():
                if name != "entry" and columns.get(name) == len(many[0]):
                    transaction.run_many(f"INSERT INTO {name} VALUES ({', '.join('?' * len(many[0]))})", many)
        chosen = random.Random(1)
        transaction.run_many(
            "INSERT INTO entry VALUES (?, ?, ?, NULL)",
            [(1 << 44 | at, chosen.randbytes(50), chosen.randbytes(chosen.randrange(900))) for at in range(2000)],
        )
        transaction.run("INSERT INTO roster VALUES (7, 5, zeroblob(3000000))")
        transaction.run("INSERT INTO signal VALUES ('sync', '{}', 1)")
        transaction.run("INSERT INTO secret VALUES ('school-key', x'01')")
        transaction.run("INSERT INTO body_seed VALUES (-9223372036854775807, x'02')")
    return database


@pytest.fixture
def empty(tmp_path: Path) -> Iterator[Database]:
    with Database.create(tmp_path / "empty.db", DATABASE_KEY) as database:
        migrate(database, BOX_FAMILIES)
        yield database


def contents(database: Database, names: list[str]) -> dict[str, list[Row]]:
    return {name: database.rows(f"SELECT * FROM {name}") for name in names}


def stream(*records: object, end: bool = True) -> io.BytesIO:
    many = [encode(one) for one in (*records, *([["end", 1]] if end else []))]
    return io.BytesIO(zstandard.compress(b"".join(len(one).to_bytes(4) + one for one in many)))


def test_every_table_is_in_one_part_or_left_out(database: Database) -> None:
    every = {row[0] for row in database.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {*tables(database), *KEY_TABLES, *LEFT_OUT} == every
    assert len(tables(database)) > 12


def test_all_rows_come_back(filled: Database, empty: Database) -> None:
    names, told = tables(filled), list[int]()
    with filled.snapshot():
        packed = b"".join(dump(filled, names, told.append))
    assert sum(told) == count_rows(filled, names) > 2000
    assert b"".join(dump(filled, names)) == packed
    checked = list[int]()
    assert Loader(names).check(io.BytesIO(packed), checked.append) == sum(checked) == sum(told)
    Loader(names).load(io.BytesIO(packed), empty)
    assert contents(empty, names) == contents(filled, names)
    assert empty.rows("SELECT * FROM signal") == empty.rows("SELECT * FROM secret") == []
    keys = b"".join(dump(filled, KEY_TABLES))
    Loader(KEY_TABLES).load(io.BytesIO(keys), empty)
    assert contents(empty, list(KEY_TABLES)) == contents(filled, list(KEY_TABLES))
    assert empty.rows("PRAGMA foreign_key_check") == []


def test_a_snapshot_is_not_disturbed_by_who_writes_meanwhile(filled: Database) -> None:
    names = tables(filled)
    before = b"".join(dump(filled, names))
    with filled.snapshot(), Database.open(filled.path, DATABASE_KEY) as other:
        parts = dump(filled, names)
        packed = next(parts)
        with other.transaction() as transaction:
            transaction.run("INSERT INTO code_attempt VALUES (99)")
            transaction.run("DELETE FROM visit")
        packed += b"".join(parts)
    assert packed == before
    assert b"".join(dump(filled, names)) != before
    with filled.transaction() as transaction:
        transaction.run("INSERT INTO code_attempt VALUES (100)")


@pytest.mark.parametrize(
    ("file", "reason"),
    [
        (io.BytesIO(b""), "end"),
        (io.BytesIO(b"no frame"), "records"),
        (io.BytesIO(zstandard.compress(b"\0\0\0\x09short")), "end"),
        (io.BytesIO(zstandard.compress(b"\0\0\0\x01\xff")), "records"),
        (io.BytesIO(zstandard.compress(b"\0\0\0\x00")), "records"),
        (io.BytesIO(zstandard.compress(b"\xff\xff\xff\xff")), "records"),
        (stream(end=False), "end"),
        (stream(["table", "code_attempt", ["at_ms"]], end=False), "end"),
        (stream(["table", "code_attempt", ["at_ms"]]), "records"),
        (stream(["table", "code_attempt", ["at_ms"]], ["rows", [[1], [2]]]), "records"),
        (stream(["table", "code_attempt", ["at_ms"]], ["rows", [[1, 2]]]), "records"),
        (stream(["rows", [[1]]]), "records"),
        (stream(["table", "sqlite_master", ["name"]]), "records"),
        (stream(["table", "secret", ["name"]]), "records"),
        (stream(["table", "code_attempt", ["at_ms"]], ["rows", [[1]]], ["other"]), "records"),
    ],
)
def test_what_is_no_dump_is_told_before_anything_is_written(file: io.BytesIO, reason: str) -> None:
    with pytest.raises(DumpError) as refused:
        Loader(["code_attempt"]).check(file)
    assert refused.value.fields == {"reason": reason}


def test_rows_that_do_not_fit_are_refused_when_they_are_written(empty: Database) -> None:
    load = Loader(["code_attempt", "guardianship"]).load
    for columns, row in ((["nothing"], [1]), ([], []), (["at_ms", "at_ms) VALUES (1); --"], [1, 2])):
        with pytest.raises(DumpError, match="columns"):
            load(stream(["table", "code_attempt", columns], ["rows", [row]]), empty)
    with pytest.raises(DumpError, match="rows"):
        load(stream(["table", "code_attempt", ["at_ms"]], ["rows", [[1 << 63]]]), empty)
    with pytest.raises(ConstraintError):
        load(stream(["table", "code_attempt", ["at_ms"]], ["rows", [["text"]]]), empty)
    columns = ["guardian", "pupil", "barred"]
    with pytest.raises(ConstraintError):
        load(stream(["table", "guardianship", columns], ["rows", [["nobody", "nobody", 0]]]), empty)
    assert empty.rows("SELECT * FROM code_attempt") == []


def test_who_counts_is_told_in_portions(filled: Database) -> None:
    told = list[int]()
    counted: Counted = told.append
    assert b"".join(dump(filled, ["entry"], counted)) != b""
    assert max(told) <= 512
    assert len(told) == 4
