"""The ledger's benchmark says every figure, also for a short ledger."""

import os
from argparse import Namespace
from pathlib import Path

import pytest

from tests.bench.ledger import BATCH, Bench, figures

SETTINGS = ("page_size", "journal_mode", "synchronous", "secure_delete", "wal_autocheckpoint", "cipher_hmac_algorithm")


def test_every_figure_is_measured() -> None:
    measured = {one.name: one for one in figures(Namespace(rounds=1, entries=2000, json=True))}
    assert set(measured) == {
        "append_single_per_s",
        "append_single_per_s_of_signed",
        "append_batch_per_s",
        "append_batch_per_s_of_many",
        "receipt_ms_p50",
        "verify_entries_per_s",
        "seal_day_ms_p50",
        "open_ms",
    }
    assert all(one.value for one in measured.values())
    assert {one.name for one in measured.values() if one.of_ratio} == {
        "append_single_per_s",
        "append_single_per_s_of_signed",
        "append_batch_per_s",
        "append_batch_per_s_of_many",
        "open_ms",
    }


@pytest.mark.parametrize("count", [1, BATCH])
def test_the_reference_writes_as_many_bytes_in_as_many_rows_and_as_safely(tmp_path: Path, count: int) -> None:
    bench = Bench(tmp_path, os.urandom(32))
    bench.append(BATCH)
    bench.append(1)
    bench.prepare(count)
    size = bench.ledger.head().size
    bench.append(count)
    for write in (bench.insert, bench.insert_many, bench.insert_signed):
        before = bench.bare.row("SELECT count(*), coalesce(sum(length(data)), 0) FROM bare") or ()
        write(count)
        after = bench.bare.row("SELECT count(*), sum(length(data)) FROM bare") or ()
        rows, written = after[0] - before[0], after[1] - before[1]
        ours = "SELECT count(*), sum(length(entry) + length(body) + coalesce(length(head), 0)) FROM entry WHERE id >= ?"
        there = bench.database.row(ours, (1 << 44 | size,)) or ()
        assert rows == there[0] == count
        assert written == pytest.approx(there[1], rel=0.02)  # of a batch only the last row has a head
    for setting in SETTINGS:
        found = bench.database.row(f"PRAGMA {setting}")
        assert found is not None
        assert found == bench.bare.row(f"PRAGMA {setting}")
    bench.close()
