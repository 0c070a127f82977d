"""Kills the process of an act again and again, and looks at what each kill leaves."""

import random
import shutil
import statistics
import time
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.bench.findings import Findings
from tests.bench.kill.victim import Victim
from tests.sim.durable.act import Act

MOST_CALLS: Final = 6
AT_ANY_TIME: Final = 0.2
ACCOMPANIED: Final = 0.5
NEVER: Final = 1_000_000
START_S: Final = 0.03


def kill_often(act: Act, workshop: Path, kills: int, seed: int = 0) -> Findings:
    """The moments are drawn from ``seed``: most in a call that was seen to begin, some at any time from the start on.

    A box that has come through is killed again, until it has had as many lives as the act gives it. Half of the kills
    happen beside another program, whose connection stays.
    """
    choice = random.Random(f"{seed} {act.name}")
    model, box = workshop / f"{act.name}.model", workshop / act.name
    model.mkdir()
    promised = act.prepare(model)
    moments = _rehearse(act, model, box)
    found = Findings(act.name)
    facts, hits = promised, 0
    for number in range(kills):
        if not box.exists():
            shutil.copytree(model, box)
            facts = promised
        with act.beside(box) if choice.random() < ACCOMPANIED else nullcontext([]) as beside:
            victim = Victim(act.name, box, NEVER)
            moments.wait(victim, choice)
            victim.kill()
            hits += victim.acting
            found.acknowledged += len(victim.facts)
            facts = found.look(act, box, facts + victim.facts + beside, f"{act.name}, kill {number + 1}")
            if facts:
                facts += beside  # it goes on meanwhile
        if not facts or (number + 1) % act.lives == 0:
            shutil.rmtree(box)
    found.in_the_middle = hits
    return found


@dataclass(frozen=True)
class Moments:
    """When a victim is killed: ``calls`` is in which of its calls at the latest, ``call_s`` how long each takes."""

    calls: int
    call_s: float

    def wait(self, victim: Victim, choice: random.Random) -> None:
        """Until the moment has come; a victim that ends by itself before has had its moment."""
        if choice.random() < AT_ANY_TIME:
            time.sleep(choice.uniform(0.0, START_S + self.call_s))
        elif victim.listen_until(choice.randint(1, self.calls)):
            time.sleep(choice.uniform(0.0, 1.1 * self.call_s))


def _rehearse(act: Act, model: Path, box: Path) -> Moments:
    """Lets a victim come to its own end."""
    shutil.copytree(model, box)
    victim = Victim(act.name, box, MOST_CALLS)
    victim.bury()
    shutil.rmtree(box)
    return Moments(len(victim.took_s), statistics.median(victim.took_s))
