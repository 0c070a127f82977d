"""Sixty power cuts lose nothing, and a database that does not wait for the disk is found out."""

import random
from pathlib import Path

import pytest

from tests.bench.findings import Findings
from tests.bench.powercut.__main__ import figures
from tests.bench.powercut.states import acknowledged, cut_power, moments
from tests.sim.durable.acts import ACTS, Append
from tests.sim.durable.controls import UnsafeAppend
from tests.sim.powercut.log import Kind, Record
from tests.sim.powercut.recorder import Recorder

pytestmark = pytest.mark.scenario
STATES, CALLS = 60, 60


@pytest.fixture
def recorder(tmp_path: Path) -> Recorder:
    workshop = tmp_path / "recorder"
    workshop.mkdir()
    return Recorder(workshop)


def test_nothing_that_was_acknowledged_is_lost() -> None:
    found: list[Findings] = []
    measured = {one.name: one for one in figures(STATES, 0, found, CALLS)}
    assert [fault for one in found for fault in one.lost + one.unusable] == []
    assert sum(one.tried for one in found) == STATES
    for act in ACTS:
        assert (measured[f"{act.name}_lost"].value, measured[f"{act.name}_unusable"].value) == (0, 0)
    assert min(one.acknowledged for one in found) > 0


def test_a_database_that_does_not_wait_for_the_disk_is_found_out(recorder: Recorder, tmp_path: Path) -> None:
    """With ``synchronous=NORMAL`` acknowledged entries must be lost, or the disk forgets too little."""
    unsafe = cut_power(UnsafeAppend(), recorder, tmp_path, 14, 20)
    assert len(unsafe.lost) > 3
    safe = cut_power(Append(), recorder, tmp_path, 14, 20)
    assert (safe.tried, safe.lost, safe.unusable) == (14, [], [])
    assert safe.acknowledged == unsafe.acknowledged or safe.acknowledged == 2 * unsafe.acknowledged


def test_the_moments_are_spread_over_everything_that_happened() -> None:
    chosen = moments(1000, 50, random.Random(1))
    assert chosen == sorted(chosen)
    assert all(20 * number <= moment <= 20 * (number + 1) for number, moment in enumerate(chosen))
    assert set(moments(3, 50, random.Random(1))) == {0, 1, 2, 3}


def test_what_was_acknowledged_stands_in_the_notes() -> None:
    records = [Record(Kind.NOTE, 0, 0, "", b'{"a":1}'), Record(Kind.WRITE, 1, 0, "x", b"x")]
    assert acknowledged(records) == [{"a": 1}]
