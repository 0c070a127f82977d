"""A box as the first version of the program made it: the first migration of each family, and a ledger in its layout."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.clock import SystemClock
from appliance.ledger.keys import SigningKey
from appliance.services.opening import DATABASE_NAME
from appliance.store.database import Database
from appliance.store.ledger import OwnLedger
from appliance.store.migrate import Family, migrate
from appliance.store.schema import BOX_FAMILIES
from appliance.store.tree import INDEX_MASK, LEDGER_SHIFT, LEVEL_SHIFT
from appliance.store.vault import KEY_BYTES, Vault
from tests.sim.box import DATABASE_KEY
from tests.sim.durable.act import DEVICE_KEY, ORIGIN, Fact, append

ENTRIES: Final = 400


@dataclass(frozen=True)
class FirstVersion(Family):
    """A family when it had one migration."""

    def steps(self) -> list[tuple[int, str, str]]:
        return super().steps()[:1]


def prepare_old_ledger(folder: Path) -> Fact:
    """Makes the box in an empty folder; what its ledger holds."""
    key = SigningKey.make()
    (folder / DEVICE_KEY).write_bytes(key.pem())
    first = tuple(FirstVersion(one.name, one.folder) for one in BOX_FAMILIES)
    today_path = folder / "today.db"
    with (
        Database.create(today_path, DATABASE_KEY) as today,
        Database.create(folder / DATABASE_NAME, DATABASE_KEY) as old,
    ):
        migrate(today, BOX_FAMILIES)
        ledger = OwnLedger.add(today, Vault.of(today), ORIGIN, key.public).attach(key, SystemClock())
        fact = append(ledger, ENTRIES)
        migrate(old, first)
        _carry_back(today, old, ledger)
    today_path.unlink()
    return fact


def _carry_back(today: Database, old: Database, ledger: OwnLedger) -> None:
    vault, head = Vault.of(today), ledger.head()
    public_key, boot, boot_id = today.rows("SELECT public_key, boot, boot_id FROM ledger")[0]
    entries, body_keys, keys = [], [], b""
    for row, data, body, wrapped in today.rows("SELECT id, entry, body, keys FROM entry ORDER BY id"):
        keys = keys if wrapped is None else vault.unwrap(wrapped)
        entries.append((row >> LEDGER_SHIFT, row & INDEX_MASK, data, body))
        body_keys.append((*entries[-1][:2], vault.wrap(keys[:KEY_BYTES])))
        keys = keys[KEY_BYTES:]
    levels = (1 << LEDGER_SHIFT - LEVEL_SHIFT) - 1
    nodes = [
        (row >> LEDGER_SHIFT, row >> LEVEL_SHIFT & levels, row & (1 << LEVEL_SHIFT) - 1, digest)
        for row, digest in today.rows("SELECT id, hash FROM node ORDER BY id")
    ]
    with old.transaction() as transaction:
        transaction.run_many("INSERT INTO secret VALUES (?, ?)", today.rows("SELECT name, value FROM secret"))
        transaction.run(
            "INSERT INTO ledger VALUES (1, ?, ?, ?, x'', ?, ?, ?, ?, 0)",
            (ORIGIN, public_key, head.size, head.last_time_ms, boot, boot_id, head.checkpoint),
        )
        transaction.run_many("INSERT INTO entry VALUES (?, ?, ?, ?)", entries)
        transaction.run_many("INSERT INTO body_key VALUES (?, ?, ?)", body_keys)
        transaction.run_many("INSERT INTO node VALUES (?, ?, ?, ?)", nodes)
