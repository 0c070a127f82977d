"""The box's list of who was at the kiosk."""

import pytest

from appliance.store.database import Database
from appliance.store.faults import ConstraintError
from appliance.store.visits import StoredVisit, VisitStore


@pytest.fixture
def visits(database: Database) -> VisitStore:
    with database.transaction() as transaction:
        transaction.run("INSERT INTO person VALUES ('mother', 'guardian', '見本 母', '', '', NULL, 0, 1)")
    return VisitStore(database)


def add(visits: VisitStore, database: Database, *many: StoredVisit) -> None:
    with database.transaction() as transaction:
        for one in many:
            visits.add(transaction, one)


def test_visits_of_a_span_come_latest_first(visits: VisitStore, database: Database) -> None:
    many = [StoredVisit(entry, "mother", "visit", at_ms) for entry, at_ms in ((3, 99), (4, 100), (7, 199), (9, 200))]
    add(visits, database, *many)
    assert visits.between(100, 200) == [many[2], many[1]]
    assert visits.between(0, 1_000) == many[::-1]
    assert visits.between(201, 1_000) == []


def test_an_entry_is_one_visit_of_a_person_of_the_roster(visits: VisitStore, database: Database) -> None:
    add(visits, database, StoredVisit(3, "mother", "visit", 1))
    for wrong in (StoredVisit(3, "mother", "visit", 2), StoredVisit(4, "stranger", "visit", 2)):
        with pytest.raises(ConstraintError):
            add(visits, database, wrong)
    assert visits.between(0, 10) == [StoredVisit(3, "mother", "visit", 1)]
