"""The Merkle tree of RFC 9162 section 2.1, over a storage of perfect subtrees.

``Frontier`` is all that an append needs: the roots of the perfect subtrees along the right edge, largest first, one
for each bit that is set in the size. Proofs ask a ``Node`` function for the root of the perfect subtree of
``2**level`` leaves that begins at leaf ``index << level``.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import NamedTuple, Self

from appliance.errors import UntrustedError

HASH_BYTES = 32
EMPTY_ROOT = sha256(b"").digest()
Node = Callable[[int, int], bytes]


class ProofError(UntrustedError):
    """An inclusion or consistency proof that does not lead to the root."""

    code = "ledger.proof"


class Run(NamedTuple):
    """Roots of neighbouring perfect subtrees of ``2**level`` leaves, the first of them the ``first`` of its level."""

    level: int
    first: int
    hashes: list[bytes]


def leaf_hash(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def leaf_hashes(entries: Iterable[bytes]) -> list[bytes]:
    """Of many, without a call for each."""
    return [sha256(b"\x00" + entry).digest() for entry in entries]


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


@dataclass
class Frontier:
    """The right edge of a tree of ``size`` leaves."""

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    @classmethod
    def parse(cls, size: int, data: bytes) -> Self:
        """From ``encode``; raises ``ProofError`` if the number of hashes does not fit the size."""
        if len(data) != size.bit_count() * HASH_BYTES:
            raise ProofError(reason="frontier does not fit its size", size=size)
        return cls(size, [data[at : at + HASH_BYTES] for at in range(0, len(data), HASH_BYTES)])

    def encode(self) -> bytes:
        return b"".join(self.peaks)

    def copy(self) -> "Frontier":
        return Frontier(self.size, list(self.peaks))

    def append(self, leaf: bytes) -> None:
        """Adds one leaf hash."""
        node, size, peaks = leaf, self.size, self.peaks
        while size & 1:
            node = node_hash(peaks.pop(), node)
            size >>= 1
        peaks.append(node)
        self.size += 1

    def extend(self, leaves: Sequence[bytes]) -> list[Run]:
        """Adds leaf hashes; returns the roots of all perfect subtrees that this completed, level by level."""
        completed: list[Run] = []
        peaks: list[bytes] = []
        level, first, nodes = 0, self.size, list(leaves)
        while nodes:
            completed.append(Run(level, first, nodes))
            if first & 1:
                nodes, first = [self.peaks.pop(), *nodes], first - 1
            if len(nodes) & 1:
                peaks.append(nodes[-1])
            pairs = zip(nodes[::2], nodes[1::2], strict=False)  # a last one without a partner is a peak now
            nodes = [sha256(b"\x01" + one + other).digest() for one, other in pairs]
            level, first = level + 1, first >> 1
        self.peaks += peaks[::-1]  # what is left of the peaks before is higher than all that grew
        self.size += len(leaves)
        return completed

    def root(self) -> bytes:
        """The Merkle Tree Hash of all leaves so far, 32 bytes (RFC 9162 section 2.1.1)."""
        if not self.peaks:
            return EMPTY_ROOT
        root = self.peaks[-1]
        for peak in reversed(self.peaks[:-1]):
            root = node_hash(peak, root)
        return root


def frontier_at(size: int, node: Node) -> Frontier:
    """The frontier that the tree had at an earlier size."""
    frontier, first = Frontier(size), 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            frontier.peaks.append(node(level, first >> level))
            first += 1 << level
    return frontier


def subtree_root(first: int, last: int, node: Node) -> bytes:
    """MTH(D[first:last]) for a range as RFC 9162 splits it: ``first`` is a multiple of the split below ``last``."""
    count = last - first
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return node(level, first >> level)
    split = first + _split(count)
    return node_hash(subtree_root(first, split, node), subtree_root(split, last, node))


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """PATH(index, D[size]) of RFC 9162 section 2.1.3.1, from the leaf upwards."""
    if not 0 <= index < size:
        raise ProofError(reason="no such leaf", index=index, size=size)
    path: list[bytes] = []
    first, last = 0, size
    while last - first > 1:
        split = first + _split(last - first)
        if index < split:
            path.append(subtree_root(split, last, node))
            last = split
        else:
            path.append(subtree_root(first, split, node))
            first = split
    return path[::-1]


def root_from_inclusion(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root that the proof leads to (RFC 9162 section 2.1.3.2); ``ProofError`` if its length is wrong."""
    if not 0 <= index < size:
        raise ProofError(reason="no such leaf", index=index, size=size)
    at, last, root = index, size - 1, leaf
    for sibling in path:
        if last == 0:
            raise ProofError(reason="proof is too long")
        if at & 1 or at == last:
            root = node_hash(sibling, root)
            while at & 1 == 0 and at:
                at, last = at >> 1, last >> 1
        else:
            root = node_hash(root, sibling)
        at, last = at >> 1, last >> 1
    if last:
        raise ProofError(reason="proof is too short")
    return root


def consistency_proof(old: int, size: int, node: Node) -> list[bytes]:
    """PROOF(old, D[size]) of RFC 9162 section 2.1.4.1."""
    if not 0 < old <= size:
        raise ProofError(reason="no such older tree", index=old, size=size)
    path: list[bytes] = []
    first, last, whole = 0, size, True
    while old != last:
        split = first + _split(last - first)
        if old <= split:
            path.append(subtree_root(split, last, node))
            last = split
        else:
            path.append(subtree_root(first, split, node))
            first, whole = split, False
    if not whole:
        path.append(subtree_root(first, last, node))
    return path[::-1]


def check_consistency(old: int, old_root: bytes, size: int, root: bytes, path: list[bytes]) -> None:
    """Raises ``ProofError`` unless the tree of ``size`` extends the older one (RFC 9162 section 2.1.4.2)."""
    if not 0 < old <= size:
        raise ProofError(reason="no such older tree", index=old, size=size)
    if old == size:
        if path or old_root != root:
            raise ProofError(reason="same size, other tree")
        return
    steps = list(path)
    if old & (old - 1) == 0:
        steps.insert(0, old_root)
    if not steps:
        raise ProofError(reason="proof is too short")
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old_hash = new_hash = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise ProofError(reason="proof is too long")
        if at & 1 or at == last:
            old_hash, new_hash = node_hash(step, old_hash), node_hash(step, new_hash)
            while at & 1 == 0 and at:
                at, last = at >> 1, last >> 1
        else:
            new_hash = node_hash(new_hash, step)
        at, last = at >> 1, last >> 1
    if last or old_hash != old_root or new_hash != root:
        raise ProofError(reason="the tree does not extend the older one")


def _split(count: int) -> int:
    """The largest power of two smaller than ``count``."""
    return 1 << (count - 1).bit_length() - 1
