"""The stored tree gives the proofs that the whole one would, and reads little for them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.ledger.entry import EntryType
from appliance.ledger.merkle import Frontier, inclusion_proof, leaf_hash, root_from_inclusion
from appliance.store.appending import Draft
from appliance.store.database import Database
from appliance.store.ledger import OwnLedger
from appliance.store.tree import NoEntryError, Tree, entry_id, node_id

SIZE = 1100


@pytest.fixture
def tree(database: Database, ledger: OwnLedger) -> Tree:
    for count in (1, 15, 300, SIZE - 317):
        with ledger.append() as appending:
            for number in range(count):
                appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"number": number}))
    return Tree(database, ledger._number)


def test_row_numbers_keep_ledgers_and_levels_apart() -> None:
    assert entry_id(1, (1 << 44) - 1) + 1 == entry_id(2, 0)
    assert node_id(1, 4, 0) > node_id(1, 3, (1 << 38) - 1)
    assert node_id(2, 0, 0) > node_id(1, 63, (1 << 38) - 1)
    assert entry_id((1 << 19) - 1, (1 << 44) - 1) == (1 << 63) - 1  # the largest row number of SQLite


def test_every_size_has_its_frontier_and_every_leaf_its_proof(tree: Tree, ledger: OwnLedger) -> None:
    leaves = [leaf_hash(one.entry) for one in ledger.items(0, SIZE)]
    grown = Frontier()
    for size, leaf in enumerate(leaves, 1):
        grown.append(leaf)
        if size % 37 == 0 or size.bit_count() == 1 or size == SIZE:
            assert tree.frontier(size) == grown
    for index in (0, 1, 15, 16, 255, 256, 1023, 1024, SIZE - 1):
        path = inclusion_proof(index, SIZE, tree.node)
        assert root_from_inclusion(leaves[index], index, SIZE, path) == grown.root()


def test_a_frontier_is_the_callers_own(tree: Tree) -> None:
    first = tree.frontier(SIZE)
    first.append(bytes(32))
    assert tree.frontier(SIZE).size == SIZE


def test_what_is_beyond_the_end_is_named(tree: Tree) -> None:
    assert tree.size() == SIZE
    for level, index in ((0, SIZE), (3, SIZE >> 3), (4, SIZE >> 4), (10, 1), (40, 0)):
        with pytest.raises(NoEntryError):
            tree.node(level, index)


def test_an_empty_ledger_has_no_size(database: Database, ledger: OwnLedger) -> None:
    empty = Tree(database, ledger._number)
    assert (empty.size(), empty.frontier(0)) == (0, Frontier())


@settings(deadline=None, database=None, max_examples=20)
@given(first=st.integers(0, 400), second=st.integers(0, 400))
def test_another_edge_is_never_taken_for_the_one_remembered(first: int, second: int) -> None:
    tree, leaves = Tree.__new__(Tree), [leaf_hash(number.to_bytes(2)) for number in range(400)]
    tree._edge = Frontier()

    def node(level: int, index: int) -> bytes:
        whole = Frontier()
        for leaf in leaves[index << level : (index + 1) << level]:
            whole.append(leaf)
        return whole.root()

    tree.node = node  # type: ignore[method-assign]  # the storage is not what is asked here
    for size in (first, second, first):
        expected = Frontier()
        for leaf in leaves[:size]:
            expected.append(leaf)
        assert tree.frontier(size) == expected
