"""A new generation of the ledger names the end of the one before, and what refers to that one still finds it."""

from datetime import UTC, datetime, timedelta

import pytest

from appliance.errors import ConfigError
from appliance.ledger.checkpoint import open_checkpoint, open_cosignature
from appliance.ledger.entry import EntryType
from appliance.ledger.generation import Opening, Reason
from appliance.ledger.keys import SigningKey
from appliance.ledger.receipt import open_receipt
from appliance.services.generations import (
    GenerationError,
    begin_generation,
    find_generation,
    generations,
)
from appliance.services.opening import NotFoundedError, OpenBox, box_origin, open_box
from appliance.services.visits import Delivery, Visits
from appliance.store.appending import Draft
from appliance.store.database import Database
from appliance.store.evidence import EvidenceStore
from appliance.store.ledger import LedgerStore, OwnLedger
from appliance.store.people import PeopleStore
from appliance.store.visits import StoredVisit, VisitStore
from tests.sim.box import DATABASE_KEY, confirm
from tests.sim.clock import ManualClock

HUB, NEXT = SigningKey.make(), SigningKey.make()
DAY = datetime(2027, 1, 15, tzinfo=UTC)


def record(box: OpenBox, minute: int) -> int:
    with box.ledger.append() as appending:
        recorded = appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"minute": minute}))
        at_ms = int((DAY + timedelta(minutes=minute)).timestamp() * 1000)
        VisitStore(box.database).add(appending.transaction, StoredVisit(recorded, "mother", "visit", at_ms))
    return recorded


@pytest.fixture
def visited(box: OpenBox, people: PeopleStore) -> OpenBox:
    """Three visits, of which the hub has confirmed the first."""
    entries = [record(box, minute) for minute in range(3)]
    confirm(box, entries[0] + 1, HUB)
    return box


def go_on(box: OpenBox, clock: ManualClock, key: SigningKey = NEXT) -> OpenBox:
    begin_generation(box.database, key, clock, Reason.RESTORED, more={"backup": b"id"})
    return open_box(box.database.path.parent, DATABASE_KEY, key, clock)


def test_the_first_entry_names_the_end_of_the_ledger_before(visited: OpenBox, clock: ManualClock) -> None:
    size, root = visited.ledger.head().size, visited.ledger.frontier().root()
    box = go_on(visited, clock)
    assert box.school.origin == box_origin(box.school.code, 2)
    body = box.ledger.body(0)
    assert body is not None
    said = body.read()
    assert (said["origin"], said["key_id"]) == (box.school.origin, NEXT.public.key_id)
    assert (said["reason"], said["backup"]) == ("restored", b"id")
    before = said["previous"]
    assert (before["origin"], before["size"], before["root"]) == (visited.school.origin, size, root)
    assert open_checkpoint(before["checkpoint"], root, visited.school.origin, visited.ledger.public_key).size == size
    confirmed = before["confirmed"]
    older_root = visited.ledger.root_at(confirmed["size"])
    open_cosignature(confirmed["cosignature"], older_root, visited.school.origin, HUB.public)
    assert [(one.number, one.public_key.key_id) for one in generations(box.database)] == [
        (1, visited.ledger.public_key.key_id),
        (2, NEXT.public.key_id),
    ]
    box.database.close()


def test_the_earlier_ledger_stays_and_its_receipts_verify(visited: OpenBox, clock: ManualClock) -> None:
    box = go_on(visited, clock)
    earlier = find_generation(box, 1)
    assert earlier.head().size == visited.ledger.head().size
    receipt = earlier.receipt(earlier.head().size - 1)
    assert open_receipt(receipt, visited.school.origin, earlier.public_key, None).index == earlier.head().size - 1
    assert find_generation(box, 2) is box.ledger
    assert find_generation(box, None) is box.ledger
    with pytest.raises(GenerationError):
        find_generation(box, 3)
    box.database.close()


def test_visits_of_both_generations_are_shown_rightly(
    visited: OpenBox, clock: ManualClock, people: PeopleStore
) -> None:
    box = go_on(visited, clock)
    # As many entries as before, so that the same indices stand for other visits.
    entries = [record(box, minute) for minute in range(10, 20)]
    waiting = Visits(box, VisitStore(box.database), PeopleStore(box.database)).on(DAY, 2)
    # Two of the earlier ones were carried on, to the places 1 and 2, and the hub has seen one of them go by.
    assert [one.delivery for one in waiting[10:]] == [Delivery.RECORDED, Delivery.PENDING, Delivery.RECEIVED]
    confirm(box, entries[2] + 1, HUB)
    shown = Visits(box, VisitStore(box.database), PeopleStore(box.database)).on(DAY, entries[4] + 1)
    assert [one.at.minute for one in shown] == [*reversed(range(10, 20)), 2, 1, 0]
    assert len({(one.generation, one.entry) for one in shown}) == 13
    now, before = shown[:10], shown[10:]
    assert {one.generation for one in now} == {None}
    assert [one.delivery for one in reversed(now)] == [
        *[Delivery.RECEIVED] * 3,
        *[Delivery.PENDING] * 2,
        *[Delivery.RECORDED] * 5,
    ]
    assert {one.generation for one in before} == {1}
    assert [one.delivery for one in before] == [Delivery.RECEIVED] * 3
    assert all(one.received_ms is not None for one in before)
    assert {one.guardian.id for one in shown if one.guardian is not None} == {"mother"}
    box.database.close()


def test_what_an_older_version_did_not_carry_is_kept(
    visited: OpenBox, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = go_on(visited, clock)

    def as_it_was(ledger: LedgerStore) -> Opening | None:
        body = ledger.body(0)
        assert body is not None
        return Opening.read({name: value for name, value in body.read().items() if name != "carried"})

    monkeypatch.setattr("appliance.services.carriage.opening_of", as_it_was)
    shown = Visits(box, VisitStore(box.database), PeopleStore(box.database)).on(DAY, 100)
    assert [one.delivery for one in shown] == [Delivery.KEPT, Delivery.KEPT, Delivery.RECEIVED]
    box.database.close()


def test_what_only_the_ledger_before_has_introduced_is_introduced_anew(visited: OpenBox, clock: ManualClock) -> None:
    store = EvidenceStore(visited.database)
    with visited.database.transaction() as transaction:
        store.add_certificate(transaction, b"known", 2)
        transaction.run("INSERT INTO evidence_epoch VALUES (x'00', x'00', 1)")
        transaction.run("INSERT INTO evidence VALUES (x'01', x'00', x'02', 2, 1)")
        transaction.run("INSERT INTO enrolment VALUES (1, '{}', 1)")
    box = go_on(visited, clock)
    with box.database.transaction() as transaction:
        assert store.certificate(transaction, b"known") is None
        # The evidence of the earlier entry does not go with the entry that has its index now.
        assert store.delete(transaction, 2) == 0
    assert box.database.rows("SELECT generation FROM evidence") == [(1,)]
    assert box.database.rows("SELECT * FROM enrolment") == []
    box.database.close()


def test_a_generation_that_was_cut_short_is_begun_by_the_next_call(visited: OpenBox, clock: ManualClock) -> None:
    OwnLedger.add(visited.database, box_origin(visited.school.code, 2), NEXT.public)
    with pytest.raises(ConfigError, match="device key"):
        begin_generation(visited.database, SigningKey.make(), clock, Reason.ROLLED_BACK)
    box = go_on(visited, clock)
    assert box.ledger.head().size == 3  # with the two visits that nobody confirmed
    third = begin_generation(box.database, NEXT, clock, Reason.ROLLED_BACK)
    assert third == box_origin(box.school.code, 3)
    box.database.close()


def test_what_belongs_to_no_school_has_no_generations(database: Database, clock: ManualClock) -> None:
    with pytest.raises(NotFoundedError):
        begin_generation(database, NEXT, clock, Reason.RESTORED)
    with pytest.raises(NotFoundedError):
        generations(database)


@pytest.fixture
def database(box: OpenBox) -> Database:
    """A database in order that no school has been written into."""
    with box.database.transaction() as transaction:
        transaction.run("DELETE FROM school")
    return box.database
