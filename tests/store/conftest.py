"""A real encrypted database with one ledger of its own."""

from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path

import pytest

from appliance.ledger.keys import SigningKey
from appliance.store.database import Database
from appliance.store.ledger import OwnLedger
from appliance.store.migrate import Family, migrate
from appliance.store.vault import Vault
from tests.sim.clock import ManualClock

LEDGER_FAMILY = Family("ledger", files("appliance.store") / "migrations" / "ledger")
ORIGIN = "madoguchi/1/B113299900018/box/1"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def device_key() -> SigningKey:
    return SigningKey.make()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    with Database.create(tmp_path / "box.db", b"k" * 32) as database:
        migrate(database, (LEDGER_FAMILY,))
        yield database


@pytest.fixture
def vault(database: Database) -> Vault:
    return Vault.of(database)


@pytest.fixture
def ledger(database: Database, vault: Vault, device_key: SigningKey, clock: ManualClock) -> OwnLedger:
    return OwnLedger.add(database, vault, ORIGIN, device_key.public).attach(device_key, clock)
