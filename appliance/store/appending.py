"""An open append to the own ledger: what is added becomes durable together with the signed head, or not at all."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from appliance.clock import Clock
from appliance.ledger.checkpoint import sign_checkpoint
from appliance.ledger.encoding import encode
from appliance.ledger.entry import EPOCH_MS, SALT_BYTES, EntryType, IdentityKind, entry_start
from appliance.ledger.keys import SigningKey
from appliance.ledger.merkle import Frontier, leaf_hashes
from appliance.ledger.signers import SigningPeriod
from appliance.ledger.succession import sign_succession
from appliance.store.bodies import Bodies
from appliance.store.database import Transaction
from appliance.store.ledger_keys import LedgerKeys
from appliance.store.note import NotedHead
from appliance.store.tree import Entries, NoEntryError, Tree

ERASED_AT_ONCE = 256
"""Bodies that one entry ``body.erased`` names at most."""


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry to be appended; ``actor`` and ``subject`` are numbers of the ledger's roster."""

    type: EntryType
    content: dict[str, Any]
    actor: int = 0
    subject: int = 0
    refs: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Tail:
    """All that the next append has to know of what is there: the right edge of the tree, the ledger time of the last
    entry, and the boot that was introduced last (index of its entry, and its id)."""

    frontier: Frontier
    last_time_ms: int
    boot: int
    boot_id: bytes


class Appending:
    """Entries get their index, time and boot here. ``number`` and ``origin`` are the ledger's, ``size`` counts its
    entries, those just added included."""

    def __init__(
        self, number: int, origin: str, tail: Tail, *, bodies: Bodies, transaction: Transaction, clock: Clock
    ) -> None:
        self._number, self._origin, self._bodies, self._clock = number, origin, bodies, clock
        self._frontier, self._time_ms, self.size = tail.frontier, tail.last_time_ms, tail.frontier.size
        self._boot, self._boot_id = tail.boot, tail.boot_id
        self._starts: list[bytes] = []  # of each entry what precedes its commitment
        self._contents: list[bytes] = []  # of each body what follows its salt
        self.transaction = transaction
        self.successor: SigningKey | None = None

    @property
    def origin(self) -> str:
        """The ledger that the indices are of."""
        return self._origin

    @property
    def time_ms(self) -> int:
        """Ledger time of the last entry, one just added included."""
        return self._time_ms

    def add(self, draft: Draft) -> int:
        """Appends one entry and returns its index; the first one after a boot is preceded by ``box.started``."""
        if self._boot_id != self._clock.boot_id:
            self._begin_boot()
            if draft.type is not EntryType.LEDGER_OPENED:
                self._note(Draft(EntryType.BOX_STARTED, {"boot_id": self._boot_id}))
        return self._note(draft)

    def hand_over(self, present: SigningKey, successor: SigningKey) -> SigningPeriod:
        """Adds the entry of a change of the key; the checkpoint of this append must end with it."""
        starts = self._boot_id != self._clock.boot_id
        size = self.size + starts + 2
        succession = sign_succession(self._origin, size, present, successor)
        content = {"previous": present.public.key_id, "key_id": successor.public.key_id, "succession": succession}
        self.add(Draft(EntryType.DEVICE_KEY_CHANGED, content))
        period = SigningPeriod(size, successor.public, succession)
        LedgerKeys.add(self.transaction, self._number, period)
        self.successor = successor
        return period

    def identity(self, kind: IdentityKind, pseudonym: bytes) -> int:
        """The roster number of a pseudonym, introduced by an entry the first time."""
        found = self.transaction.row(
            "SELECT number FROM identity WHERE ledger = ? AND kind = ? AND pseudonym = ?",
            (self._number, kind.value, pseudonym),
        )
        if found is not None:
            return int(found[0])
        last = self.transaction.row("SELECT coalesce(max(number), 0) FROM identity WHERE ledger = ?", (self._number,))
        new = int(last[0]) + 1 if last else 1
        content = {"kind": kind.name.lower(), "number": new, "pseudonym": pseudonym}
        self.add(Draft(EntryType.IDENTITY_INTRODUCED, content, subject=new))
        self.transaction.run("INSERT INTO identity VALUES (?, ?, ?, ?)", (self._number, new, kind.value, pseudonym))
        return new

    def erase(self, indices: Sequence[int], rule: str, actor: int = 0) -> list[int]:
        """Erases the bodies of earlier entries for the legal reason that ``rule`` names, and says so in the ledger.

        Returns those that had one. Raises ``NoEntryError`` for an entry that is not durable yet.
        """
        erased = []
        for index in indices:
            if not 0 <= index < self._frontier.size:
                raise NoEntryError(index=index)
            if self._bodies.erase(self.transaction, index):
                erased.append(index)
        for at in range(0, len(erased), ERASED_AT_ONCE):
            refs = tuple(erased[at : at + ERASED_AT_ONCE])
            self.add(Draft(EntryType.BODY_ERASED, {"rule": rule}, actor=actor, refs=refs))
        return erased

    def seal(self, tree: Tree, key: SigningKey) -> tuple[NotedHead | None, Tail]:
        """Writes the entries with the signed head; called once, at the end of the transaction.

        Returns the new head, None if nothing was added, and the new tail.
        """
        if not self._starts:
            return None, Tail(self._frontier, self._time_ms, self._boot, self._boot_id)
        first, salts = self._frontier.size, os.urandom(SALT_BYTES * len(self._starts))
        plains = [salts[at * SALT_BYTES : (at + 1) * SALT_BYTES] + one for at, one in enumerate(self._contents)]
        data = [start + sha256(plain).digest() for start, plain in zip(self._starts, plains, strict=True)]
        frontier = self._frontier.copy()
        runs = frontier.extend(leaf_hashes(data))
        root, time_s = frontier.root(), (self._time_ms + EPOCH_MS) // 1000
        checkpoint = sign_checkpoint(self._origin, frontier.size, root, time_s, key)
        tree.insert(self.transaction, Entries(first, data, self._bodies.seal_all(first, plains)), checkpoint, runs)
        head = NotedHead(self._origin, frontier.size, root, checkpoint)
        return head, Tail(frontier, self._time_ms, self._boot, self._boot_id)

    def _begin_boot(self) -> None:
        self._boot, self._boot_id = self.size, self._clock.boot_id
        self.transaction.run(
            "UPDATE ledger SET boot = ?, boot_id = ? WHERE id = ?", (self._boot, self._boot_id, self._number)
        )

    def _note(self, draft: Draft) -> int:
        clock, kind, content = self._clock, draft.type, encode(draft.content)
        now_ms = clock.now_ms() - EPOCH_MS
        if now_ms > self._time_ms:  # a wall clock that stepped back must not make an entry older than its predecessor
            self._time_ms = now_ms
        start = entry_start(
            kind.number,
            kind.version,
            self._time_ms,
            self._boot,
            clock.monotonic_ms(),
            draft.actor,
            draft.subject,
            draft.refs,
        )
        self._starts.append(start)
        self._contents.append(content)
        self.size += 1
        return self.size - 1
