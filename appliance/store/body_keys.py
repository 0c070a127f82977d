"""The key of every body of a ledger, from one secret that can forget single keys.

A tree of seeds (a puncturable pseudorandom function after Goldreich, Goldwasser and Micali): the root gives sixteen
seeds, each of these sixteen more, and the leaf at an entry's index is the key of its body. A key that is to be
forgotten takes the seeds above it along; their other children are stored in their place. So one row holds the keys of
all bodies that will ever be written, and a body whose key is forgotten is lost in every copy of the ledger that there
is, because no copy of the entries holds any key.
"""

import os
from hashlib import shake_256

from appliance.store.database import Database, Transaction
from appliance.store.tree import node_id

SEED_BYTES = 32
FANOUT_BITS = 4
FANOUT = 1 << FANOUT_BITS
TOP = 8
"""Levels above the leaves: a ledger has room for 2**32 bodies."""
DOMAIN = b"madoguchi body seed 1"
Seeds = list[bytes | None]


class BodyKeys:
    """The keys of one ledger's bodies. What was derived last is remembered, so keys in order cost next to nothing."""

    def __init__(self, database: Database, ledger: int) -> None:
        self._database, self._ledger = database, ledger
        self._known: dict[int, tuple[int, Seeds]] = {}

    @staticmethod
    def begin(transaction: Transaction, ledger: int) -> None:
        """Draws the secret of a new ledger."""
        root = node_id(ledger, TOP, 0)
        transaction.run("INSERT INTO body_seed VALUES (?, ?)", (root, os.urandom(SEED_BYTES)))

    def key(self, index: int) -> bytes | None:
        """The 32 bytes that seal the body at this index and no other, or None once they are forgotten."""
        return self._children(1, index >> FANOUT_BITS)[index % FANOUT]

    def keys(self, first: int, count: int) -> Seeds:
        """The keys of neighbouring bodies, from index ``first`` on."""
        blocks = range(first >> FANOUT_BITS, (first + count - 1 >> FANOUT_BITS) + 1)
        keys = [key for block in blocks for key in self._children(1, block)]
        return keys[first % FANOUT : first % FANOUT + count]

    def forget(self, transaction: Transaction, index: int) -> bool:
        """Makes the key at this index impossible to derive once the transaction is durable; whether there was one."""
        on_the_way = [node_id(self._ledger, level, index >> FANOUT_BITS * level) for level in range(TOP + 1)]
        places = ", ".join("?" * len(on_the_way))
        found = transaction.row(f"SELECT id, seed FROM body_seed WHERE id IN ({places})", on_the_way)  # noqa: S608
        if found is None:
            return False
        row, seed = found
        transaction.run("DELETE FROM body_seed WHERE id = ?", (row,))
        for level in reversed(range(on_the_way.index(row))):
            children, kept = expand(seed), index >> FANOUT_BITS * level
            first = node_id(self._ledger, level, kept & -FANOUT)
            others = [(first + at, child) for at, child in enumerate(children) if at != kept % FANOUT]
            transaction.run_many("INSERT INTO body_seed VALUES (?, ?)", others)
            seed = children[kept % FANOUT]
        self._known.clear()
        return True

    def _children(self, level: int, node: int) -> Seeds:
        """The seeds one level below a node; None for those that were taken apart or forgotten."""
        known = self._known.get(level)
        if known is not None and known[0] == node:
            return known[1]
        seed = self._seed(level, node)
        children: Seeds = list(expand(seed)) if seed is not None else self._stored(level - 1, node << FANOUT_BITS)
        self._known[level] = (node, children)
        return children

    def _seed(self, level: int, node: int) -> bytes | None:
        if level < TOP:
            return self._children(level + 1, node >> FANOUT_BITS)[node % FANOUT]
        return self._stored(TOP, 0)[0] if node == 0 else None

    def _stored(self, level: int, first: int) -> Seeds:
        start = node_id(self._ledger, level, first)
        sql = "SELECT id, seed FROM body_seed WHERE id >= ? AND id < ?"
        found: dict[int, bytes] = dict(self._database.rows(sql, (start, start + FANOUT)))
        return [found.get(start + at) for at in range(FANOUT)]


def expand(seed: bytes) -> list[bytes]:
    """The sixteen seeds below one (SHAKE256 of FIPS 202); none of them tells anything of the seed or of another."""
    drawn = shake_256(DOMAIN + seed).digest(FANOUT * SEED_BYTES)
    return [drawn[at : at + SEED_BYTES] for at in range(0, FANOUT * SEED_BYTES, SEED_BYTES)]
