"""The reserve on a real small disk: allocated, given up when nothing else helps, filled again."""

from pathlib import Path

import pytest

from appliance.ledger.entry import EntryType
from appliance.ledger.keys import SigningKey
from appliance.store.appending import Draft
from appliance.store.database import Database
from appliance.store.faults import DiskFullError
from appliance.store.ledger import OwnLedger
from appliance.store.migrate import migrate
from appliance.store.reserve import MOST_BYTES, SHARE, Reserve
from appliance.store.schema import BOX_FAMILIES
from tests.sim.box import DATABASE_KEY
from tests.sim.clock import ManualClock
from tests.sim.ext4 import fill, small_ext4
from tests.store.conftest import ORIGIN


def test_it_is_really_allocated_and_whoever_may_write_the_database_may_use_it(tmp_path: Path) -> None:
    database = tmp_path / "box.db"
    database.touch(mode=0o660)
    database.chmod(0o660)
    reserve = Reserve(database)
    assert not reserve.given_up
    assert not reserve.give_up()  # nothing there yet
    assert reserve.keep()
    found = reserve.path.stat()
    assert found.st_blocks * 512 >= found.st_size > 0
    assert found.st_size <= MOST_BYTES
    assert found.st_mode & 0o777 == 0o660
    assert reserve.give_up()
    assert Reserve(database).given_up
    assert not reserve.give_up()
    assert Reserve(database).keep()
    assert not Reserve(database).given_up


def test_on_a_full_disk_an_erasure_and_a_checkpoint_have_its_room(
    tmp_path: Path, device_key: SigningKey, clock: ManualClock
) -> None:
    with small_ext4(tmp_path, megabytes=48) as folder, Database.create(folder / "box.db", DATABASE_KEY) as database:
        migrate(database, BOX_FAMILIES)
        ledger = OwnLedger.add(database, ORIGIN, device_key.public).attach(device_key, clock)
        for number in range(20):
            append(ledger, bytes([number]) * 4096)
        reserve = Reserve(database.path)
        assert reserve.keep()
        assert reserve.path.stat().st_size < (48 << 20) // SHARE
        checkpoint(database)  # the log is short again: whatever is written next has to grow it
        filler = fill(folder)
        size = ledger.head().size
        with pytest.raises(DiskFullError):
            append(ledger, bytes(1 << 20))
        with pytest.raises(DiskFullError):
            erase_all(ledger, size)
        assert ledger.head().size == size
        assert database.check() == []
        assert reserve.give_up()
        assert len(erase_all(ledger, size)) == size
        checkpoint(database)
        assert database.check() == []
        fill(folder)
        assert not reserve.keep()  # no room for it
        assert reserve.given_up
        filler.unlink()
        assert reserve.keep()


def append(ledger: OwnLedger, content: bytes) -> None:
    with ledger.append() as appending:
        appending.add(Draft(EntryType.LEDGER_OPENED, {"content": content}))


def erase_all(ledger: OwnLedger, size: int) -> list[int]:
    with ledger.append() as appending:
        return appending.erase(range(size), "test")


def checkpoint(database: Database) -> None:
    found = database.row("PRAGMA wal_checkpoint(TRUNCATE)")
    assert found is not None
    assert found[0] == 0
