"""A real encrypted database with every table of a box, and one ledger of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.ledger.keys import SigningKey
from appliance.store.database import Database
from appliance.store.ledger import OwnLedger
from appliance.store.migrate import migrate
from appliance.store.schema import BOX_FAMILIES
from tests.sim.box import DATABASE_KEY
from tests.sim.clock import ManualClock
from tests.store.notes import NOTE

ORIGIN = "madoguchi/1/B113299900018/box/1"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.create(tmp_path / "box.db", DATABASE_KEY) as database:
        migrate(database, BOX_FAMILIES)
        yield database


@pytest.fixture
def ledger(database: Database, device_key: SigningKey, clock: ManualClock) -> OwnLedger:
    return OwnLedger.add(database, ORIGIN, device_key.public).attach(device_key, clock)


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[Database]:
    """A database with nothing but a table of notes."""
    with Database.create(tmp_path / "notes.db", DATABASE_KEY) as database:
        database.script(NOTE)
        yield database
