"""Where entries and the Merkle tree of a ledger lie in the database, and how proofs read them: a few short ranges.

A row's number holds ledger, level and index, so that an append goes to the end of one table and a subtree is one range.
Roots of perfect subtrees are stored at every fourth level; those between are computed from at most 16 below.
"""

from collections.abc import Sequence
from typing import NamedTuple

from appliance.errors import RefusedError
from appliance.ledger.merkle import Frontier, Run, frontier_at, leaf_hashes, node_hash
from appliance.store.database import Database, Transaction

LEDGER_SHIFT = 44
LEVEL_SHIFT = 38
STORED_LEVELS = 4
INDEX_MASK = (1 << LEDGER_SHIFT) - 1


class Entries(NamedTuple):
    """Neighbouring entries from index ``first`` on, each with its sealed body or None."""

    first: int
    data: Sequence[bytes]
    bodies: Sequence[bytes | None]


class NoEntryError(RefusedError):
    """An index beyond the end of the ledger."""

    code = "ledger.no_entry"


def entry_id(ledger: int, index: int) -> int:
    """The number of an entry's row."""
    return ledger << LEDGER_SHIFT | index


def node_id(ledger: int, level: int, index: int) -> int:
    """The number of the row of a stored subtree's root."""
    return ledger << LEDGER_SHIFT | level << LEVEL_SHIFT | index


class Tree:
    """The stored tree of one ledger. Remembers the right edge, which is all that the next append needs."""

    def __init__(self, database: Database, ledger: int) -> None:
        self._database, self._ledger = database, ledger
        self._edge = Frontier()

    def size(self) -> int:
        """How many entries the ledger has now."""
        first, beyond = entry_id(self._ledger, 0), entry_id(self._ledger + 1, 0)
        found = self._database.row("SELECT max(id) FROM entry WHERE id >= ? AND id < ?", (first, beyond))
        return 0 if found is None or found[0] is None else (found[0] & INDEX_MASK) + 1

    def frontier(self, size: int) -> Frontier:
        """The right edge of the tree of the first ``size`` entries; a copy of the caller's own."""
        edge = self._edge
        if edge.size != size:
            edge = self._edge = frontier_at(size, self.node)
        return edge.copy()

    def remember(self, frontier: Frontier) -> None:
        """The edge after an append that is durable now."""
        self._edge = frontier.copy()

    def node(self, level: int, index: int) -> bytes:
        """The root of the perfect subtree of ``2**level`` entries from ``index << level`` on; ``NoEntryError``."""
        below = level % STORED_LEVELS
        stored = level - below
        hashes = self._leaves(index << below, below) if stored == 0 else self._stored(stored, index << below, below)
        if len(hashes) != 1 << below:
            raise NoEntryError(index=index << level)
        for _ in range(below):
            hashes = [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
        return hashes[0]

    def differing(self, size: int) -> tuple[int, int]:
        """The first and the last of the entries between which the tree is not what was stored of it: sixteen of them,
        or those after the last stored subtree if none of the stored ones differs."""
        width, at = 1 << STORED_LEVELS, 0
        while at + width <= size:
            hashes = self._leaves(at, STORED_LEVELS)
            while len(hashes) > 1:
                hashes = [node_hash(one, other) for one, other in zip(hashes[::2], hashes[1::2], strict=False)]
            if hashes != self._stored(STORED_LEVELS, at >> STORED_LEVELS, 0):
                return at, at + width - 1
            at += width
        return at, max(at, size - 1)

    def insert(self, transaction: Transaction, entries: Entries, head: bytes, runs: Sequence[Run]) -> None:
        """Stores entries, the signed head with the last one, and those of the completed subtrees that have a row."""
        start = entry_id(self._ledger, entries.first)
        # The driver looks for an adapter of every value but numbers, texts and bytearrays, which takes longer than to
        # store it; for the same reason no NULL is handed over for each head that is not there.
        *before, last = [
            (row, bytearray(entry), None if body is None else bytearray(body))
            for row, (entry, body) in enumerate(zip(entries.data, entries.bodies, strict=True), start)
        ]
        if before:
            transaction.run_many("INSERT INTO entry (id, entry, body) VALUES (?, ?, ?)", before)
        transaction.run("INSERT INTO entry (id, entry, body, head) VALUES (?, ?, ?, ?)", (*last, bytearray(head)))
        for level, first, hashes in runs:
            if level and level % STORED_LEVELS == 0:
                start = node_id(self._ledger, level, first)
                nodes = [(row, bytearray(value)) for row, value in enumerate(hashes, start)]
                transaction.run_many("INSERT INTO node VALUES (?, ?)", nodes)

    def _leaves(self, first: int, below: int) -> list[bytes]:
        start = entry_id(self._ledger, first)
        sql = "SELECT entry FROM entry WHERE id >= ? AND id < ? ORDER BY id"
        return leaf_hashes(data for (data,) in self._database.rows(sql, (start, start + (1 << below))))

    def _stored(self, level: int, first: int, below: int) -> list[bytes]:
        start = node_id(self._ledger, level, first)
        sql = "SELECT hash FROM node WHERE id >= ? AND id < ? ORDER BY id"
        return [value for (value,) in self._database.rows(sql, (start, start + (1 << below)))]
