"""What one authentication with a card takes. See ``scripts/bench/card --help``."""

import sys
from argparse import Namespace
from collections.abc import Iterator
from typing import Final

from tests.bench.card.authentications import on_bare_reader, references
from tests.bench.card.daemon import Cardd, memory, recovery, through_cardd
from tests.bench.card.process import in_fresh_process
from tests.bench.card.promises import BENCH, PROMISES, figure
from tests.bench.card.window import Window
from tests.bench.report import Figure, arguments, report
from tests.sim.pcscd import PcscdFailedError, PcscdMissingError

DESCRIPTION: Final = """Exchanges, bytes and time of one authentication (certificate, counter, PIN, one signature) on a
virtual card behind real pcscd, beside OpenSC on the same card; how cardd recovers, and whether its memory grows."""


def main() -> int:
    parser = arguments(BENCH, DESCRIPTION)
    parser.add_argument("--times", type=int, default=50, help="authentications of each kind (default: %(default)s)")
    parser.add_argument(
        "--sessions", type=int, default=2000, help="sessions of cardd for its memory (default: %(default)s)"
    )
    chosen = parser.parse_args()
    if chosen.times < 1:
        parser.error("--times must be 1 at least")
    return report(figures(chosen), chosen.json, sys.stdout)


def figures(chosen: Namespace) -> Iterator[Figure]:
    """Every figure of ``PROMISES``; those that could not be measured come last."""
    missing = dict.fromkeys(PROMISES)
    try:
        for one in measured(chosen.times, chosen.sessions):
            del missing[one.name]
            yield one
    except (PcscdMissingError, PcscdFailedError) as error:
        for name in missing:
            yield figure(name, None, why=str(error))


def measured(times: int, sessions: int) -> Iterator[Figure]:
    """What takes long by itself is repeated less often: a process a fifth, a slow card and a restart a tenth."""
    fifth, tenth = max(1, times // 5), max(1, times // 10)
    with Window() as window:
        beside = references(window, times, tenth)
        yield from on_bare_reader(window, beside, times, tenth)
        yield from in_fresh_process(window, beside, fifth)
        with Cardd(window) as cardd:
            yield from through_cardd(window, cardd, beside, times)
            yield from memory(window, cardd, sessions)
            yield from recovery(window, cardd, tenth)


if __name__ == "__main__":
    sys.exit(main())
