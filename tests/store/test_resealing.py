"""Bodies of a database from before ``body_keys`` open after the migration, and nothing else does."""

import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.keywrap import aes_key_wrap

from appliance.ledger.entry import Body
from appliance.store.bodies import Bodies
from appliance.store.database import Database
from appliance.store.migrate import migrate
from appliance.store.resealing import NO_KEY, ROWS_AT_ONCE, WRAPPING_KEY
from appliance.store.schema import LEDGER
from appliance.store.seal import SealError, seal_with
from appliance.store.tree import entry_id
from tests.sim.box import DATABASE_KEY
from tests.store.test_migrate import up_to

ORIGINS = {1: "madoguchi/1/B113299900018/box/1", 2: "madoguchi/1/B113299900018/feed/1"}
BLOCK = 128
COUNT = ROWS_AT_ONCE + BLOCK + 3
ERASED, NEVER_CAME, DAMAGED = 5, 130, 200


def plain(ledger: int, index: int) -> bytes:
    return f"{ledger}-{index}".encode().rjust(16, b"-") + b"content"


def older(path: Path) -> Database:
    """Two ledgers as step 3 kept them: keys in blocks on the first of their entries, wrapped."""
    database = Database.create(path, DATABASE_KEY)
    migrate(database, (up_to(LEDGER, 3, path.with_suffix(".old")),))
    wrapping_key = os.urandom(32)
    with database.transaction() as transaction:
        transaction.run("INSERT INTO secret VALUES (?, ?)", (WRAPPING_KEY, wrapping_key))
        for number, origin in ORIGINS.items():
            transaction.run("INSERT INTO ledger (id, origin, public_key) VALUES (?, ?, x'00')", (number, origin))
            for first in range(0, COUNT, BLOCK):
                indices = range(first, min(COUNT, first + BLOCK))
                keys = [NO_KEY if index in (ERASED, NEVER_CAME) else os.urandom(32) for index in indices]
                for index, key in zip(indices, keys, strict=True):
                    sealed = seal_with(key, plain(number, index), f"{origin}#{index}".encode())
                    body = None if key == NO_KEY else b"damaged" if index == DAMAGED else sealed
                    wrapped = aes_key_wrap(wrapping_key, b"".join(keys)) if index == first else None
                    row = (entry_id(number, index), b"entry", body, wrapped, None)
                    transaction.run("INSERT INTO entry VALUES (?, ?, ?, ?, ?)", row)
    return database


def test_every_body_is_sealed_anew(tmp_path: Path) -> None:
    with older(tmp_path / "box.db") as database:
        assert [name[:11] for name in migrate(database, (LEDGER,))] == ["ledger/0004", "ledger/0005", "ledger/0006"]
        for number, origin in ORIGINS.items():
            bodies = Bodies(database, number, origin)
            stored = database.rows(
                "SELECT id, body FROM entry WHERE id >= ? AND id < ? ORDER BY id",
                (entry_id(number, 0), entry_id(number + 1, 0)),
            )
            assert len(stored) == COUNT
            for index, (row, body) in enumerate(stored):
                assert row == entry_id(number, index)
                if index in (ERASED, NEVER_CAME):
                    assert body is None
                elif index == DAMAGED:
                    assert body == b"damaged"
                    with pytest.raises(SealError):
                        bodies.open(index, body)
                else:
                    kept = plain(number, index)
                    assert bodies.open(index, body) == Body(kept[:16], kept[16:])
        assert database.rows("SELECT * FROM secret") == []
        assert "keys" not in [row[1] for row in database.rows("PRAGMA table_info(entry)")]
        assert database.check() == []
