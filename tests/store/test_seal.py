"""Sealed bytes open with their key in their place, and secrets are made once."""

import os

import pytest

from appliance.store.database import Database
from appliance.store.seal import KEY_BYTES, SealError, open_with, read_secret, seal_with
from tests.sim.box import DATABASE_KEY

PLAIN = "見本 花子".encode()


def test_what_was_sealed_opens_in_its_place() -> None:
    key = os.urandom(KEY_BYTES)
    sealed = seal_with(key, PLAIN, b"ledger#1")
    assert PLAIN not in sealed
    assert open_with(key, sealed, b"ledger#1") == PLAIN


@pytest.mark.parametrize("bit", [0, 7, -1])
def test_damaged_swapped_or_foreign_bytes_do_not_open(bit: int) -> None:
    key, other = os.urandom(KEY_BYTES), os.urandom(KEY_BYTES)
    sealed = seal_with(key, PLAIN, b"a")
    flipped = bytearray(sealed)
    flipped[bit] ^= 1
    for attempt in (
        (key, bytes(flipped), b"a"),
        (other, sealed, b"a"),
        (key, sealed, b"b"),
        (key, sealed[:-1], b"a"),
        (key, b"", b"a"),
        (b"", sealed, b"a"),
    ):
        with pytest.raises(SealError):
            open_with(*attempt)


def test_a_secret_is_made_once(database: Database) -> None:
    with database.transaction() as transaction:
        first, again, other = (read_secret(transaction, name) for name in ("one", "one", "two"))
    assert first == again != other
    assert len(first) == len(other) == 32
    with Database.open(database.path, DATABASE_KEY) as elsewhere, elsewhere.transaction() as transaction:
        assert read_secret(transaction, "one") == first
