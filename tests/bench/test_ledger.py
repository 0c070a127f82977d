"""The ledger's benchmark says every figure, also for a short ledger."""

from argparse import Namespace

from tests.bench.ledger import figures


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
