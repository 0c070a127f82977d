"""One secret gives all keys, and forgets single ones for good."""

import random
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.store.body_keys import FANOUT, SEED_BYTES, TOP, BodyKeys, expand
from appliance.store.database import Database
from appliance.store.migrate import migrate
from appliance.store.schema import LEDGER
from appliance.store.tree import node_id
from tests.sim.box import DATABASE_KEY

LAST = (1 << 32) - 1


def begun(path: Path, *ledgers: int) -> Database:
    database = Database.create(path, DATABASE_KEY)
    migrate(database, (LEDGER,))
    with database.transaction() as transaction:
        for ledger in ledgers:
            BodyKeys.begin(transaction, ledger)
    return database


def seeds(database: Database) -> list[bytes]:
    return [seed for (seed,) in database.rows("SELECT seed FROM body_seed")]


def derivable(database: Database, ledger: int, indices: list[int]) -> dict[int, bytes]:
    """Straight from the rows, without the code under test: every key that they still lead to."""
    found = {}
    rows: dict[int, bytes] = dict(database.rows("SELECT id, seed FROM body_seed"))
    for index in indices:
        for level in range(TOP + 1):
            seed = rows.get(node_id(ledger, level, index >> 4 * level))
            if seed is not None:
                for below in reversed(range(level)):
                    seed = expand(seed)[index >> 4 * below & 15]
                found[index] = seed
    return found


def test_sixteen_seeds_that_have_nothing_in_common() -> None:
    children = expand(b"s" * SEED_BYTES)
    assert len(set(children)) == FANOUT
    assert {len(child) for child in children} == {SEED_BYTES}
    assert not set(children) & set(expand(b"t" * SEED_BYTES))


def test_every_index_of_every_ledger_has_its_own_key(tmp_path: Path) -> None:
    with begun(tmp_path / "keys.db", 1, 2) as database:
        first, second = BodyKeys(database, 1), BodyKeys(database, 2)
        indices = [*range(300), 1 << 20, LAST - 1, LAST]
        keys = {one.key(index) for one in (first, second) for index in indices}
        assert len(keys) == 2 * len(indices)
        assert None not in keys
        again = BodyKeys(database, 1)
        assert [again.key(index) for index in reversed(indices)] == [first.key(index) for index in reversed(indices)]
        assert first.key(LAST + 1) is None
        assert BodyKeys(database, 3).key(0) is None


@pytest.mark.parametrize(("first", "count"), [(0, 1), (15, 2), (5, 300), (16, 16), (256, 0), (LAST - 40, 42)])
def test_neighbouring_keys_are_those_of_each_index(tmp_path: Path, first: int, count: int) -> None:
    with begun(tmp_path / "keys.db", 1) as database:
        with database.transaction() as transaction:
            assert BodyKeys(database, 1).forget(transaction, 17)
        single = BodyKeys(database, 1)
        asked = range(first, first + count)
        assert BodyKeys(database, 1).keys(first, count) == [single.key(index) for index in asked]


def test_a_forgotten_key_is_gone_and_the_others_are_not(tmp_path: Path) -> None:
    with begun(tmp_path / "keys.db", 1) as database:
        keys = BodyKeys(database, 1)
        indices = [*range(40), 255, 256, 4096, LAST]
        before = {index: keys.key(index) for index in indices}
        forgotten = [0, 17, 18, 255, LAST]
        for index in forgotten:
            with database.transaction() as transaction:
                assert keys.forget(transaction, index)
                assert not keys.forget(transaction, index)
        for one in (keys, BodyKeys(database, 1)):
            assert {index: one.key(index) for index in indices} == {
                index: None if index in forgotten else key for index, key in before.items()
            }
        assert derivable(database, 1, indices) == {
            index: key for index, key in before.items() if index not in forgotten
        }
        assert not set(seeds(database)) & {before[index] for index in forgotten}


def test_forgetting_that_is_rolled_back_forgets_nothing(tmp_path: Path) -> None:
    with begun(tmp_path / "keys.db", 1) as database:
        keys = BodyKeys(database, 1)
        key = keys.key(5)
        try:
            with database.transaction() as transaction:
                assert keys.forget(transaction, 5)
                assert keys.key(5) is None
                raise KeyError
        except KeyError:
            assert BodyKeys(database, 1).key(5) == key


def test_a_whole_year_that_goes_leaves_few_rows(tmp_path: Path) -> None:
    with begun(tmp_path / "keys.db", 1) as database:
        keys = BodyKeys(database, 1)
        with database.transaction() as transaction:
            for index in range(5000):
                keys.forget(transaction, index)
        assert len(seeds(database)) <= TOP * (FANOUT - 1)


@settings(deadline=None, database=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.integers(0, 600) | st.integers(0, LAST), min_size=1, max_size=30), st.integers())
def test_any_order_of_forgetting(tmp_path: Path, forgotten: list[int], seed: int) -> None:
    path = tmp_path / "keys.db"
    path.unlink(missing_ok=True)
    with begun(path, 1) as database:
        keys, others = BodyKeys(database, 1), random.Random(seed)
        asked = [*forgotten, *(others.randrange(LAST) for _ in range(10)), *range(0, 600, 7)]
        before = {index: keys.key(index) for index in asked}
        with database.transaction() as transaction:
            assert sum(keys.forget(transaction, index) for index in forgotten) == len(set(forgotten))
        after = {index: keys.key(index) for index in asked}
        assert after == {index: None if index in forgotten else key for index, key in before.items()}
        assert derivable(database, 1, asked) == {index: key for index, key in after.items() if key is not None}
