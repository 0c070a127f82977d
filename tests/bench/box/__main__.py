"""Starts a box with very many pending records. See ``scripts/bench/box --help``."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from tests.bench.box.start import Drain, drain, fill, time_kiosk
from tests.bench.report import Figure, arguments, percentile, report
from tests.sim.world import World

BENCH: Final = "box"
STARTS: Final = 5
USABLE_S: Final = 1.0
MOST_MIB: Final = 128
DESCRIPTION: Final = """Founds a box with real programs, measures how long its kiosk takes from the start of the process
until a guardian can use it, fills its ledger with records that no hub has seen, and measures again. Then the line comes
up: how soon the first records are confirmed, how fast the others follow, and the most memory that syncd took."""


def main() -> int:
    parser = arguments(BENCH, DESCRIPTION)
    parser.add_argument("--entries", type=int, default=1_000_000, help="pending records (default: %(default)s)")
    parser.add_argument("--span", type=float, default=60.0, help="seconds to watch them go (default: %(default)s)")
    chosen = parser.parse_args()
    if chosen.entries < 1 or chosen.span <= 0:
        parser.error("--entries and --span must be above nothing")
    with tempfile.TemporaryDirectory(prefix="bench-box-") as name:
        return report(figures(Path(name), chosen.entries, chosen.span, STARTS), chosen.json, sys.stdout)


def figures(folder: Path, entries: int, span_s: float, starts: int) -> Iterator[Figure]:
    """``folder`` must be empty; ``starts`` of the kiosk are taken for each median."""
    with World(folder, cards=1, lesson_hours=[]) as world:
        world.line.cut()
        world.programs["syncd"].kill()
        empty_s = percentile([time_kiosk(world) for _ in range(starts)], 50)
        pending = fill(world, entries)
        yield Figure(BENCH, "pending_entries", pending, "1")
        full_s = percentile([time_kiosk(world) for _ in range(starts)], 50)
        yield Figure(BENCH, "kiosk_usable", full_s, "s", empty_s, "the same box without records", USABLE_S)
        world.line.restore()
        drained = drain(world, span_s)
    yield from _drained(drained)


def _drained(found: Drain) -> Iterator[Figure]:
    if found.first_s is None:
        why = "nothing was confirmed while it was watched"
        yield Figure(BENCH, "first_confirmation", None, "s", why=why)
        yield Figure(BENCH, "confirmed", None, "entries/s", why=why)
    else:
        yield Figure(BENCH, "first_confirmation", found.first_s, "s")
        yield Figure(BENCH, "confirmed", found.entries_s, "entries/s")
    yield Figure(BENCH, "syncd_memory", found.peak_mib, "MiB", found.idle_mib, "at its start", MOST_MIB)
    yield Figure(BENCH, "syncd_cores", found.cores, "cores")


if __name__ == "__main__":
    sys.exit(main())
