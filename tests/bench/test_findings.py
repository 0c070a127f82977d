"""What was found is counted, judged and summed up."""

import json
from pathlib import Path

import pytest

from appliance.store.faults import StoreError
from tests.bench.findings import Findings, conclude, shares, summary
from tests.sim.durable.act import Act, Fact, LostError, UnusableError, Witness
from tests.sim.durable.acts import ACTS


class Checked(Act):
    """Only its check matters, which ends as it is told."""

    name = "checked"
    share = 1

    def __init__(self, ends: Exception | None) -> None:
        self._ends = ends

    def prepare(self, folder: Path) -> list[Fact]:
        raise AssertionError("nobody runs it: only its check is asked")

    def run(self, folder: Path, witness: Witness, times: int) -> None:
        raise AssertionError("nobody runs it: only its check is asked")

    def check(self, folder: Path, facts: list[Fact]) -> list[Fact]:
        if self._ends is not None:
            raise self._ends
        return [*facts, {"seen": True}]


def looked(ends: Exception | None) -> tuple[Findings, list[Fact]]:
    found = Findings("checked", acknowledged=7)
    return found, found.look(Checked(ends), Path(), [{"told": True}], "there")


def test_what_is_there_must_stay() -> None:
    found, facts = looked(None)
    assert facts == [{"told": True}, {"seen": True}]
    assert (found.tried, found.lost, found.unusable) == (1, [], [])


@pytest.mark.parametrize("error", [UnusableError("x"), StoreError(reason="x"), OSError("x"), ValueError("x")])
def test_what_cannot_be_used_is_counted(error: Exception) -> None:
    found, facts = looked(error)
    assert (facts, found.lost) == ([], [])
    assert found.unusable[0].startswith("there: ")


def test_what_is_lost_is_counted(capsys: pytest.CaptureFixture[str]) -> None:
    found, facts = looked(LostError("entry 3 is not there"))
    assert (facts, found.lost, found.unusable) == ([], ["there: entry 3 is not there"], [])
    verdicts = {one.name: one.ok for one in found.figures("kill", "killed")}
    assert verdicts == {
        "checked_killed": True,
        "checked_acknowledged": True,
        "checked_lost": False,
        "checked_unusable": True,
    }
    conclude([found], True, "kill", "killed")
    told = capsys.readouterr()
    assert told.err == "there: entry 3 is not there\n"
    assert told.out == '{"bench":"kill","killed":1,"acknowledged":7,"lost":1,"verify":"ok"}\n'


def test_another_fault_of_a_test_is_not_taken_for_a_finding() -> None:
    with pytest.raises(KeyError):
        looked(KeyError("x"))


def test_one_line_sums_up_all_acts() -> None:
    well, bad = looked(None)[0], looked(UnusableError("x"))[0]
    assert json.loads(summary([well, bad], "powercut", "states")) == {
        "bench": "powercut",
        "states": 2,
        "acknowledged": 14,
        "lost": 0,
        "verify": "failed",
    }
    assert json.loads(summary([well, well], "powercut", "states"))["verify"] == "ok"


def test_an_act_that_was_never_hit_in_the_middle_misses_its_target() -> None:
    for hits, verdict in ((0, False), (1, True)):
        figures = {one.name: one for one in Findings("x", in_the_middle=hits).figures("kill", "killed")}
        assert figures["x_in_the_middle"].ok is verdict


@pytest.mark.parametrize("total", [50, 60, 400, 1000])
def test_each_act_gets_its_share_of_the_whole(total: int) -> None:
    parts = shares(total)
    assert tuple(parts) == ACTS
    assert sum(parts.values()) == total
    assert min(shares(1).values()) == 1
