"""Step 4 of the ledger's migrations: bodies whose keys lay wrapped beside them are sealed anew under ``body_keys``."""

from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap

from appliance.store.bodies import Bodies
from appliance.store.body_keys import BodyKeys
from appliance.store.database import Database, Row, Transaction
from appliance.store.seal import KEY_BYTES, SealError, open_with
from appliance.store.tree import INDEX_MASK, entry_id

WRAPPING_KEY = "body-wrapping-key"
NO_KEY = bytes(KEY_BYTES)  # stood where a body was erased or never came
ROWS_AT_ONCE = 512


def reseal(database: Database, transaction: Transaction) -> None:
    """Gives each ledger its secret and each body its new key.

    A body that does not open with its old key is left as it is: the verification names it, now as before.
    """
    found = transaction.row("SELECT value FROM secret WHERE name = ?", (WRAPPING_KEY,))
    wrapping_key = bytes(KEY_BYTES) if found is None else bytes(found[0])
    for number, origin in transaction.rows("SELECT id, origin FROM ledger"):
        BodyKeys.begin(transaction, number)
        bodies = Bodies(database, number, origin)
        row, beyond, keys = entry_id(number, 0) - 1, entry_id(number + 1, 0), _Keys(wrapping_key)
        while rows := transaction.rows(
            "SELECT id, body, keys FROM entry WHERE id > ? AND id < ? ORDER BY id LIMIT ?", (row, beyond, ROWS_AT_ONCE)
        ):
            for one in rows:
                row = one[0]
                plain = keys.plain(one, f"{origin}#{row & INDEX_MASK}".encode())
                if plain is not None:
                    sealed = bodies.seal(row & INDEX_MASK, plain)
                    transaction.run("UPDATE entry SET body = ? WHERE id = ?", (sealed, row))
    transaction.run("DELETE FROM secret WHERE name = ?", (WRAPPING_KEY,))


class _Keys:
    """The old layout: on the first of some entries the keys of all of them, wrapped together (AES-KW, RFC 3394)."""

    def __init__(self, wrapping_key: bytes) -> None:
        self._wrapping_key, self._first, self._keys = wrapping_key, 0, b""

    def plain(self, stored: Row, place: bytes) -> bytes | None:
        row, body, wrapped = stored
        if wrapped is not None:
            self._first, self._keys = row, self._unwrapped(wrapped)
        at = (row - self._first) * KEY_BYTES
        key = self._keys[at : at + KEY_BYTES]
        if body is None or len(key) < KEY_BYTES or key == NO_KEY:
            return None
        try:
            return open_with(key, body, place)
        except SealError:
            return None

    def _unwrapped(self, wrapped: bytes) -> bytes:
        try:
            return aes_key_unwrap(self._wrapping_key, wrapped)
        except (InvalidUnwrap, ValueError):
            return b""
