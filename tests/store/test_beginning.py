"""How a transaction begins, on bare connections."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from appliance.store.beginning import begin, begin_at_once, begin_reading, try_to_write


@pytest.fixture
def two(tmp_path: Path) -> Iterator[tuple[sqlite3.Connection, sqlite3.Connection]]:
    first, second = (sqlite3.connect(tmp_path / "x.db", timeout=30, isolation_level=None) for _ in range(2))
    first.execute("PRAGMA journal_mode = WAL")
    first.execute("CREATE TABLE note (text TEXT)")
    yield first, second
    first.close()
    second.close()


def timeout_ms(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA busy_timeout").fetchone()[0])


def test_whoever_does_not_wait_is_refused_at_once_and_waits_again_the_next_time(
    two: tuple[sqlite3.Connection, sqlite3.Connection],
) -> None:
    first, second = two
    assert begin(first) is first
    with pytest.raises(sqlite3.OperationalError, match="locked"):
        begin_at_once(second)
    assert (timeout_ms(second), second.in_transaction) == (30_000, False)
    first.execute("COMMIT")
    assert begin_at_once(second) is second
    assert (timeout_ms(second), second.in_transaction) == (30_000, True)


def test_reading_begins_with_the_state_of_that_moment(two: tuple[sqlite3.Connection, sqlite3.Connection]) -> None:
    first, second = two
    assert begin_reading(first) is first
    second.execute("INSERT INTO note VALUES ('later')")
    assert first.execute("SELECT count(*) FROM note").fetchone() == (0,)
    first.execute("COMMIT")
    assert first.execute("SELECT count(*) FROM note").fetchone() == (1,)


def test_a_read_that_fails_leaves_no_transaction_behind(tmp_path: Path) -> None:
    (tmp_path / "x.db").write_bytes(b"no database" * 100)
    broken = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    with pytest.raises(sqlite3.DatabaseError):
        begin_reading(broken)
    assert not broken.in_transaction
    broken.close()


def test_a_trial_leaves_nothing_behind_and_fails_where_nothing_can_be_written(
    two: tuple[sqlite3.Connection, sqlite3.Connection], tmp_path: Path
) -> None:
    first, second = two
    first.execute("PRAGMA user_version = 7")
    try_to_write(first)
    assert (first.in_transaction, second.execute("PRAGMA user_version").fetchone()) == (False, (7,))
    reader = sqlite3.connect(f"file:{tmp_path / 'x.db'}?mode=ro", uri=True, isolation_level=None)
    with closing(reader):
        assert begin(reader) is reader  # this alone does not tell
        reader.execute("ROLLBACK")
        with pytest.raises(sqlite3.OperationalError, match="readonly"):
            try_to_write(reader)
        assert not reader.in_transaction
