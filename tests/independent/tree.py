"""Entries, bodies and the tree, sections 3 to 6 of docs/ledger.md."""

import hashlib
from typing import Any

from tests.independent.cbor import is_number, need, read


def read_entry(data: bytes) -> list[Any]:
    parts = read(data)
    need(type(parts) is list and len(parts) == 9, "nine parts")
    need(all(is_number(one) for one in parts[:7]), "numbers")
    need(type(parts[7]) is list and all(is_number(one) for one in parts[7]), "references")
    need(type(parts[8]) is bytes and len(parts[8]) == 32, "commitment")
    return list(parts)


class Order:
    """The rules of order of section 3, entry by entry."""

    def __init__(self) -> None:
        self.time = 0
        self.start: int | None = None
        self.kept: set[int] = set()

    def take(self, parts: list[Any], index: int) -> None:
        kind = parts[0]
        need(parts[2] >= self.time, "not older than the one before")
        self.time = parts[2]
        if kind in (1, 2):
            self.start = index
        need(parts[3] == self.start, "boot")
        need(all(one < index for one in parts[7]), "references go back")
        need(kind not in (4, 6, 7, 8, 9) or parts[1] == 1, "version")
        if kind == 4:
            self.erased(parts[7])
        if kind == 9:
            self.kept.add(index)

    def erased(self, indices: list[int]) -> None:
        need(self.kept.isdisjoint(indices), "what is never erased")


# Tree


def leaf_hash(entry: bytes) -> bytes:
    return hashlib.sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


class Tree:
    """Complete subtrees from the left, each with its number of leaves."""

    def __init__(self) -> None:
        self.size = 0
        self.parts: list[tuple[int, bytes]] = []

    def append(self, leaf: bytes) -> None:
        self.size += 1
        self.parts.append((1, leaf))
        while len(self.parts) > 1 and self.parts[-1][0] == self.parts[-2][0]:
            (count, right), (_, left) = self.parts.pop(), self.parts.pop()
            self.parts.append((2 * count, node_hash(left, right)))

    def root(self) -> bytes:
        if not self.parts:
            return hashlib.sha256(b"").digest()
        root = self.parts[-1][1]
        for _, left in reversed(self.parts[:-1]):
            root = node_hash(left, root)
        return root


def largest_split(count: int) -> int:
    split = 1
    while 2 * split < count:
        split *= 2
    return split


def inclusion_root(leaf: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """The root to which a path leads, top down: the last hash of the path is the sibling next to the root."""
    if size == 1:
        need(not path, "length of the path")
        return leaf
    need(bool(path), "length of the path")
    split = largest_split(size)
    if index < split:
        return node_hash(inclusion_root(leaf, index, split, path[:-1]), path[-1])
    return node_hash(path[-1], inclusion_root(leaf, index - split, size - split, path[:-1]))


def consistency_roots(old: int, size: int, path: list[bytes], old_root: bytes, whole: bool) -> tuple[bytes, bytes]:
    """The roots of the older and the newer tree to which a path leads."""
    if old == size:
        need(len(path) == (0 if whole else 1), "length of the path")
        found = old_root if whole else path[0]
        return found, found
    need(bool(path), "length of the path")
    split = largest_split(size)
    if old <= split:
        older, newer = consistency_roots(old, split, path[:-1], old_root, whole)
        return older, node_hash(newer, path[-1])
    older, newer = consistency_roots(old - split, size - split, path[:-1], old_root, False)
    return node_hash(path[-1], older), node_hash(path[-1], newer)


def check_consistency(old: int, old_root: bytes, size: int, root: bytes, path: list[bytes]) -> None:
    need(0 < old <= size, "sizes")
    need(consistency_roots(old, size, path, old_root, True) == (old_root, root), "consistency")
