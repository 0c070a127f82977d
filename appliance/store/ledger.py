"""Ledgers in the database: the box's own, which it signs, and mirrors of the other side's.

An append writes entries, bodies and the signed tree head in one transaction. Reading a proof or starting up does not
depend on how many entries there are.
"""

import os
from collections.abc import Iterator
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
from appliance.ledger.entry import EPOCH_MS, SALT_BYTES, Body, Entry, EntryType, IdentityKind
from appliance.ledger.keys import SigningKey, VerifyingKey
from appliance.ledger.merkle import Frontier, frontier_at, inclusion_proof, leaf_hash, node_hash
from appliance.ledger.receipt import make_receipt
from appliance.ledger.verify import Sealed, VerifiedBatch
from appliance.store.database import Database, Transaction
from appliance.store.vault import Vault

STORED_LEVELS = 4
"""Nodes are kept at every fourth level; those between are computed from at most 16 below."""


class NoLedgerError(RefusedError):
    """The database holds no ledger of this origin."""

    code = "ledger.absent"


class NoEntryError(RefusedError):
    """An index beyond the end of the ledger."""

    code = "ledger.no_entry"


class AheadError(RefusedError):
    """The other side confirmed more than this side has: this side was restored from an older copy."""

    code = "ledger.behind_peer"


@dataclass(frozen=True, slots=True)
class Head:
    """Where a ledger ends. ``last_time_ms`` is the ledger time of the last entry, ``cosigned_size`` how much of it
    the other side has confirmed; ``checkpoint`` is None only while the ledger is empty."""

    size: int
    frontier: Frontier
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
class Recorded:
    """An appended entry and its place."""

    index: int
    entry: Entry


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

    def head(self, transaction: Transaction | None = None) -> Head:
        found = (transaction or self._database).row(
            "SELECT size, frontier, last_time_ms, checkpoint, cosigned_size FROM ledger WHERE id = ?", (self._number,)
        )
        if found is None:
            raise NoLedgerError(origin=self.origin)
        size, frontier, last_time_ms, checkpoint, cosigned_size = found
        return Head(size, Frontier.parse(size, frontier), last_time_ms, checkpoint, cosigned_size)

    def entry(self, index: int) -> Entry:
        """Raises ``NoEntryError``."""
        return Entry.decode(self._bytes(index))

    def body(self, index: int) -> Body | None:
        """The body of an entry, or None when it was erased or never sent."""
        self._bytes(index)
        return next(iter(self.items(index, index + 1))).body

    def items(self, first: int, last: int) -> Iterator[Sealed]:
        """Entries with their bodies from ``first`` up to, not including, ``last``."""
        for index, data, body, wrapped in self._database.each(
            "SELECT entry.idx, entry, body, wrapped FROM entry"
            " LEFT JOIN body_key ON body_key.ledger = entry.ledger AND body_key.idx = entry.idx"
            " WHERE entry.ledger = ? AND entry.idx >= ? AND entry.idx < ? ORDER BY entry.idx",
            (self._number, first, last),
        ):
            yield Sealed(data, None if body is None or wrapped is None else self._open_body(index, wrapped, body))

    def root_at(self, size: int) -> bytes:
        """The root that the tree had when it held this many entries."""
        return frontier_at(size, self._node).root()

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
            path = inclusion_proof(index, confirmed.size, self._node)
            return make_receipt(data, index, confirmed.size, path, confirmed.checkpoint, confirmed.cosignature)
        if head.checkpoint is None:
            raise NoEntryError(index=index)
        path = inclusion_proof(index, head.size, self._node)
        return make_receipt(data, index, head.size, path, head.checkpoint, None)

    def _bytes(self, index: int) -> bytes:
        found = self._database.row("SELECT entry FROM entry WHERE ledger = ? AND idx = ?", (self._number, index))
        if found is None:
            raise NoEntryError(index=index)
        return bytes(found[0])

    def _node(self, level: int, index: int) -> bytes:
        if level == 0:
            return leaf_hash(self._bytes(index))
        if level % STORED_LEVELS == 0:
            found = self._database.row(
                "SELECT hash FROM node WHERE ledger = ? AND level = ? AND idx = ?", (self._number, level, index)
            )
            if found is None:
                raise NoEntryError(index=index << level)
            return bytes(found[0])
        return node_hash(self._node(level - 1, 2 * index), self._node(level - 1, 2 * index + 1))

    def _place(self, index: int) -> bytes:
        return f"{self.origin}#{index}".encode()

    def _open_body(self, index: int, wrapped: bytes, sealed: bytes) -> Body:
        plain = self._vault.open(wrapped, sealed, self._place(index))
        return Body(plain[:SALT_BYTES], plain[SALT_BYTES:])

    def _insert(self, transaction: Transaction, index: int, data: bytes, body: Body | None) -> None:
        sealed = None
        if body is not None:
            wrapped, sealed = self._vault.seal(body.salt + body.content, self._place(index))
            transaction.run("INSERT INTO body_key VALUES (?, ?, ?)", (self._number, index, wrapped))
        transaction.run("INSERT INTO entry VALUES (?, ?, ?, ?)", (self._number, index, data, sealed))

    def _insert_nodes(self, transaction: Transaction, nodes: list[tuple[int, int, bytes]]) -> None:
        kept = [(self._number, *one) for one in nodes if one[0] and one[0] % STORED_LEVELS == 0]
        if kept:
            transaction.run_many("INSERT INTO node VALUES (?, ?, ?, ?)", kept)


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
            transaction.run(
                "UPDATE ledger SET cosigned_size = ? WHERE id = ? AND cosigned_size < ?", (size, self._number, size)
            )
        return confirmed


class Appending:
    """An open append: entries get their index, time and boot here."""

    def __init__(self, ledger: OwnLedger, transaction: Transaction, key: SigningKey, clock: Clock) -> None:
        self._ledger, self.transaction, self._key, self._clock = ledger, transaction, key, clock
        head = ledger.head(transaction)
        self._frontier, self._time_ms = head.frontier, head.last_time_ms
        self._nodes: list[tuple[int, int, bytes]] = []
        found = transaction.row("SELECT boot, boot_id FROM ledger WHERE id = ?", (ledger._number,))
        self._boot, self._boot_id = found or (0, b"")

    def add(self, draft: Draft) -> Recorded:
        """Appends one entry; the first one after a boot is preceded by ``box.started``."""
        if draft.type is EntryType.LEDGER_OPENED:
            self._boot, self._boot_id = self._frontier.size, self._clock.boot_id
        elif self._boot_id != self._clock.boot_id:
            self._boot, self._boot_id = self._frontier.size, self._clock.boot_id
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
        """Signs the new head; called once, at the end of the transaction."""
        if self._frontier.size == self._ledger.head(self.transaction).size:
            return
        ledger, size = self._ledger, self._frontier.size
        ledger._insert_nodes(self.transaction, self._nodes)
        time_s = (self._time_ms + EPOCH_MS) // 1000
        checkpoint = sign_checkpoint(ledger.origin, size, self._frontier.root(), time_s, self._key)
        self.transaction.run(
            "UPDATE ledger SET size = ?, frontier = ?, last_time_ms = ?, boot = ?, boot_id = ?, checkpoint = ?"
            " WHERE id = ?",
            (size, self._frontier.encode(), self._time_ms, self._boot, self._boot_id, checkpoint, ledger._number),
        )

    def _write(self, draft: Draft) -> Recorded:
        body = Body.of(draft.content, os.urandom(SALT_BYTES))
        # A wall clock that stepped back must not make an entry older than its predecessor.
        self._time_ms = max(self._time_ms, self._clock.now_ms() - EPOCH_MS)
        index = self._frontier.size
        entry = Entry(
            type=draft.type.number,
            version=draft.type.version,
            time_ms=self._time_ms,
            boot=self._boot,
            monotonic_ms=self._clock.monotonic_ms(),
            actor=draft.actor,
            subject=draft.subject,
            refs=draft.refs,
            commitment=body.commitment(),
        )
        data = entry.encode()
        self._nodes += self._frontier.append(leaf_hash(data))
        self._ledger._insert(self.transaction, index, data, body)
        return Recorded(index, entry)


class MirrorLedger(LedgerStore):
    """A ledger that the other side writes: verified batches go in, nothing else."""

    def store(self, batch: VerifiedBatch, cosignature: bytes, now_ms: int) -> None:
        """Entries, bodies, head and this side's cosignature in one transaction.

        ``ConstraintError`` if the mirror has grown since the batch was verified; nothing is stored then.
        """
        with self._database.transaction() as transaction:
            for index, item in enumerate(batch.items, batch.first):
                self._insert(transaction, index, item.entry, item.body)
            self._insert_nodes(transaction, list(batch.nodes))
            size = batch.frontier.size
            transaction.run(
                "UPDATE ledger SET size = ?, frontier = ?, last_time_ms = ?, checkpoint = ?, cosigned_size = ?"
                " WHERE id = ?",
                (
                    size,
                    batch.frontier.encode(),
                    batch.entries[-1].time_ms,
                    batch.checkpoint.cose,
                    size,
                    self._number,
                ),
            )
            transaction.run(
                "INSERT INTO cosignature VALUES (?, ?, ?, ?, ?)",
                (self._number, size, batch.checkpoint.cose, cosignature, now_ms),
            )

    def latest_confirmation(self) -> Confirmation | None:
        """What this side last cosigned: sent again when an acknowledgement may have been lost."""
        size = self.head().cosigned_size
        return None if size == 0 else self.confirmation(size - 1)
