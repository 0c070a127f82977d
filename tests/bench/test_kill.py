"""Fifty kills lose nothing, and a program that promises too early is found out."""

from pathlib import Path

import pytest

from tests.bench.findings import Findings
from tests.bench.kill.__main__ import figures
from tests.bench.kill.rounds import kill_often
from tests.bench.kill.victim import FailedError, Victim
from tests.sim.durable.acts import ACTS, Append
from tests.sim.durable.controls import HastyAppend
from tests.sim.durable.rekey import Rekey

pytestmark = pytest.mark.scenario
KILLS = 50


def test_nothing_that_was_acknowledged_is_lost() -> None:
    found: list[Findings] = []
    measured = {one.name: one for one in figures(KILLS, 0, found)}
    assert [fault for one in found for fault in one.lost + one.unusable] == []
    assert sum(one.tried for one in found) == KILLS
    for act in ACTS:
        assert (measured[f"{act.name}_lost"].value, measured[f"{act.name}_unusable"].value) == (0, 0)
    assert min(one.acknowledged for one in found if one.act.startswith("append")) > 0
    # When a kill hits is up to the machine; that hardly any did would be a defect of this bench.
    assert sum(one.in_the_middle or 0 for one in found) > KILLS / 5


def test_a_promise_that_comes_before_the_commit_is_found_out(tmp_path: Path) -> None:
    found = kill_often(HastyAppend(), tmp_path, 8)
    assert len(found.lost) > 0
    assert found.tried == 8


def test_a_victim_is_heard_until_it_dies(tmp_path: Path) -> None:
    promised = Append().prepare(tmp_path)
    victim = Victim("append", tmp_path, 1_000_000)
    assert victim.listen_until(4)
    assert victim.acting
    assert len(victim.facts) == 3
    victim.kill()
    assert len(victim.took_s) == len(victim.facts) >= 3
    Append().check(tmp_path, promised + victim.facts)


def test_a_victim_that_ends_by_itself_has_told_everything(tmp_path: Path) -> None:
    Append().prepare(tmp_path)
    victim = Victim("append", tmp_path, 3)
    assert not victim.listen_until(4)
    victim.bury()
    assert (len(victim.facts), victim.acting) == (3, False)


def test_what_is_promised_in_passing_is_heard_without_being_taken_for_the_act(tmp_path: Path) -> None:
    promised = Rekey().prepare(tmp_path)
    victim = Victim("rekey", tmp_path, 1_000_000)
    assert victim.listen_until(3)
    victim.kill()
    retired = [fact for fact in victim.facts if "retired" in fact]
    assert len(victim.facts) > len(retired) == len(victim.took_s) >= 2
    Rekey().check(tmp_path, promised + victim.facts)


def test_a_victim_that_fails_is_not_taken_for_one_that_was_killed(tmp_path: Path) -> None:
    victim = Victim("append", tmp_path, 3)  # nothing was prepared there
    with pytest.raises(FailedError):
        victim.bury()
