"""A founded box in a directory, as pytest fixtures: a real database and ledger, a clock that a test sets."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.ledger.keys import SigningKey
from appliance.school.roster import write_roster
from appliance.services.opening import OpenBox, found_box
from appliance.services.roster import ImportRoster
from appliance.store.people import PeopleStore
from tests.school.small import CODE, make_small
from tests.sim.clock import ManualClock

DATABASE_KEY = b"k" * 32
SCHOOL_NAME = "架空小学校"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def device_key() -> SigningKey:
    return SigningKey.make()


@pytest.fixture
def box(tmp_path: Path, device_key: SigningKey, clock: ManualClock) -> Iterator[OpenBox]:
    """A box of the small school, without its people."""
    box = found_box(tmp_path / "state", DATABASE_KEY, device_key, clock, str(CODE), SCHOOL_NAME)
    yield box
    box.database.close()


@pytest.fixture
def people(box: OpenBox) -> PeopleStore:
    """The people of the small school (``tests/school/small.py``), imported into the box."""
    people = PeopleStore(box.database)
    ImportRoster(box, people).run(write_roster(make_small()))
    return people
