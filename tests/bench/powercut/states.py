"""Plays an act, then every power cut that is wanted, and looks at what each leaves."""

import json
import random
import shutil
import sys
from itertools import cycle, pairwise
from pathlib import Path
from typing import Final

from tests.bench.findings import Findings
from tests.sim.durable.act import Act, Fact
from tests.sim.powercut.disk import Cut, Disk, leave
from tests.sim.powercut.log import Kind, Record
from tests.sim.powercut.recorder import Recorder

WORKER: Final = "tests.bench.powercut.worker"


def cut_power(act: Act, recorder: Recorder, workshop: Path, states: int, calls: int, seed: int = 0) -> Findings:
    """``calls`` is how often the act is done; the moments are spread over all of it, the kinds of cut take turns.

    Two states of three come from a box that was well; for the others the act is done again on what one of these left,
    so that the power also goes while the box comes back.
    """
    choice = random.Random(f"{seed} {act.name}")
    found = Findings(act.name)
    box = workshop / act.name
    box.mkdir()
    facts = act.prepare(box)
    again = states // 3
    left = _cut(act, recorder, box, facts, states - again, calls, found, choice)
    if left is not None and again:
        _cut(act, recorder, *left, again, calls, found, choice)
    return found


def _cut(
    act: Act,
    recorder: Recorder,
    box: Path,
    promised: list[Fact],
    states: int,
    calls: int,
    found: Findings,
    choice: random.Random,
) -> tuple[Path, list[Fact]] | None:
    """One of the states in a folder of its own, and what was promised there; None if it was a bad one."""
    disk = Disk(box)
    records = recorder.record([sys.executable, "-m", WORKER, act.name, str(box), str(calls)], box)
    found.acknowledged += len(acknowledged(records))
    kept, played, cuts = None, 0, cycle(Cut)
    chosen = choice.randrange(states)
    for number, moment in enumerate(moments(len(records), states, choice)):
        for record in records[played:moment]:
            disk.play(record)
        played, cut = moment, next(cuts)
        facts = promised + acknowledged(records[:moment])
        left, spare = box.with_name(f"{box.name}.left"), box.with_name(f"{box.name}.again")
        left.mkdir()
        leave(disk.after(cut, choice), left)
        if number == chosen:
            shutil.copytree(left, spare)
        faults = len(found.lost) + len(found.unusable)
        found.look(act, left, facts, f"{act.name}, record {moment} of {len(records)}, {cut.value}")
        if number == chosen and faults == len(found.lost) + len(found.unusable):
            kept = spare, facts
        shutil.rmtree(left)
    return kept


def moments(count: int, states: int, choice: random.Random) -> list[int]:
    """So many numbers of records that are played before the power goes, in order, from none to all."""
    edges = [round(count * part / states) for part in range(states + 1)]
    return [choice.randint(begin, end) for begin, end in pairwise(edges)]


def acknowledged(records: list[Record]) -> list[Fact]:
    return [json.loads(record.data) for record in records if record.kind is Kind.NOTE]
