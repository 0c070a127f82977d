"""The tree against RFC 9162's own definitions, written out as the recursion of section 2.1.1."""

import hashlib

import pytest

from appliance.ledger.merkle import (
    Frontier,
    ProofError,
    check_consistency,
    consistency_proof,
    frontier_at,
    inclusion_proof,
    leaf_hash,
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


def test_public_vectors() -> None:
    frontier = Frontier()
    for entry, root in zip(INPUTS, ROOTS, strict=True):
        frontier.append(leaf_hash(entry))
        assert frontier.root().hex() == root


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
