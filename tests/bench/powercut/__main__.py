"""Cuts the power in the middle of every act that promises to be durable. See ``scripts/bench/powercut --help``."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.bench.findings import Findings, conclude, shares
from tests.bench.powercut.states import cut_power
from tests.bench.report import COULD_NOT_RUN, Figure, arguments, report
from tests.sim.powercut.recorder import CompilerMissingError, Recorder

BENCH: Final = "powercut"
TRIED: Final = "states"
ALL: Final = 1_000_000
DESCRIPTION: Final = """Writes down every write, sync and rename of a process that works on a real encrypted ledger, and
makes the states in which a power cut could leave the disk: what was not synced is there, or not, in any order, torn at
sectors. In each, every entry that was acknowledged before must be there with the same bytes, the tree must verify, and
the box must go on. The last line with --json sums up all acts."""


def main() -> int:
    parser = arguments(BENCH, DESCRIPTION)
    parser.add_argument("--states", type=int, default=400, help="of all acts together (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="other states for another number (default: %(default)s)")
    chosen = parser.parse_args()
    if chosen.states < 1:
        parser.error("--states must be 1 at least")
    found: list[Findings] = []
    try:
        code = report(figures(chosen.states, chosen.seed, found), chosen.json, sys.stdout)
    except CompilerMissingError as error:
        sys.stderr.write(f"{error}\n")
        return COULD_NOT_RUN
    conclude(found, chosen.json, BENCH, TRIED)
    return code


def figures(states: int, seed: int, found: list[Findings], most_calls: int = ALL) -> Iterator[Figure]:
    """Of one act after the other, done ``most_calls`` times at most; what was found is added to ``found``."""
    with tempfile.TemporaryDirectory(prefix="bench-powercut-") as name:
        workshop = Path(name)
        recorder = Recorder(workshop)
        for act, count in shares(states).items():
            found.append(cut_power(act, recorder, workshop, count, min(act.calls, most_calls), seed))
            yield from found[-1].figures(BENCH, TRIED)


if __name__ == "__main__":
    sys.exit(main())
