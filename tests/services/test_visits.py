"""What staff see of the day: who came, for whom, and how far the record has come."""

from datetime import UTC, date, datetime, timedelta

import pytest

from appliance.ledger.entry import EntryType
from appliance.ledger.keys import SigningKey
from appliance.services.opening import OpenBox
from appliance.services.visits import Delivery, Visits
from appliance.store.appending import Draft
from appliance.store.people import PeopleStore
from appliance.store.visits import StoredVisit, VisitStore
from tests.sim.box import confirm

HUB = SigningKey.make()
DAY = datetime(2027, 1, 15, tzinfo=UTC)


@pytest.fixture
def visits(box: OpenBox, people: PeopleStore) -> Visits:
    return Visits(box, VisitStore(box.database), people)


def record(box: OpenBox, at: datetime, guardian: str = "mother") -> int:
    """A visit as the kiosk writes it, at a time of its own."""
    with box.ledger.append() as appending:
        recorded = appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {}))
        visit = StoredVisit(recorded, guardian, "visit", int(at.timestamp() * 1000))
        VisitStore(box.database).add(appending.transaction, visit)
    return recorded


def test_a_day_has_its_own_visits_latest_first(visits: Visits, box: OpenBox) -> None:
    hours = (timedelta(0), timedelta(hours=9), timedelta(hours=23, minutes=59, seconds=59), timedelta(days=1))
    entries = [record(box, DAY + one) for one in hours]
    found = visits.on(DAY, 0)
    assert [one.entry for one in found] == [entries[2], entries[1], entries[0]]
    assert [one.at for one in found] == [DAY + hours[2], DAY + hours[1], DAY]
    assert [one.entry for one in visits.on(DAY + timedelta(days=1), 0)] == [entries[3]]
    assert visits.on(DAY - timedelta(days=1), 0) == []


def test_who_came_for_whom(visits: Visits, box: OpenBox) -> None:
    record(box, DAY, "mother")
    record(box, DAY, "father")
    father, mother = visits.on(DAY, 0)
    assert mother.guardian is not None
    assert mother.guardian.name == "見本 母"
    assert {one.id for one in mother.pupils} == {"hana", "ren"}
    assert father.pupils == []  # his guardianship ended before that day


def test_the_children_are_those_of_the_day_of_the_visit(visits: Visits, box: OpenBox, people: PeopleStore) -> None:
    before = datetime(2026, 9, 1, 10, tzinfo=UTC)
    record(box, before, "father")
    (visit,) = visits.on(before.replace(hour=0), 0)
    assert {one.id for one in visit.pupils} == {"hana", "ren"}
    assert people.pupils_of("father", date(2026, 11, 1)) == []


def test_a_record_goes_from_recorded_to_received(visits: Visits, box: OpenBox) -> None:
    first, second, third = (record(box, DAY) for _ in range(3))

    def deliveries(sent_size: int) -> dict[int, Delivery]:
        return {one.entry: one.delivery for one in visits.on(DAY, sent_size)}

    assert set(deliveries(0).values()) == {Delivery.RECORDED}
    assert deliveries(second) == {first: Delivery.PENDING, second: Delivery.RECORDED, third: Delivery.RECORDED}
    confirm(box, second, HUB)
    assert deliveries(third) == {first: Delivery.RECEIVED, second: Delivery.PENDING, third: Delivery.RECORDED}
    # With the line down again nothing is known to be on its way; what was received stays received.
    assert deliveries(0) == {first: Delivery.RECEIVED, second: Delivery.RECORDED, third: Delivery.RECORDED}


def test_the_time_of_the_receipt_is_told(visits: Visits, box: OpenBox) -> None:
    first, _ = record(box, DAY), record(box, DAY)
    confirm(box, first + 1, HUB)
    second_told, first_told = visits.on(DAY, 0)
    assert second_told.received_ms is None
    assert first_told.received_ms == box.clock.now_ms()


def test_recorded_is_receipted_and_pending(visits: Visits, box: OpenBox) -> None:
    record(box, DAY)
    for size in (1, 2, box.ledger.head().size):
        confirm(box, size, HUB)
        totals = visits.totals()
        assert (totals.recorded, totals.receipted) == (box.ledger.head().size, size)
        assert totals.recorded == totals.receipted + totals.pending
