"""Ledgers in the database: the box's own, which it signs, and mirrors of the other side's.

An append writes entries, bodies and the signed tree head in one transaction. Reading a proof or starting up does not
depend on how many entries there are.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Self

from appliance.clock import Clock
from appliance.errors import ConfigError, RefusedError, UntrustedError
from appliance.ledger.checkpoint import (
    Checkpoint,
    claimed_size,
    open_checkpoint,
    open_cosignature,
    sign_checkpoint,
)
from appliance.ledger.encoding import unsigned
from appliance.ledger.entry import NINE_PARTS, Body, Entry, EntryType
from appliance.ledger.keys import Signer, SigningKey, VerifyingKey
from appliance.ledger.merkle import Frontier, frontier_at, inclusion_proof
from appliance.ledger.receipt import make_receipt
from appliance.ledger.signers import Pinned, Signers, SigningPeriod
from appliance.ledger.verify import Sealed
from appliance.store.appending import Appending, Tail
from appliance.store.bodies import Bodies
from appliance.store.body_keys import BodyKeys
from appliance.store.database import Database, Transaction
from appliance.store.ledger_keys import LedgerKeys
from appliance.store.note import HeadNote
from appliance.store.tree import INDEX_MASK, NoEntryError, Tree, entry_id

SigningKeys = Callable[[], Sequence[SigningKey]]
"""Gives the keys that this program holds, of which one signs the ledger; asked again when another one is needed."""


class NoLedgerError(RefusedError):
    """The database holds no ledger of this origin."""

    code = "ledger.absent"


class MissingEntryError(UntrustedError):
    """An entry that must be there, because later ones are, is not."""

    code = "ledger.entry_missing"


class AheadError(RefusedError):
    """The other side confirmed more than this side has: this side was restored from an older copy."""

    code = "ledger.behind_peer"


class SupersededError(RefusedError):
    """A later generation of this ledger has begun: this one is closed, and the record belongs there."""

    code = "ledger.superseded"


class SigningKeyError(ConfigError):
    """None of the keys that this program holds is the one that signs the ledger: it was started before the key was
    changed, or the key is another box's."""

    code = "ledger.signing_key"


@dataclass(frozen=True, slots=True)
class Head:
    """Where a ledger ends. ``last_time_ms`` is the ledger time of the last entry, ``cosigned_size`` how much of it
    the other side has confirmed; ``checkpoint`` is None only while the ledger is empty."""

    size: int
    last_time_ms: int
    checkpoint: bytes | None
    cosigned_size: int


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A stored cosignature: everything below ``size`` has reached the other side."""

    size: int
    checkpoint: bytes
    cosignature: bytes
    stored_ms: int


Require = Callable[[Transaction], None]
"""Raises ``SupersededError`` if the ledger is not the one to be written any more."""


class LedgerStore:
    """Reading one ledger."""

    def __init__(self, database: Database, number: int, origin: str) -> None:
        self._database, self._number = database, number
        self._tree, self._bodies = Tree(database, number), Bodies(database, number, origin)
        self._keys = LedgerKeys(database, number)
        self.origin = origin

    @classmethod
    def find(cls, database: Database, origin: str) -> Self:
        """Raises ``NoLedgerError``."""
        found = database.row("SELECT id FROM ledger WHERE origin = ?", (origin,))
        if found is None:
            raise NoLedgerError(origin=origin)
        return cls(database, found[0], origin)

    @classmethod
    def add(cls, database: Database, origin: str, keys: Pinned) -> Self:
        """Registers a ledger that does not exist yet; its first key is pinned for good."""
        with database.transaction() as transaction:
            transaction.run("INSERT INTO ledger (origin) VALUES (?)", (origin,))
            found = transaction.row("SELECT id FROM ledger WHERE origin = ?", (origin,))
            if found is not None:
                BodyKeys.begin(transaction, found[0])
                for period in Signers.of(keys).periods:
                    LedgerKeys.add(transaction, found[0], period)
        return cls.find(database, origin)

    @staticmethod
    def origins(database: Database) -> list[str]:
        """The names of all ledgers in this database, own ones and mirrors, the oldest first."""
        return [origin for (origin,) in database.rows("SELECT origin FROM ledger ORDER BY id")]

    @property
    def keys(self) -> Signers:
        """The keys that sign it, as they are known now."""
        return self._keys.signers()

    @property
    def public_key(self) -> VerifyingKey:
        """The key that signs it now."""
        return self.keys.newest.key

    def head(self) -> Head:
        """Costs the same however long the ledger is."""
        cosigned = self._database.row("SELECT max(size) FROM cosignature WHERE ledger = ?", (self._number,))
        cosigned_size = (cosigned[0] if cosigned else None) or 0
        found = self._database.row(
            "SELECT id, entry, head FROM entry WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT 1",
            (entry_id(self._number, 0), entry_id(self._number + 1, 0)),
        )
        if found is None:
            return Head(0, 0, None, cosigned_size)
        row, entry, checkpoint = found
        return Head((row & INDEX_MASK) + 1, Entry.decode(entry).time_ms, checkpoint, cosigned_size)

    def frontier(self) -> Frontier:
        """The right edge of the tree as it is now."""
        return self._tree.frontier(self.head().size)

    def entry(self, index: int) -> Entry:
        """Raises ``NoEntryError``."""
        return Entry.decode(self._bytes(index))

    def body(self, index: int) -> Body | None:
        """The body of an entry, or None when it was erased or never sent."""
        self._bytes(index)
        return next(iter(self.items(index, index + 1))).body

    def items(self, first: int, last: int, *, bodies: bool = True) -> Iterator[Sealed]:
        """Entries with their bodies, or without any, from ``first`` up to, not including, ``last``.

        Raises ``MissingEntryError``.
        """
        columns = "SELECT id, entry, body" if bodies else "SELECT id, entry, NULL"
        rows = f"{columns} FROM entry WHERE id >= ? AND id < ? ORDER BY id"
        expected, beyond = entry_id(self._number, first), entry_id(self._number, last)
        for row, data, body in self._database.each(rows, (expected, beyond)):
            if row != expected:
                raise MissingEntryError(index=expected & INDEX_MASK)
            yield Sealed(data, self._bodies.open(row & INDEX_MASK, body))
            expected += 1

    def root_at(self, size: int) -> bytes:
        """The root that the tree had when it held this many entries."""
        return frontier_at(size, self._tree.node).root()

    def frontier_at(self, size: int) -> Frontier:
        """The right edge of the tree as it was when it held this many entries."""
        return frontier_at(size, self._tree.node)

    def signed_head(self, size: int) -> bytes | None:
        """The checkpoint of so many entries, if one was stored: where an append ended, or the hub confirmed."""
        found = self._database.row("SELECT head FROM entry WHERE id = ?", (entry_id(self._number, size - 1),))
        if found is not None and found[0] is not None:
            return bytes(found[0])
        confirmed = self.confirmation(size - 1)
        return confirmed.checkpoint if confirmed is not None and confirmed.size == size else None

    def signed_size(self, most: int) -> int:
        """The greatest number of entries, not more than ``most``, at which an append ended; 0 if there is none."""
        found = self._database.row(
            "SELECT id FROM entry WHERE id >= ? AND id < ? AND head IS NOT NULL ORDER BY id DESC LIMIT 1",
            (entry_id(self._number, 0), entry_id(self._number, most)),
        )
        return 0 if found is None else (int(found[0]) & INDEX_MASK) + 1

    def size_at(self, time_ms: int) -> int:
        """How many entries are older than this ledger time; entries are in its order, so few are read."""
        first, beyond = 0, self.head().size
        while first < beyond:
            middle = (first + beyond) // 2
            if self.entry(middle).time_ms < time_ms:
                first = middle + 1
            else:
                beyond = middle
        return first

    def last_of(self, kind: EntryType, first: int = 0) -> int | None:
        """The index of the last entry of this type, looked for backwards from the end to ``first``; None if there is
        none. Costs as much as there are entries after it."""
        begins = NINE_PARTS + unsigned(kind.number)
        found = self._database.row(
            "SELECT id FROM entry WHERE id >= ? AND id < ? AND substr(entry, 1, ?) = ? ORDER BY id DESC LIMIT 1",
            (entry_id(self._number, first), entry_id(self._number + 1, 0), len(begins), begins),
        )
        return None if found is None else int(found[0]) & INDEX_MASK

    def with_bodies(self) -> Iterator[tuple[int, Entry]]:
        """Every entry that still has a body, with its index."""
        rows = self._database.each(
            "SELECT id, entry FROM entry WHERE id >= ? AND id < ? AND body IS NOT NULL ORDER BY id",
            (entry_id(self._number, 0), entry_id(self._number + 1, 0)),
        )
        return ((row & INDEX_MASK, Entry.decode(entry)) for row, entry in rows)

    def of_type(self, kind: EntryType) -> Iterator[tuple[int, Entry]]:
        """Every entry of one type, with its index."""
        start = NINE_PARTS + unsigned(kind.number)
        rows = self._database.each(
            "SELECT id, entry FROM entry WHERE id >= ? AND id < ? AND substr(entry, 1, ?) = ? ORDER BY id",
            (entry_id(self._number, 0), entry_id(self._number + 1, 0), len(start), start),
        )
        return ((row & INDEX_MASK, Entry.decode(entry)) for row, entry in rows)

    def forget_bodies(self, transaction: Transaction, indices: Sequence[int]) -> list[int]:
        """Erases bodies of a ledger to which nothing is appended any more; those that had one.

        The ledger that is written says so in the same transaction (``store/erasing.py``). Raises ``NoEntryError``.
        """
        size = self._tree.size()
        for index in indices:
            if not 0 <= index < size:
                raise NoEntryError(index=index)
        return [index for index in indices if self._bodies.erase(transaction, index)]

    def clear_forgotten(self) -> list[int]:
        """Removes the sealed bodies whose key is forgotten, as an older backup still has them; whose they were."""
        rows = self._database.each(
            "SELECT id FROM entry WHERE id >= ? AND id < ? AND body IS NOT NULL ORDER BY id",
            (entry_id(self._number, 0), entry_id(self._number + 1, 0)),
        )
        forgotten = [row for (row,) in rows if self._bodies.is_forgotten(row & INDEX_MASK)]
        with self._database.transaction() as transaction:
            transaction.run_many("UPDATE entry SET body = NULL WHERE id = ?", [(row,) for row in forgotten])
        return [row & INDEX_MASK for row in forgotten]

    def confirmation(self, index: int) -> Confirmation | None:
        """The first cosignature that covers this entry, or None while it is pending."""
        found = self._database.row(
            "SELECT size, checkpoint, cosignature, stored_ms FROM cosignature"
            " WHERE ledger = ? AND size > ? ORDER BY size LIMIT 1",
            (self._number, index),
        )
        return None if found is None else Confirmation(*found)

    def confirmations(self) -> list[Confirmation]:
        """Every confirmation that was stored, the first one first."""
        sql = "SELECT size, checkpoint, cosignature, stored_ms FROM cosignature WHERE ledger = ? ORDER BY size"
        return [Confirmation(*one) for one in self._database.rows(sql, (self._number,))]

    def differing(self, size: int) -> tuple[int, int]:
        """The first and the last of those entries between which the tree is not what was stored of it."""
        return self._tree.differing(size)

    def receipt(self, index: int) -> bytes:
        """The receipt of an entry: with the hub's cosignature once there is one, else with the box's head only."""
        data, confirmed, head = self._bytes(index), self.confirmation(index), self.head()
        if confirmed is not None:
            path = inclusion_proof(index, confirmed.size, self._tree.node)
            return make_receipt(data, index, confirmed.size, path, confirmed.checkpoint, confirmed.cosignature)
        if head.checkpoint is None:
            raise NoEntryError(index=index)
        path = inclusion_proof(index, head.size, self._tree.node)
        return make_receipt(data, index, head.size, path, head.checkpoint, None)

    def _bytes(self, index: int) -> bytes:
        found = self._database.row("SELECT entry FROM entry WHERE id = ?", (entry_id(self._number, index),))
        if found is None:
            raise NoEntryError(index=index)
        return bytes(found[0])


class OwnLedger(LedgerStore):
    """The ledger that this side writes and signs."""

    def attach(
        self,
        keys: SigningKey | SigningKeys,
        clock: Clock,
        note: HeadNote | None = None,
        require: Require = lambda _: None,
    ) -> Self:
        """Gives it the means to append, and a note to write the head to; without them it only reads. ``require`` is
        asked before an append whenever somebody else may have written."""
        self._source: SigningKeys = (lambda: (keys,)) if isinstance(keys, SigningKey) else keys
        self._held: dict[bytes, SigningKey] = {}
        self._clock, self._note, self._remembered = clock, note, threading.local()
        self._require = require
        return self

    @property
    def signing_key(self) -> SigningKey:
        """The key that signs it now; raises ``SigningKeyError`` if this program does not hold it."""
        wanted = self.public_key.key_id
        if wanted not in self._held:
            self._held |= {one.public.key_id: one for one in self._source()}
        if wanted not in self._held:
            raise SigningKeyError(wanted=wanted.hex())
        return self._held[wanted]

    @contextmanager
    def append(self) -> Iterator[Appending]:
        """One transaction: drafts added in the block, and rows written through ``.transaction``, become durable
        together with the signed head, or not at all."""
        with self._database.transaction() as transaction:
            tail, key = self._tail(transaction)
            appending = Appending(
                self._number,
                self.origin,
                tail,
                bodies=self._bodies,
                transaction=transaction,
                clock=self._clock,
            )
            yield appending
            head, tail = appending.seal(self._tree, key)
            stamp = transaction.stamp()
        self._remembered.tail = (stamp, tail, appending.successor or key)
        if self._note is not None and head is not None:
            self._note.write(head)

    def _tail(self, transaction: Transaction) -> tuple[Tail, SigningKey]:
        """The ledger's end and the key that signs what comes: as this thread left them, if nobody has written anything
        since, else read anew."""
        remembered: tuple[tuple[int, int], Tail, SigningKey] | None = getattr(self._remembered, "tail", None)
        if remembered is not None and remembered[0] == transaction.stamp():
            return remembered[1:]
        self._require(transaction)
        head = self.head()
        found = transaction.row("SELECT boot, boot_id FROM ledger WHERE id = ?", (self._number,))
        boot, boot_id = found or (0, b"")
        return Tail(self._tree.frontier(head.size), head.last_time_ms, boot, boot_id), self.signing_key

    def hand_over(self, successor: SigningKey) -> SigningPeriod:
        """Appends that another key signs what comes after this entry; the present one signs it for the last time.

        Raises ``KeyHistoryError`` for a key that this ledger has or had.
        """
        with self.append() as appending:
            known, present = self.keys, self.signing_key
            period = appending.hand_over(present, successor)
            known.followed_by(period)  # a key that was here before is refused while nothing is durable
        self._held[successor.public.key_id] = successor
        return period

    def checkpoint_at(self, size: int, key: Signer | None = None) -> bytes:
        """A checkpoint of the tree at an earlier size, signed now: what a batch that ends there carries, and with the
        key of the archive what a day is sealed with."""
        signer, now_s = key or self.signing_key, self._clock.now_ms() // 1000
        return sign_checkpoint(self.origin, size, self.root_at(size), now_s, signer)

    def confirm(self, checkpoint: bytes, cosignature: bytes, peer: VerifyingKey) -> Checkpoint:
        """Stores the other side's confirmation after verifying it against this side's own tree and keys.

        Raises an ``UntrustedError`` if it speaks of another tree: then one of the two was restored or tampered with.
        """
        size = claimed_size(cosignature)
        if size > self.head().size:
            raise AheadError(size=size, own=self.head().size)
        root = self.root_at(size)
        confirmed = open_cosignature(cosignature, root, self.origin, peer)
        open_checkpoint(checkpoint, root, self.origin, self.keys)
        with self._database.transaction() as transaction:
            transaction.run(
                "INSERT OR IGNORE INTO cosignature VALUES (?, ?, ?, ?, ?)",
                (self._number, size, checkpoint, cosignature, self._clock.now_ms()),
            )
        return confirmed
