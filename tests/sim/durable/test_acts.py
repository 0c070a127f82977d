"""Acts that nobody interrupts keep their promise, and what is missing afterwards is noticed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.services.founding import DATABASE_KEY as DATABASE_KEY_NAME
from appliance.services.opening import DATABASE_NAME
from appliance.store.database import Database
from appliance.store.migrate import SchemaTooOldError, check_schema
from appliance.store.schema import BOX_FAMILIES
from tests.sim.box import DATABASE_KEY
from tests.sim.durable.act import Act, Fact, LostError, UnusableError, opened
from tests.sim.durable.acts import ACTS, Append, Erase, Migrate
from tests.sim.durable.backing_up import OUT, BackUp, restore
from tests.sim.durable.controls import CONTROLS, act_named
from tests.sim.durable.founding import CERTIFICATE, KEYS, STATE, FoundBox, FoundHub, Founding
from tests.sim.durable.rekey import KEYS as REKEYED
from tests.sim.durable.rekey import Rekey


class Heard:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.begun = self.ended = 0
        self.facts: list[Fact] = []

    def begins(self) -> None:
        self.begun += 1

    def done(self, fact: Fact) -> None:
        self.facts.append(fact)
        self.ended += 1
        assert self.begun == self.ended

    def also(self, fact: Fact) -> None:
        self.facts.append(fact)


def done(act: Act, folder: Path, times: int = 3) -> list[Fact]:
    """What is promised after an act."""
    facts, heard = act.prepare(folder), Heard()
    act.run(folder, heard, times)
    assert heard.facts
    return facts + heard.facts


def entries(facts: list[Fact]) -> list[list[object]]:
    return [entry for fact in facts for entry in fact.get("entries", [])]


@pytest.mark.parametrize("act", ACTS, ids=lambda act: str(act.name))
def test_an_act_keeps_its_promise(act: Act, tmp_path: Path) -> None:
    facts = done(act, tmp_path)
    again = act.check(tmp_path, facts)
    assert [entry[:2] for entry in entries(again)][: len(entries(facts))] == [entry[:2] for entry in entries(facts)]
    act.check(tmp_path, facts + again)


def test_every_act_has_its_name() -> None:
    acts = (*ACTS, *CONTROLS)
    assert len({act.name for act in acts}) == len(acts)
    assert all(act_named(act.name) is act for act in acts)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda entry: [999, *entry[1:]], "entry 999 is not there"),
        (lambda entry: [entry[0], "00", entry[2]], "is another"),
        (lambda entry: [*entry[:2], "00"], "is another"),
        (lambda entry: [*entry[:2], None], "is another"),
    ],
    ids=["beyond", "entry", "body", "erased"],
)
def test_an_entry_that_is_not_what_was_promised_is_lost(
    tmp_path: Path, spoil: Callable[[list[object]], list[object]], said: str
) -> None:
    facts = done(Append(), tmp_path)
    with pytest.raises(LostError, match=said):
        Append().check(tmp_path, [*facts, {"entries": [spoil(entries(facts)[-1])]}])


def test_a_body_may_go_where_the_act_erases_and_never_comes_back(tmp_path: Path) -> None:
    act, facts = Erase(), done(Erase(), tmp_path)
    there = act.check(tmp_path, facts)
    assert [body is None for _, _, body in entries(there)[:5]] == [True, True, True, False, False]
    with pytest.raises(LostError, match="entry 0 is another"):
        Append().check(tmp_path, facts)
    with pytest.raises(LostError, match="erased and is there"):
        act.check(tmp_path, [*facts, {"entries": [], "erased": 3}])
    other = tmp_path / "other"
    other.mkdir()
    index, leaf, _ = entries(act.prepare(other))[1]
    with pytest.raises(LostError, match="entry 1 is another"):
        act.check(other, [{"entries": [[index, leaf, None]]}])


def test_a_ledger_that_does_not_verify_is_of_no_use(tmp_path: Path) -> None:
    done(Append(), tmp_path)
    with opened(tmp_path) as (database, _), database.transaction() as transaction:
        transaction.run("DROP TRIGGER entry_is_never_deleted")
        transaction.run("DELETE FROM entry WHERE id & 0xfffffffffff = 2")
    with pytest.raises(UnusableError, match="verify"):
        Append().check(tmp_path, [])


def test_a_migration_begins_at_the_first_version(tmp_path: Path) -> None:
    act = Migrate()
    facts = act.prepare(tmp_path)
    with Database.open(tmp_path / DATABASE_NAME, DATABASE_KEY) as database:
        assert database.rows("SELECT family, number FROM migration ORDER BY family") == [("box", 1), ("ledger", 1)]
    with pytest.raises(SchemaTooOldError):
        act.check(tmp_path, [*facts, {"migrated": True}])
    assert len(entries(act.check(tmp_path, facts))) > len(entries(facts)) > 100
    with Database.open(tmp_path / DATABASE_NAME, DATABASE_KEY) as database:
        check_schema(database, BOX_FAMILIES)


@pytest.mark.parametrize(
    ("act", "key", "spoiled"),
    [(FoundBox(), "line.key", CERTIFICATE), (FoundHub(), "hub-ca.key", f"{STATE}/broker.crt")],
    ids=["box", "hub"],
)
def test_what_is_missing_after_a_founding_is_noticed(act: Founding, key: str, spoiled: str, tmp_path: Path) -> None:
    facts = done(act, tmp_path)
    (tmp_path / spoiled).write_bytes(b"")
    with pytest.raises(LostError):
        act.check(tmp_path, facts)
    with pytest.raises(UnusableError):
        act.check(tmp_path, [])
    (tmp_path / KEYS / key).unlink()
    with pytest.raises(LostError, match="key"):
        act.check(tmp_path, facts)


def newest_of(folder: Path, kind: str) -> Path:
    return max((folder / OUT).glob(f"*.{kind}"))


def test_a_second_key_that_opens_is_noticed(tmp_path: Path) -> None:
    act = Rekey()
    facts = done(act, tmp_path)
    key = tmp_path / REKEYED / DATABASE_KEY_NAME
    with pytest.raises(LostError, match="was replaced opens"):
        act.check(tmp_path, [*facts, {"retired": key.read_bytes().hex()}])
    key.with_name(f"{DATABASE_KEY_NAME}.next").write_bytes(key.read_bytes())
    with pytest.raises(LostError, match="2 of 2 keys open"):
        act.check(tmp_path, facts)
    for one in (key, key.with_name(f"{DATABASE_KEY_NAME}.next")):
        one.write_bytes(b"x" * 32)
    with pytest.raises(LostError, match="0 of 2 keys open"):
        act.check(tmp_path, facts)


def test_a_rotation_that_stopped_in_the_middle_is_ended_by_the_check(tmp_path: Path) -> None:
    act = Rekey()
    facts = done(act, tmp_path)
    key = tmp_path / REKEYED / DATABASE_KEY_NAME
    old, new = key.read_bytes(), b"n" * 32
    key.with_name(f"{DATABASE_KEY_NAME}.next").write_bytes(new)
    again = act.check(tmp_path, facts)
    assert [path.read_bytes() for path in key.parent.iterdir()] == [new]
    assert again[-1] == {"retired": old.hex()}


def test_entries_that_others_append_beside_an_act_are_promised_too(tmp_path: Path) -> None:
    for act in (Rekey(), BackUp()):
        folder = tmp_path / act.name
        folder.mkdir()
        promised = act.prepare(folder)
        with act.beside(folder) as beside:
            act.run(folder, Heard(), 2)
        assert beside
        there = entries(act.check(folder, promised + beside))
        assert all(entry in there for entry in entries(beside))


@pytest.mark.parametrize(
    ("spoil", "error", "said"),
    [
        (lambda folder: newest_of(folder, "backup").unlink(), LostError, "is not there"),
        (lambda folder: newest_of(folder, "keys").unlink(), LostError, "nothing opens the bodies"),
        (lambda folder: newest_of(folder, "keys").write_bytes(b""), UnusableError, "keys is not whole"),
        (lambda folder: truncate(newest_of(folder, "backup")), UnusableError, "backup is not whole"),
    ],
    ids=["backup", "keys", "empty", "torn"],
)
def test_a_backup_that_is_not_what_was_promised_is_noticed(
    tmp_path: Path, spoil: Callable[[Path], None], error: type[Exception], said: str
) -> None:
    act = BackUp()
    facts = done(act, tmp_path, 2)
    spoil(tmp_path)
    with pytest.raises(error, match=said):
        act.check(tmp_path, facts)


def test_keys_that_come_back_and_entries_that_a_backup_lacks_are_noticed(tmp_path: Path) -> None:
    act = BackUp()
    facts = done(act, tmp_path, 1)
    keys = newest_of(tmp_path, "keys")
    old = keys.read_bytes()
    facts = act.check(tmp_path, facts)
    (tmp_path / OUT / keys.name).write_bytes(old)
    with pytest.raises(LostError, match="keys that were removed"):
        act.check(tmp_path, facts)
    keys.unlink()
    with pytest.raises(LostError, match="ends before 99999"):
        act.check(tmp_path, [*facts, {**facts[-1], "least": 99999}])
    with pytest.raises(LostError, match="entry 0 is another in"):
        restore(
            tmp_path,
            newest_of(tmp_path, "backup").name,
            newest_of(tmp_path, "keys").name,
            [{"entries": [[0, "00", None]]}],
        )


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])
