"""The last word of each program, for the others to read."""

import pytest

from appliance.store.database import Database
from appliance.store.faults import ConstraintError
from appliance.store.signal import Signal, SignalStore


def test_the_last_word_counts(database: Database) -> None:
    signals = SignalStore(database)
    assert signals.read("sync") is None
    signals.write("sync", {"connected": True, "size": 3, "error": None}, 1)
    signals.write("sync", {"connected": False, "error": "line.lost"}, 2)
    signals.write("reader", {"present": True}, 3)
    assert signals.read("sync") == Signal({"connected": False, "error": "line.lost"}, 2)
    assert signals.read("reader") == Signal({"present": True}, 3)


def test_another_connection_sees_that_something_was_said(database: Database) -> None:
    with Database.open(database.path, b"k" * 32) as other:
        before = other.data_version()
        SignalStore(database).write("sync", {}, 1)
        assert other.data_version() != before


def test_only_json_is_kept(database: Database) -> None:
    with pytest.raises(ConstraintError), database.transaction() as transaction:
        transaction.run("INSERT INTO signal VALUES ('x', 'no json', 1)")
