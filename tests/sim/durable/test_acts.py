"""Acts that nobody interrupts keep their promise, and what is missing afterwards is noticed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.services.opening import DATABASE_NAME
from appliance.store.database import Database
from appliance.store.migrate import SchemaTooOldError, check_schema
from appliance.store.schema import BOX_FAMILIES
from tests.sim.box import DATABASE_KEY
from tests.sim.durable.act import Act, Fact, LostError, UnusableError, opened
from tests.sim.durable.acts import ACTS, Append, Erase, Migrate
from tests.sim.durable.controls import CONTROLS, act_named
from tests.sim.durable.founding import CERTIFICATE, KEYS, STATE, FoundBox, FoundHub, Founding


class Heard:
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.begun = 0
        self.facts: list[Fact] = []

    def begins(self) -> None:
        self.begun += 1

    def done(self, fact: Fact) -> None:
        self.facts.append(fact)
        assert self.begun == len(self.facts)


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
