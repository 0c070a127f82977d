"""Kills processes in the middle of every act that promises to be durable. See ``scripts/bench/kill --help``."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.bench.findings import Findings, conclude, shares
from tests.bench.kill.rounds import kill_often
from tests.bench.report import Figure, arguments, report

BENCH: Final = "kill"
TRIED: Final = "killed"
DESCRIPTION: Final = """SIGKILL at random moments to a process that works on a real encrypted ledger. Afterwards every
entry that it acknowledged must be there with the same bytes, the tree must verify, and the box must go on. The last
line with --json sums up all acts."""


def main() -> int:
    parser = arguments(BENCH, DESCRIPTION)
    parser.add_argument("--times", type=int, default=1000, help="kills, of all acts together (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="other moments for another number (default: %(default)s)")
    chosen = parser.parse_args()
    if chosen.times < 1:
        parser.error("--times must be 1 at least")
    found: list[Findings] = []
    code = report(figures(chosen.times, chosen.seed, found), chosen.json, sys.stdout)
    conclude(found, chosen.json, BENCH, TRIED)
    return code


def figures(times: int, seed: int, found: list[Findings]) -> Iterator[Figure]:
    """Of one act after the other; what was found is added to ``found``."""
    with tempfile.TemporaryDirectory(prefix="bench-kill-") as name:
        for act, kills in shares(times).items():
            found.append(kill_often(act, Path(name), kills, seed))
            yield from found[-1].figures(BENCH, TRIED)


if __name__ == "__main__":
    sys.exit(main())
