"""The tree against RFC 9162's own definitions, written out as the recursion of section 2.1.1."""

import hashlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.ledger.merkle import (
    Frontier,
    ProofError,
    check_consistency,
    consistency_proof,
    frontier_at,
    inclusion_proof,
    leaf_hash,
    leaf_hashes,
    node_hash,
    root_from_inclusion,
)

# The eight inputs and roots that the public implementations of RFC 6962 and 9162 test with.
INPUTS = [bytes.fromhex(one) for one in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
INPUTS.append(bytes.fromhex("606162636465666768696a6b6c6d6e6f"))
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# The proofs that those implementations test with: (index, size, path) and (older size, size, path).
INCLUSION = [
    (0, 1, []),
    (
        0,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        5,
        8,
        [
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
        1,
        5,
        [
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]
CONSISTENCY = [
    (1, 1, []),
    (
        1,
        8,
        [
            "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
        ],
    ),
    (
        6,
        8,
        [
            "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
            "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        ],
    ),
    (
        2,
        5,
        [
            "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
            "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        ],
    ),
]


def reference_root(leaves: list[bytes]) -> bytes:
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(reference_root(leaves[:split]), reference_root(leaves[split:]))


def nodes_of(leaves: list[bytes]) -> tuple[Frontier, dict[tuple[int, int], bytes]]:
    frontier = Frontier()
    runs = frontier.extend(leaves)
    return frontier, {(level, first + at): one for level, first, hashes in runs for at, one in enumerate(hashes)}


def node_of(leaves: list[bytes]) -> Callable[[int, int], bytes]:
    stored = nodes_of(leaves)[1]
    return lambda level, index: stored[level, index]


def test_public_vectors() -> None:
    frontier = Frontier()
    for entry, root in zip(INPUTS, ROOTS, strict=True):
        frontier.append(leaf_hash(entry))
        assert frontier.root().hex() == root


@pytest.mark.parametrize(("index", "size", "path"), INCLUSION)
def test_public_inclusion_proofs(index: int, size: int, path: list[str]) -> None:
    made = inclusion_proof(index, size, node_of([leaf_hash(one) for one in INPUTS]))
    assert [one.hex() for one in made] == path
    assert root_from_inclusion(leaf_hash(INPUTS[index]), index, size, made).hex() == ROOTS[size - 1]


@pytest.mark.parametrize(("old", "size", "path"), CONSISTENCY)
def test_public_consistency_proofs(old: int, size: int, path: list[str]) -> None:
    made = consistency_proof(old, size, node_of([leaf_hash(one) for one in INPUTS]))
    assert [one.hex() for one in made] == path
    check_consistency(old, bytes.fromhex(ROOTS[old - 1]), size, bytes.fromhex(ROOTS[size - 1]), made)


def test_many_leaves_are_hashed_as_each_of_them() -> None:
    assert leaf_hashes(iter(INPUTS)) == [leaf_hash(one) for one in INPUTS]
    assert leaf_hashes([]) == []


def test_empty_tree() -> None:
    assert Frontier().root() == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("size", range(1, 40))
def test_every_proof_of_small_trees(size: int) -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(size)]
    frontier, stored = nodes_of(leaves)
    root = frontier.root()
    assert root == reference_root(leaves)
    assert Frontier.parse(size, frontier.encode()) == frontier

    def node(level: int, index: int) -> bytes:
        return stored[level, index]

    for index, leaf in enumerate(leaves):
        path = inclusion_proof(index, size, node)
        assert root_from_inclusion(leaf, index, size, path) == root
        assert size == 1 or root_from_inclusion(leaf_hash(b"other"), index, size, path) != root
    for old in range(1, size + 1):
        old_root = reference_root(leaves[:old])
        assert frontier_at(old, node).root() == old_root
        path = consistency_proof(old, size, node)
        check_consistency(old, old_root, size, root, path)
        with pytest.raises(ProofError):
            check_consistency(old, leaf_hash(b"other"), size, root, path)


def test_proofs_of_the_wrong_length_are_refused() -> None:
    leaves = [leaf_hash(bytes([number])) for number in range(7)]
    frontier, stored = nodes_of(leaves)
    path = inclusion_proof(3, 7, lambda level, index: stored[level, index])
    with pytest.raises(ProofError):
        root_from_inclusion(leaves[3], 3, 7, path[:-1])
    with pytest.raises(ProofError):
        root_from_inclusion(leaves[3], 3, 7, [*path, path[0]])
    with pytest.raises(ProofError):
        inclusion_proof(7, 7, lambda level, index: stored[level, index])
    consistency = consistency_proof(3, 7, lambda level, index: stored[level, index])
    for broken in (consistency[:-1], [*consistency, b"\0" * 32], []):
        with pytest.raises(ProofError):
            check_consistency(3, reference_root(leaves[:3]), 7, frontier.root(), broken)


def test_a_frontier_that_does_not_fit_is_refused() -> None:
    with pytest.raises(ProofError):
        Frontier.parse(3, b"\0" * 32)


MOST = 300
LEAVES = [leaf_hash(number.to_bytes(2)) for number in range(MOST + 1)]
NODE = node_of(LEAVES)
SIZED = st.integers(1, MOST).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1)))
"""A size, and an index below it."""


def changed(path: list[bytes], data: st.DataObject) -> list[bytes]:
    """The path with one flipped bit, or with one step left out, doubled, new, or exchanged for another one."""
    at = data.draw(st.integers(0, max(0, len(path) - 1)), "step")
    ways = {
        "flip": lambda: [*path[:at], flipped(path[at], data), *path[at + 1 :]],
        "drop": lambda: path[:at] + path[at + 1 :],
        "double": lambda: path[: at + 1] + path[at:],
        "swap": lambda: [*path[:at], path[at + 1], path[at], *path[at + 2 :]],
        "add before": lambda: [LEAVES[0], *path],
        "add behind": lambda: [*path, LEAVES[0]],
    }
    possible = {"flip", "drop", "double"} if path else set()
    possible |= {"swap"} if at + 1 < len(path) else set()
    way = data.draw(st.sampled_from(sorted(possible | {"add before", "add behind"})), "way")
    return ways[way]()


def flipped(step: bytes, data: st.DataObject) -> bytes:
    bit = data.draw(st.integers(0, 8 * len(step) - 1), "bit")
    return (int.from_bytes(step) ^ 1 << bit).to_bytes(len(step))


def leads_to(root: bytes, leaf: bytes, index: int, size: int, path: list[bytes]) -> bool:
    try:
        return root_from_inclusion(leaf, index, size, path) == root
    except ProofError:
        return False


@given(SIZED, st.data())
def test_no_changed_inclusion_proof_leads_to_the_root(sized: tuple[int, int], data: st.DataObject) -> None:
    size, index = sized
    root, path = frontier_at(size, NODE).root(), inclusion_proof(index, size, NODE)
    assert leads_to(root, LEAVES[index], index, size, path)
    assert not leads_to(root, LEAVES[index], index, size, changed(path, data))
    other = data.draw(st.integers(-1, MOST).filter(lambda one: one != index), "other index")
    assert not leads_to(root, LEAVES[index], other, size, path)
    assert not leads_to(root, LEAVES[other % MOST], index, size, path) or other % MOST == index
    # A path does not hold the size of its tree; whoever signs the root signs the size, and each size has its root.
    larger = data.draw(st.integers(1, MOST).filter(lambda one: one != size), "other size")
    assert not leads_to(frontier_at(larger, NODE).root(), LEAVES[index], index, larger, path)


@given(SIZED, st.data())
def test_no_changed_consistency_proof_is_taken(sized: tuple[int, int], data: st.DataObject) -> None:
    size, old = sized[0], sized[1] + 1
    root, old_root = frontier_at(size, NODE).root(), frontier_at(old, NODE).root()
    path = consistency_proof(old, size, NODE)
    check_consistency(old, old_root, size, root, path)
    other_old = data.draw(st.integers(-1, MOST).filter(lambda one: one != old), "other older size")
    other_size = data.draw(st.integers(1, MOST).filter(lambda one: one != size), "other size")
    wrong = [
        (old, old_root, size, root, changed(path, data)),
        (other_old, old_root, size, root, path),
        (old, old_root, other_size, frontier_at(other_size, NODE).root(), path),
        (old, flipped(old_root, data), size, root, path),
        (old, old_root, size, flipped(root, data), path),
    ]
    for one in wrong:
        with pytest.raises(ProofError):
            check_consistency(*one)
