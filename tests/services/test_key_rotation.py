"""A new key for the database: what it leaves behind, wherever it is interrupted, and what it refuses."""

import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.config import CredentialSource
from appliance.services import key_rotation as module
from appliance.services.founding import DATABASE_KEY
from appliance.services.key_rotation import (
    KeyRotation,
    NoRoomToRotateError,
    Stage,
    StillReadError,
)
from appliance.services.successor import RotationRunningError, Successor, SuccessorAbsentError
from appliance.store.database import Database
from appliance.store.faults import StoreError, WrongKeyError

KEY = b"k" * 32
NEXT = b"n" * 32


class PulledError(Exception):
    """What a test raises where the power goes."""


class Keys:
    """The folder of credentials and the database that one of them opens."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.path = folder / "keys", folder / "state" / "notes.db"
        self.folder.mkdir()
        self.path.parent.mkdir()
        self.key, self.next = self.folder / DATABASE_KEY, self.folder / f"{DATABASE_KEY}.next"
        self.key.write_bytes(KEY)

    @property
    def opening(self) -> list[bytes]:
        """Which of the keys that are there open the database."""
        found = []
        for file in (self.key, self.next):
            if not file.exists():
                continue
            try:
                Database.open(self.path, file.read_bytes()).close()
            except WrongKeyError:
                continue
            found.append(file.read_bytes())
        return found

    def rotation(self, tell: Callable[[Stage, int], None] | None = None) -> KeyRotation:
        return KeyRotation(self.path, DATABASE_KEY, tell)

    def pulled_at(self, stage: Stage) -> None:
        """A rotation that ends as soon as this is reached."""

        def tell(reached: Stage, _: int) -> None:
            if reached is stage:
                raise PulledError

        with pytest.raises(PulledError):
            self.rotation(tell).run()


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Keys:
    keys = Keys(tmp_path)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(keys.folder))
    return keys


@pytest.fixture
def database(keys: Keys) -> Iterator[Database]:
    """As a program has it that goes on meanwhile."""
    with Database.create(keys.path, CredentialSource(DATABASE_KEY)) as database:
        database.script("CREATE TABLE note (id INTEGER PRIMARY KEY, text TEXT)")
        note(database, "before")
        yield database


def note(database: Database, text: str) -> None:
    with database.transaction() as transaction:
        transaction.run("INSERT INTO note (text) VALUES (?)", (text,))


def notes(database: Database) -> list[str]:
    return [row[0] for row in database.rows("SELECT text FROM note ORDER BY id")]


def test_a_new_key_takes_the_place_of_the_old_one(keys: Keys, database: Database) -> None:
    stages: list[tuple[Stage, int]] = []
    keys.rotation(lambda stage, percent: stages.append((stage, percent))).run()
    assert stages == [
        (Stage.MADE, 0),
        (Stage.REWRITTEN, 100),
        (Stage.EMPTIED, 100),
        (Stage.CHECKED, 100),
    ]
    assert [file.name for file in keys.folder.iterdir()] == [DATABASE_KEY]
    assert stat.S_IMODE(keys.key.stat().st_mode) == 0o600
    new = keys.key.read_bytes()
    assert (len(new), new == KEY) == (32, False)
    assert keys.opening == [new]
    with pytest.raises(WrongKeyError):
        Database.open(keys.path, KEY)
    note(database, "after")
    assert notes(database) == ["before", "after"]


def test_nothing_under_the_old_key_is_left_in_the_wal(keys: Keys, database: Database) -> None:
    sizes: list[int] = []

    def tell(stage: Stage, _: int) -> None:
        if stage is Stage.EMPTIED:
            sizes.append(keys.path.with_name("notes.db-wal").stat().st_size)

    note(database, "in the WAL")
    keys.rotation(tell).run()
    assert sizes == [0]


def test_each_change_makes_another_key(keys: Keys, database: Database) -> None:
    seen = {KEY}
    for _ in range(3):
        keys.rotation().run()
        seen.add(keys.key.read_bytes())
        assert notes(database) == ["before"]
    assert len(seen) == 4


@pytest.mark.parametrize("stage", [Stage.MADE, Stage.REWRITTEN, Stage.EMPTIED, Stage.CHECKED])
def test_an_interrupted_change_is_brought_to_its_end(keys: Keys, database: Database, stage: Stage) -> None:
    keys.pulled_at(stage)
    successor = keys.next.read_bytes()
    assert keys.opening == [KEY if stage is Stage.MADE else successor]
    assert keys.rotation().unfinished
    note(database, "between")
    keys.rotation().run()
    assert keys.opening == [successor]
    assert not keys.next.exists()
    assert not keys.rotation().unfinished
    assert notes(database) == ["before", "between"]


@pytest.mark.parametrize("stage", [Stage.REWRITTEN, Stage.EMPTIED, Stage.CHECKED])
def test_a_start_ends_what_was_rewritten_already(keys: Keys, database: Database, stage: Stage) -> None:
    keys.pulled_at(stage)
    successor = keys.next.read_bytes()
    assert keys.rotation().finish()
    assert (keys.key.read_bytes(), keys.next.exists()) == (successor, False)
    assert notes(database) == ["before"]
    assert not keys.rotation().finish()


def test_a_start_rewrites_nothing(keys: Keys, database: Database) -> None:
    assert not keys.rotation().finish()
    keys.pulled_at(Stage.MADE)
    assert not keys.rotation().finish()
    assert keys.opening == [KEY]
    assert keys.next.exists()
    assert notes(database) == ["before"]


@pytest.mark.parametrize("left", [b"", b"half a key"])
def test_what_is_no_key_is_replaced(keys: Keys, database: Database, left: bytes) -> None:
    keys.next.write_bytes(left)
    keys.next.with_suffix(".making").write_bytes(left)
    assert notes(database) == ["before"]
    keys.rotation().run()
    assert [file.name for file in keys.folder.iterdir()] == [DATABASE_KEY]
    assert len(keys.key.read_bytes()) == 32
    assert notes(database) == ["before"]


def test_keys_of_which_neither_opens_it_are_left_alone(keys: Keys, database: Database) -> None:
    database.close()
    keys.key.write_bytes(b"x" * 32)
    keys.next.write_bytes(NEXT)
    with pytest.raises(WrongKeyError):
        keys.rotation().run()
    assert (keys.key.read_bytes(), keys.next.read_bytes()) == (b"x" * 32, NEXT)


@pytest.mark.usefixtures("database")
def test_two_at_once_are_one_too_many(keys: Keys) -> None:
    seen: list[bool] = []

    def tell(stage: Stage, _: int) -> None:
        if stage is Stage.MADE:
            with pytest.raises(RotationRunningError):
                keys.rotation().run()
            seen.append(keys.rotation().unfinished)  # somebody is at work on it
            seen.append(keys.rotation().finish())

    keys.rotation(tell).run()
    assert seen == [False, False]
    assert keys.opening == [keys.key.read_bytes()]


@pytest.mark.usefixtures("database")
def test_without_room_nothing_is_begun(keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SPARE_BYTES", 1 << 60)
    with pytest.raises(NoRoomToRotateError) as refused:
        keys.rotation().run()
    assert int(str(refused.value.fields["need_mb"])) > int(str(refused.value.fields["free_mb"])) > 0
    assert [file.name for file in keys.folder.iterdir()] == [DATABASE_KEY]
    assert keys.opening == [KEY]


def test_sealed_keys_are_made_and_replaced_by_who_seals_them(
    keys: Keys, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Successor, "sealed", property(lambda _: True))
    with pytest.raises(SuccessorAbsentError):
        keys.rotation().run()
    keys.next.write_bytes(NEXT)
    for _ in range(2):
        keys.rotation().run()
        assert keys.opening == [NEXT]
        assert (keys.key.read_bytes(), keys.next.read_bytes()) == (KEY, NEXT)
        assert not keys.rotation().finish()
    keys.key.write_bytes(NEXT)  # sealed anew, and then the power went
    keys.rotation().run()
    assert notes(database) == ["before"]


def test_a_folder_that_can_be_written_is_not_sealed(keys: Keys) -> None:
    assert not keys.rotation().sealed


def test_an_older_state_that_is_read_for_ever_is_told(
    keys: Keys, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PATIENCE_S", 0.0)
    database.script("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000)"
                    " INSERT INTO note (text) SELECT i FROM n")  # fmt: skip
    reading = database.each("SELECT text FROM note")
    next(reading)
    with pytest.raises(StillReadError):
        keys.rotation().run()
    assert keys.opening == [keys.next.read_bytes()]
    assert keys.rotation().unfinished
    assert len(list(reading)) == 2001 - 1
    keys.rotation().run()
    assert not keys.next.exists()


@pytest.mark.usefixtures("database")
def test_a_page_that_is_not_sound_under_the_new_key_keeps_both_keys(keys: Keys) -> None:
    def damage(stage: Stage, _: int) -> None:
        if stage is Stage.EMPTIED:
            raw = bytearray(keys.path.read_bytes())
            raw[4096 + 2000] ^= 1
            keys.path.write_bytes(raw)

    with pytest.raises(StoreError, match="page 2"):
        keys.rotation(damage).run()
    assert keys.next.exists()
