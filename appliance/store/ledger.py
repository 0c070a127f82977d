"""Ledgers in the database: the box's own, which it signs, and mirrors of the other side's.

An append writes entries, bodies and the signed tree head in one transaction. Reading a proof or starting up does not
depend on how many entries there are.
"""

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Self

from appliance.clock import Clock
from appliance.errors import RefusedError
from appliance.ledger.checkpoint import (
    Checkpoint,
    claimed_size,
    open_checkpoint,
    open_cosignature,
    sign_checkpoint,
)
from appliance.ledger.entry import EPOCH_MS, SALT_BYTES, Body, Entry, EntryType, IdentityKind, encode_entry
from appliance.ledger.keys import SigningKey, VerifyingKey
from appliance.ledger.merkle import Frontier, frontier_at, inclusion_proof, leaf_hash
from appliance.ledger.receipt import make_receipt
from appliance.ledger.verify import Sealed, VerifiedBatch
from appliance.store.database import Database, Transaction
from appliance.store.tree import INDEX_MASK, NoEntryError, Tree, entry_id
from appliance.store.vault import KEY_BYTES, NO_KEY, Vault, fresh_keys, open_with, seal_with

KEYS_A_BLOCK = 128
"""Bodies whose keys are wrapped together: few wraps for many bodies, and little to do over when one is erased."""


class NoLedgerError(RefusedError):
    """The database holds no ledger of this origin."""

    code = "ledger.absent"


class AheadError(RefusedError):
    """The other side confirmed more than this side has: this side was restored from an older copy."""

    code = "ledger.behind_peer"


@dataclass(frozen=True, slots=True)
class Head:
    """Where a ledger ends. ``last_time_ms`` is the ledger time of the last entry, ``cosigned_size`` how much of it
    the other side has confirmed; ``checkpoint`` is None only while the ledger is empty."""

    size: int
    last_time_ms: int
    checkpoint: bytes | None
    cosigned_size: int


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry to be appended; ``actor`` and ``subject`` are numbers of the ledger's roster."""

    type: EntryType
    content: dict[str, Any]
    actor: int = 0
    subject: int = 0
    refs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Confirmation:
    """A stored cosignature: everything below ``size`` has reached the other side."""

    size: int
    checkpoint: bytes
    cosignature: bytes
    stored_ms: int


class LedgerStore:
    """Reading one ledger."""

    def __init__(self, database: Database, vault: Vault, number: int, origin: str, public_key: VerifyingKey) -> None:
        self._database = database
        self._vault = vault
        self._number = number
        self._tree = Tree(database, number)
        self.origin = origin
        self.public_key = public_key

    @classmethod
    def find(cls, database: Database, vault: Vault, origin: str) -> Self:
        """Raises ``NoLedgerError``."""
        found = database.row("SELECT id, public_key FROM ledger WHERE origin = ?", (origin,))
        if found is None:
            raise NoLedgerError(origin=origin)
        return cls(database, vault, found[0], origin, VerifyingKey.from_pem(found[1]))

    @classmethod
    def add(cls, database: Database, vault: Vault, origin: str, public_key: VerifyingKey) -> Self:
        """Registers a ledger that does not exist yet; the key is pinned for good."""
        with database.transaction() as transaction:
            transaction.run("INSERT INTO ledger (origin, public_key) VALUES (?, ?)", (origin, public_key.pem()))
        return cls.find(database, vault, origin)

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

    def items(self, first: int, last: int) -> Iterator[Sealed]:
        """Entries with their bodies from ``first`` up to, not including, ``last``."""
        keys = KeyBlocks(self._database, self._vault)
        for row, data, body, wrapped in self._database.each(
            "SELECT id, entry, body, keys FROM entry WHERE id >= ? AND id < ? ORDER BY id",
            (entry_id(self._number, first), entry_id(self._number, last)),
        ):
            key = keys.of(row, wrapped)
            yield Sealed(data, None if body is None or key is None else self._open_body(row & INDEX_MASK, key, body))

    def root_at(self, size: int) -> bytes:
        """The root that the tree had when it held this many entries."""
        return frontier_at(size, self._tree.node).root()

    def confirmation(self, index: int) -> Confirmation | None:
        """The first cosignature that covers this entry, or None while it is pending."""
        found = self._database.row(
            "SELECT size, checkpoint, cosignature, stored_ms FROM cosignature"
            " WHERE ledger = ? AND size > ? ORDER BY size LIMIT 1",
            (self._number, index),
        )
        return None if found is None else Confirmation(*found)

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

    def _place(self, index: int) -> bytes:
        return f"{self.origin}#{index}".encode()

    def _open_body(self, index: int, key: bytes, sealed: bytes) -> Body:
        plain = open_with(key, sealed, self._place(index))
        return Body(plain[:SALT_BYTES], plain[SALT_BYTES:])

    def _insert(
        self, transaction: Transaction, first: int, items: Sequence[tuple[bytes, Body | None]], checkpoint: bytes
    ) -> None:
        """Rows of consecutive entries, the last one with the head."""
        rows: list[tuple[int, bytes, bytes | None, bytes | None, bytes | None]] = []
        for start in range(0, len(items), KEYS_A_BLOCK):
            block = items[start : start + KEYS_A_BLOCK]
            fresh = fresh_keys(len(block))
            keys = [NO_KEY if body is None else key for (_, body), key in zip(block, fresh, strict=True)]
            wrapped = None if all(body is None for _, body in block) else self._vault.wrap(b"".join(keys))
            for at, ((data, body), key) in enumerate(zip(block, keys, strict=True), first + start):
                plain = None if body is None else body.salt + body.content
                sealed = None if plain is None else seal_with(key, plain, self._place(at))
                rows.append((entry_id(self._number, at), data, sealed, wrapped, None))
                wrapped = None
        rows[-1] = (*rows[-1][:4], checkpoint)
        transaction.run_many("INSERT INTO entry VALUES (?, ?, ?, ?, ?)", rows)


class KeyBlocks:
    """Unwraps the keys of bodies that are read in order: each block once."""

    def __init__(self, database: Database, vault: Vault) -> None:
        self._database, self._vault = database, vault
        self._first, self._keys = 0, b""

    def of(self, row: int, wrapped: bytes | None) -> bytes | None:
        """The key of an entry's body; ``wrapped`` is what lies in its own row. None for an erased one."""
        if wrapped is not None:
            self._first, self._keys = row, self._vault.unwrap(wrapped)
        elif not 0 < row - self._first < len(self._keys) // KEY_BYTES:
            first_of_ledger = row & ~INDEX_MASK
            found = self._database.row(
                "SELECT id, keys FROM entry WHERE id BETWEEN ? AND ? AND keys IS NOT NULL ORDER BY id DESC LIMIT 1",
                (max(first_of_ledger, row - KEYS_A_BLOCK + 1), row),
            )
            if found is None:
                return None
            self._first, self._keys = found[0], self._vault.unwrap(found[1])
        at = (row - self._first) * KEY_BYTES
        key = self._keys[at : at + KEY_BYTES]
        return None if len(key) < KEY_BYTES or key == NO_KEY else key


class OwnLedger(LedgerStore):
    """The ledger that this side writes and signs."""

    def attach(self, key: SigningKey, clock: Clock) -> Self:
        """Gives it the means to append; without them it only reads."""
        self._key, self._clock = key, clock
        return self

    @contextmanager
    def append(self) -> Iterator["Appending"]:
        """One transaction: drafts added in the block, and rows written through ``.transaction``, become durable
        together with the signed head, or not at all."""
        with self._database.transaction() as transaction:
            appending = Appending(self, transaction, self._key, self._clock)
            yield appending
            appending.seal()
        self._tree.remember(appending.frontier)

    def checkpoint_at(self, size: int) -> bytes:
        """A checkpoint of the tree at an earlier size, signed now: what a batch that ends there carries."""
        return sign_checkpoint(self.origin, size, self.root_at(size), self._clock.now_ms() // 1000, self._key)

    def confirm(self, checkpoint: bytes, cosignature: bytes, peer: VerifyingKey) -> Checkpoint:
        """Stores the other side's confirmation after verifying it against this side's own tree.

        Raises an ``UntrustedError`` if it speaks of another tree: then one of the two was restored or tampered with.
        """
        size = claimed_size(cosignature)
        if size > self.head().size:
            raise AheadError(size=size, own=self.head().size)
        root = self.root_at(size)
        confirmed = open_cosignature(cosignature, root, self.origin, peer)
        open_checkpoint(checkpoint, root, self.origin, self.public_key)
        with self._database.transaction() as transaction:
            transaction.run(
                "INSERT OR IGNORE INTO cosignature VALUES (?, ?, ?, ?, ?)",
                (self._number, size, checkpoint, cosignature, self._clock.now_ms()),
            )
        return confirmed


class Appending:
    """An open append: entries get their index, time and boot here."""

    def __init__(self, ledger: OwnLedger, transaction: Transaction, key: SigningKey, clock: Clock) -> None:
        self._ledger, self.transaction, self._key, self._clock = ledger, transaction, key, clock
        head = ledger.head()
        self.frontier, self._time_ms, self._first = ledger._tree.frontier(head.size), head.last_time_ms, head.size
        self._nodes: list[tuple[int, int, bytes]] = []
        self._items: list[tuple[bytes, Body | None]] = []
        found = transaction.row("SELECT boot, boot_id FROM ledger WHERE id = ?", (ledger._number,))
        self._boot, self._boot_id = found or (0, b"")

    def add(self, draft: Draft) -> int:
        """Appends one entry and returns its index; the first one after a boot is preceded by ``box.started``."""
        if self._boot_id != self._clock.boot_id:
            self._begin_boot()
            if draft.type is not EntryType.LEDGER_OPENED:
                self._write(Draft(EntryType.BOX_STARTED, {"boot_id": self._boot_id}))
        return self._write(draft)

    def identity(self, kind: IdentityKind, pseudonym: bytes) -> int:
        """The roster number of a pseudonym, introduced by an entry the first time."""
        number = self._ledger._number
        found = self.transaction.row(
            "SELECT number FROM identity WHERE ledger = ? AND kind = ? AND pseudonym = ?",
            (number, kind.value, pseudonym),
        )
        if found is not None:
            return int(found[0])
        last = self.transaction.row("SELECT coalesce(max(number), 0) FROM identity WHERE ledger = ?", (number,))
        new = int(last[0]) + 1 if last else 1
        content = {"number": new, "kind": kind.name.lower(), "pseudonym": pseudonym}
        self.add(Draft(EntryType.IDENTITY_INTRODUCED, content, subject=new))
        self.transaction.run("INSERT INTO identity VALUES (?, ?, ?, ?)", (number, new, kind.value, pseudonym))
        return new

    def seal(self) -> None:
        """Writes the entries and signs the new head; called once, at the end of the transaction."""
        if not self._items:
            return
        ledger, time_s = self._ledger, (self._time_ms + EPOCH_MS) // 1000
        checkpoint = sign_checkpoint(ledger.origin, self.frontier.size, self.frontier.root(), time_s, self._key)
        ledger._insert(self.transaction, self._first, self._items, checkpoint)
        ledger._tree.insert(self.transaction, self._nodes)

    def _begin_boot(self) -> None:
        self._boot, self._boot_id = self.frontier.size, self._clock.boot_id
        self.transaction.run(
            "UPDATE ledger SET boot = ?, boot_id = ? WHERE id = ?", (self._boot, self._boot_id, self._ledger._number)
        )

    def _write(self, draft: Draft) -> int:
        body = Body.of(draft.content, os.urandom(SALT_BYTES))
        # A wall clock that stepped back must not make an entry older than its predecessor.
        self._time_ms = max(self._time_ms, self._clock.now_ms() - EPOCH_MS)
        index = self.frontier.size
        data = encode_entry(
            draft.type.number,
            draft.type.version,
            self._time_ms,
            self._boot,
            self._clock.monotonic_ms(),
            draft.actor,
            draft.subject,
            draft.refs,
            body.commitment(),
        )
        self._nodes += self.frontier.append(leaf_hash(data))
        self._items.append((data, body))
        return index


class MirrorLedger(LedgerStore):
    """A ledger that the other side writes: verified batches go in, nothing else."""

    def store(self, batch: VerifiedBatch, cosignature: bytes, now_ms: int) -> None:
        """Entries, bodies, head and this side's cosignature in one transaction.

        ``ConstraintError`` if the mirror has grown since the batch was verified; nothing is stored then.
        """
        size = batch.frontier.size
        with self._database.transaction() as transaction:
            items = [(item.entry, item.body) for item in batch.items]
            self._insert(transaction, batch.first, items, batch.checkpoint.cose)
            self._tree.insert(transaction, list(batch.nodes))
            transaction.run(
                "INSERT INTO cosignature VALUES (?, ?, ?, ?, ?)",
                (self._number, size, batch.checkpoint.cose, cosignature, now_ms),
            )
        self._tree.remember(batch.frontier)

    def latest_confirmation(self) -> Confirmation | None:
        """What this side last cosigned: sent again when an acknowledgement may have been lost."""
        size = self.head().cosigned_size
        return None if size == 0 else self.confirmation(size - 1)
