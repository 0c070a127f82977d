"""Migrations: numbered, all or nothing, and every row of an older database is still there afterwards."""

from pathlib import Path

import pytest

from appliance.errors import ConfigError
from appliance.programs.hub.settings import FAMILIES as HUB_FAMILIES
from appliance.store.database import Database, Row
from appliance.store.faults import StoreError
from appliance.store.migrate import Family, SchemaTooNewError, SchemaTooOldError, check_schema, migrate
from appliance.store.schema import BOX, BOX_FAMILIES, LEDGER
from tests.sim.box import DATABASE_KEY

HUB = HUB_FAMILIES[1]
EVERY = (LEDGER, BOX, HUB)

# (family, number) -> rows that a database at this number can hold in the tables that this migration brought.
ROWS: dict[tuple[str, int], dict[str, list[Row]]] = {
    ("ledger", 1): {
        "ledger": [(1, "madoguchi/1/B113299900018/box/1", b"PEM", 1, b"f" * 32, 7, 0, b"b" * 16, b"cose", 1)],
        "entry": [(1, 0, b"entry", b"body")],
        "body_key": [(1, 0, b"wrapped")],
        "node": [(1, 4, 0, b"n" * 32)],
        "cosignature": [(1, 1, b"checkpoint", b"cosignature", 5)],
        "identity": [(1, 1, 2, b"p" * 16)],
        "secret": [("school-key", b"s" * 32)],
    },
    ("ledger", 2): {"signal": [("sync", '{"connected": true}', 9)]},
    ("ledger", 3): {},
    ("ledger", 4): {"body_seed": [(2 << 44 | 8 << 38, b"s" * 32)]},
    ("ledger", 5): {},
    ("ledger", 6): {"ledger_key": [(1, 40, b"PEM", b"succession")]},
    ("box", 1): {
        "school": [(1, "B113299900018", "架空小学校", "madoguchi/1/B113299900018/box/1", 1)],
        "roster": [(1, 5, b"zip")],
        "person": [
            ("hana", "pupil", "見本 花", "ミホン ハナ", "1年1組", 1, 0, 1),
            ("mother", "guardian", "見本 母", "", "", None, 1, 0),
        ],
        "guardianship": [("mother", "hana", "", "2027-03-31", 0)],
        "link_code": [(b"d" * 32, "mother", 1, 2, "admin", None, 3)],
        "code_attempt": [(4,)],
        "card_link": [(b"c" * 16, "mother", 8, 5, None)],
        "visit": [(9, "mother", "visit", 6)],
        "evidence_epoch": [(b"e" * 16, b"hpke", 7)],
        "evidence": [(b"v" * 32, b"e" * 16, b"sealed")],
        "staff": [("admin", "管理者", "it", "$argon2id$", 2, 99, 1)],
        "staff_session": [(b"t" * 32, "admin", 1, 2)],
    },
    ("box", 2): {"enrolment": [(1, '{"school": "B113299900018"}', 3)]},
    ("box", 3): {"evidence": [(b"w" * 32, b"e" * 16, b"sealed", 9)], "card_certificate": [(b"k" * 32, 8)]},
    ("box", 4): {"visit": [(2, 9, "mother", "visit", 7)]},
    ("box", 5): {"line_sample": [(1_800_000_000_000, 20_000_000, 12, 2_000_000)]},
    ("hub", 1): {
        "school": [("B113299900018", "架空小学校", "madoguchi/1/B/box/1", "madoguchi/1/B/feed/1", 1, 2)],
        "contact": [("B113299900018", 1, 5, 4, 3, None, None)],
    },
    ("hub", 2): {
        "succession": [
            (
                *("madoguchi/1/B/box/2", "B113299900018", "rolled back", 7, "madoguchi/1/B/box/1", 5),
                *("madoguchi/1/B/box/1", 4, 3, 1, "complete", None),
            )
        ],
    },
    ("hub", 3): {"enrolment_token": [(b"v" * 32, "B113299900018", 9, 0, 2, None)]},
    ("hub", 4): {
        "issued_certificate": [("1f", "B113299900018", 9, None)],
        "revoked_school": [("B113299900018", 3, "lost")],
    },
}

# (family, number) -> what a migration that moves rows makes of those before it; None: the table is gone.
MOVED: dict[tuple[str, int], dict[str, list[Row] | None]] = {
    ("ledger", 3): {
        "ledger": [(1, "madoguchi/1/B113299900018/box/1", b"PEM", 0, b"b" * 16)],
        "entry": [(1 << 44, b"entry", b"body", b"wrapped", b"cose")],
        "body_key": None,
        "node": [(1 << 44 | 4 << 38, b"n" * 32)],
    },
    ("ledger", 5): {"entry": [(1 << 44, b"entry", b"body", b"cose")]},
    ("ledger", 6): {
        "ledger": [(1, "madoguchi/1/B113299900018/box/1", 0, b"b" * 16)],
        "ledger_key": [(1, 0, b"PEM", b"")],
    },
    ("box", 3): {"evidence": [(b"v" * 32, b"e" * 16, b"sealed", None)]},
    ("box", 4): {
        "visit": [(1, 9, "mother", "visit", 6)],
        "card_link": [(b"c" * 16, "mother", 8, 5, None, 1)],
        "evidence": [(b"v" * 32, b"e" * 16, b"sealed", None, 1)],
    },
}


def up_to(family: Family, number: int, folder: Path) -> Family:
    """The family as it was when it had only so many migrations."""
    folder.mkdir()
    for at, name, sql in family.steps()[:number]:
        (folder / f"{at:04}_{name}.sql").write_text(sql, encoding="utf-8")
    return Family(family.name, folder, {at: one for at, one in family.conversions.items() if at <= number})


def made(path: Path, *steps: str) -> Family:
    path.mkdir(exist_ok=True)
    for number, sql in enumerate(steps, 1):
        (path / f"{number:04}_step{number}.sql").write_text(sql, encoding="utf-8")
    return Family("made", path)


def stored(database: Database, table: str) -> list[Row]:
    return database.rows(f"SELECT * FROM {table}")


def schema(database: Database) -> list[Row]:
    return database.rows("SELECT type, name, sql FROM sqlite_master ORDER BY type, name")


@pytest.fixture
def empty(tmp_path: Path) -> Database:
    return Database.create(tmp_path / "empty.db", DATABASE_KEY)


def test_every_migration_has_rows_to_carry_over() -> None:
    assert set(ROWS) == {(family.name, number) for family in EVERY for number, _, _ in family.steps()}


def test_the_rows_cover_every_table(tmp_path: Path) -> None:
    for family in EVERY:
        with Database.create(tmp_path / f"{family.name}.db", DATABASE_KEY) as database:
            migrate(database, (family,))
            tables = {row[0] for row in database.rows("SELECT name FROM sqlite_master WHERE type = 'table'")}
        covered = {table for (name, _), rows in ROWS.items() if name == family.name for table in rows}
        covered -= {
            table for (name, _), rows in MOVED.items() if name == family.name for table in rows if not rows[table]
        }
        assert tables - {"migration"} == covered


@pytest.mark.parametrize(
    ("family", "number"),
    [pytest.param(family, number, id=f"{family.name}-{number}") for family in EVERY for number, _, _ in family.steps()],
)
def test_rows_survive_a_migration(family: Family, number: int, tmp_path: Path) -> None:
    with Database.create(tmp_path / "old.db", DATABASE_KEY) as database:
        migrate(database, (up_to(family, number - 1, tmp_path / "old"),))
        rows = {table: more for at in range(1, number) for table, more in ROWS[family.name, at].items()}
        for at in range(1, number):
            for table, many in MOVED.get((family.name, at), {}).items():
                rows.pop(table)
                rows |= {} if many is None else {table: many}
        with database.transaction() as transaction:
            for table, many in rows.items():
                places = ", ".join("?" * len(many[0]))
                transaction.run_many(f"INSERT INTO {table} VALUES ({places})", many)
        with pytest.raises(SchemaTooOldError):
            check_schema(database, (family,))
        ran = migrate(database, (up_to(family, number, tmp_path / "new"),))
        assert [name.split("_")[0] for name in ran] == [f"{family.name}/{number:04}"]
        moved = MOVED.get((family.name, number), {})
        for table, many in {**rows, **moved}.items():
            if many is None:
                assert database.row("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)) is None
            else:
                assert [one[: len(many[0])] for one in stored(database, table)] == many
        for table, many in ROWS[family.name, number].items():
            with database.transaction() as transaction:
                places = ", ".join("?" * len(many[0]))
                transaction.run_many(f"INSERT INTO {table} VALUES ({places})", many)
            assert set(many) <= set(stored(database, table))
        assert database.check() == []


def test_an_up_to_date_database_is_left_alone(empty: Database) -> None:
    ran = migrate(empty, BOX_FAMILIES)
    assert ran[0] == "ledger/0001_ledger"
    assert len(ran) == sum(len(family.steps()) for family in BOX_FAMILIES)
    before = schema(empty)
    assert migrate(empty, BOX_FAMILIES) == []
    assert schema(empty) == before
    check_schema(empty, BOX_FAMILIES)


def test_a_database_without_any_table_is_too_old(empty: Database) -> None:
    with pytest.raises(SchemaTooOldError) as refused:
        check_schema(empty, BOX_FAMILIES)
    assert refused.value.fields == {"family": "all", "waiting": sum(len(one.steps()) for one in BOX_FAMILIES)}


def test_an_older_database_says_what_waits(empty: Database, tmp_path: Path) -> None:
    migrate(empty, (LEDGER, up_to(BOX, 1, tmp_path / "old")))
    with pytest.raises(SchemaTooOldError) as refused:
        check_schema(empty, BOX_FAMILIES)
    assert refused.value.fields == {"family": "box", "waiting": len(BOX.steps()) - 1}


def test_a_newer_database_is_not_touched(empty: Database, tmp_path: Path) -> None:
    new = made(tmp_path / "new", "CREATE TABLE a (x);", "CREATE TABLE b (x);")
    migrate(empty, (new,))
    before = schema(empty)
    old = up_to(new, 1, tmp_path / "old")
    for refuse in (lambda: migrate(empty, (old,)), lambda: check_schema(empty, (old,))):
        with pytest.raises(SchemaTooNewError) as refused:
            refuse()
        assert refused.value.fields == {"family": "made", "database": 2, "program": 1}
    assert schema(empty) == before


@pytest.mark.parametrize(
    "broken",
    [
        "CREATE TABLE b (x); INSERT INTO b VALUES (1); INSERT INTO nowhere VALUES (1);",
        "DELETE FROM a; DROP TABLE a; CREATE TABLE a (x) nonsense;",
    ],
)
def test_a_failing_migration_leaves_everything_as_it_was(empty: Database, tmp_path: Path, broken: str) -> None:
    family = made(tmp_path / "made", "CREATE TABLE a (x);")
    migrate(empty, (family,))
    with empty.transaction() as transaction:
        transaction.run("INSERT INTO a VALUES ('kept')")
    before = schema(empty)
    with pytest.raises(StoreError):
        migrate(empty, (made(tmp_path / "made", "CREATE TABLE a (x);", broken),))
    assert schema(empty) == before
    assert stored(empty, "a") == [("kept",)]
    assert stored(empty, "migration") == [("made", 1, "step1")]
    check_schema(empty, (up_to(family, 1, tmp_path / "again"),))


def test_those_before_the_failing_one_stay_done(empty: Database, tmp_path: Path) -> None:
    family = made(tmp_path / "made", "CREATE TABLE a (x);", "CREATE TABLE a (y);")
    with pytest.raises(StoreError):
        migrate(empty, (family,))
    mended = made(tmp_path / "made", "CREATE TABLE a (x);", "CREATE TABLE b (y);")
    assert migrate(empty, (mended,)) == ["made/0002_step2"]


def test_a_gap_in_the_numbers_is_refused(tmp_path: Path) -> None:
    family = made(tmp_path, "CREATE TABLE a (x);", "CREATE TABLE b (x);")
    (tmp_path / "0001_step1.sql").rename(tmp_path / "0003_step3.sql")
    (tmp_path / "README").write_text("no migration")
    with pytest.raises(ConfigError, match="made are not numbered 1 to 2"):
        family.steps()
