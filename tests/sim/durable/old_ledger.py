"""A box as the first version of the program made it: the first migration of each family, and a ledger in its layout."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from appliance.clock import SystemClock
from appliance.ledger.keys import SigningKey
from appliance.services.opening import DATABASE_NAME
from appliance.store.database import Database
from appliance.store.ledger import OwnLedger
from appliance.store.migrate import Family, migrate
from appliance.store.resealing import WRAPPING_KEY
from appliance.store.schema import BOX_FAMILIES
from appliance.store.seal import KEY_BYTES, seal_with
from appliance.store.tree import LEDGER_SHIFT, LEVEL_SHIFT
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
        ledger = OwnLedger.add(today, ORIGIN, key.public).attach(key, SystemClock())
        fact = append(ledger, ENTRIES)
        migrate(old, first)
        _carry_back(today, old, ledger)
    today_path.unlink()
    return fact


def _carry_back(today: Database, old: Database, ledger: OwnLedger) -> None:
    """Each body was under a key of its own, which lay wrapped (AES-KW, RFC 3394) in a table of its own."""
    head, wrapping_key = ledger.head(), os.urandom(KEY_BYTES)
    public_key, (boot, boot_id) = ledger.public_key.pem(), today.rows("SELECT boot, boot_id FROM ledger")[0]
    entries, body_keys = [], []
    for index, item in enumerate(ledger.items(0, head.size)):
        assert item.body is not None
        key = os.urandom(KEY_BYTES)
        body = seal_with(key, item.body.salt + item.body.content, f"{ORIGIN}#{index}".encode())
        entries.append((1, index, item.entry, body))
        body_keys.append((1, index, aes_key_wrap(wrapping_key, key)))
    levels = (1 << LEDGER_SHIFT - LEVEL_SHIFT) - 1
    nodes = [
        (1, row >> LEVEL_SHIFT & levels, row & (1 << LEVEL_SHIFT) - 1, digest)
        for row, digest in today.rows("SELECT id, hash FROM node ORDER BY id")
    ]
    with old.transaction() as transaction:
        transaction.run("INSERT INTO secret VALUES (?, ?)", (WRAPPING_KEY, wrapping_key))
        transaction.run(
            "INSERT INTO ledger VALUES (1, ?, ?, ?, x'', ?, ?, ?, ?, 0)",
            (ORIGIN, public_key, head.size, head.last_time_ms, boot, boot_id, head.checkpoint),
        )
        transaction.run_many("INSERT INTO entry VALUES (?, ?, ?, ?)", entries)
        transaction.run_many("INSERT INTO body_key VALUES (?, ?, ?)", body_keys)
        transaction.run_many("INSERT INTO node VALUES (?, ?, ?, ?)", nodes)
