"""Sealed bodies: each under its own key, each in its own place."""

from pathlib import Path

import pytest

from appliance.store.database import Database
from appliance.store.migrate import migrate
from appliance.store.schema import LEDGER
from appliance.store.vault import KEY_BYTES, SealError, Vault, fresh_keys, open_with, read_secret, seal_with
from tests.sim.box import DATABASE_KEY

PLAIN = "見本 花子".encode()


def sealed_in(vault: Vault, context: bytes) -> tuple[bytes, bytes]:
    """(wrapped key, sealed bytes)."""
    (key,) = fresh_keys(1)
    return vault.wrap(key), seal_with(key, PLAIN, context)


def opened(vault: Vault, wrapped: bytes, sealed: bytes, context: bytes) -> bytes:
    return open_with(vault.unwrap(wrapped), sealed, context)


def test_what_was_sealed_opens_in_its_place(vault: Vault, database: Database) -> None:
    wrapped, sealed = sealed_in(vault, b"ledger#1")
    assert PLAIN not in sealed
    assert opened(vault, wrapped, sealed, b"ledger#1") == PLAIN
    assert opened(Vault.of(database), wrapped, sealed, b"ledger#1") == PLAIN


def test_two_seals_of_the_same_differ_in_everything(vault: Vault) -> None:
    first, second = sealed_in(vault, b"a"), sealed_in(vault, b"a")
    assert first[0] != second[0]
    assert first[1] != second[1]


def test_many_keys_are_wrapped_together(vault: Vault) -> None:
    keys = fresh_keys(128)
    assert len(set(keys)) == 128
    wrapped = vault.wrap(b"".join(keys))
    assert len(wrapped) == 128 * KEY_BYTES + 8
    assert not any(key in wrapped for key in keys)
    assert vault.unwrap(wrapped) == b"".join(keys)


@pytest.mark.parametrize("bit", [0, 7, -1])
def test_damaged_swapped_or_foreign_bytes_do_not_open(vault: Vault, bit: int, tmp_path: Path) -> None:
    wrapped, sealed = sealed_in(vault, b"a")
    other_wrapped, other_sealed = sealed_in(vault, b"a")
    flipped = bytearray(sealed)
    flipped[bit] ^= 1
    damaged_key = bytearray(wrapped)
    damaged_key[bit] ^= 1
    for attempt in (
        (wrapped, bytes(flipped), b"a"),
        (bytes(damaged_key), sealed, b"a"),
        (wrapped, sealed, b"b"),
        (other_wrapped, sealed, b"a"),
        (wrapped, other_sealed, b"a"),
        (wrapped[:-1], sealed, b"a"),
        (b"", b"", b"a"),
    ):
        with pytest.raises(SealError):
            opened(vault, *attempt)
    with Database.create(tmp_path / "other.db", DATABASE_KEY) as database:
        migrate(database, (LEDGER,))
        with pytest.raises(SealError):
            opened(Vault.of(database), wrapped, sealed, b"a")


def test_a_secret_is_made_once(database: Database) -> None:
    with database.transaction() as transaction:
        first, again, other = (read_secret(transaction, name) for name in ("one", "one", "two"))
    assert first == again != other
    assert len(first) == len(other) == 32
    with Database.open(database.path, DATABASE_KEY) as elsewhere, elsewhere.transaction() as transaction:
        assert read_secret(transaction, "one") == first
