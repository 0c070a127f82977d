"""The bodies of one ledger: each sealed under its own key and in its own place, and erased by forgetting the key."""

from collections.abc import Sequence

from appliance.ledger.entry import SALT_BYTES, Body
from appliance.store.body_keys import BodyKeys
from appliance.store.database import Database, Transaction
from appliance.store.seal import SealError, open_with, seal_with
from appliance.store.tree import entry_id


class Bodies:
    """``ledger`` is the ledger's number in this database, ``origin`` its name, which is part of a body's place."""

    def __init__(self, database: Database, ledger: int, origin: str) -> None:
        self._keys, self._ledger, self._name = BodyKeys(database, ledger), ledger, origin.encode()

    def seal(self, index: int, plain: bytes) -> bytes:
        """``plain`` is salt and content; raises ``SealError`` if the key of this index was forgotten already."""
        key = self._keys.key(index)
        if key is None:
            raise SealError(index=index)
        return seal_with(key, plain, self._place(index))

    def seal_all(self, first: int, plains: Sequence[bytes | None]) -> list[bytes | None]:
        """Neighbouring bodies from index ``first`` on; None where there is none. Raises ``SealError`` as ``seal``."""
        sealed: list[bytes | None] = []
        keys = self._keys.keys(first, len(plains))
        for index, (key, plain) in enumerate(zip(keys, plains, strict=True), first):
            if plain is None:
                sealed.append(None)
            elif key is None:
                raise SealError(index=index)
            else:
                sealed.append(seal_with(key, plain, self._place(index)))
        return sealed

    def open(self, index: int, sealed: bytes | None) -> Body | None:
        """The body, or None once it is erased; raises ``SealError`` for bytes that are not what was sealed here."""
        key = self._keys.key(index) if sealed is not None else None
        if sealed is None or key is None:
            return None
        try:
            plain = open_with(key, sealed, self._place(index))
        except SealError as error:
            raise SealError(index=index) from error
        return Body(plain[:SALT_BYTES], plain[SALT_BYTES:])

    def is_forgotten(self, index: int) -> bool:
        """Whether nothing can open the body of this index any more."""
        return self._keys.key(index) is None

    def erase(self, transaction: Transaction, index: int) -> bool:
        """Removes the sealed bytes and forgets their key; whether there was a body."""
        row = (entry_id(self._ledger, index),)
        there = transaction.run("UPDATE entry SET body = NULL WHERE id = ? AND body IS NOT NULL", row)
        # Copies elsewhere hold the sealed bytes still, whatever became of those here: the key goes in any case.
        return self._keys.forget(transaction, index) and there == 1

    def _place(self, index: int) -> bytes:
        return b"%b#%d" % (self._name, index)
