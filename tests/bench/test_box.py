"""The bench of the backlog, with a small one."""

from pathlib import Path

import pytest

from tests.bench.box.__main__ import figures

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(120)]
ENTRIES = 3_000


def test_a_small_backlog_is_measured_to_its_end(tmp_path: Path) -> None:
    found = {one.name: one for one in figures(tmp_path / "world", ENTRIES, 20.0, 1)}
    assert list(found) == [
        "pending_entries", "kiosk_usable", "first_confirmation", "confirmed", "syncd_memory", "syncd_cores",
    ]  # fmt: skip
    pending, memory, first = found["pending_entries"].value, found["syncd_memory"], found["first_confirmation"].value
    assert pending is not None
    assert pending >= ENTRIES
    assert found["kiosk_usable"].reference is not None
    assert memory.value is not None
    assert memory.reference is not None
    assert memory.value >= memory.reference > 10
    assert first is not None
    assert first > 0
