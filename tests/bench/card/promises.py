"""Every figure of this benchmark: its unit, and the most that is promised of it. None: told, not promised."""

from collections.abc import Mapping
from typing import Final

from tests.bench.report import Figure

BENCH: Final = "card"
EXCHANGES, BYTES, MS, KB, GROWTH = "exchanges", "B", "ms", "kB", "kB/1000 sessions"

PROMISES: Final[Mapping[str, tuple[str, float | None]]] = {
    "exchanges_extended": (EXCHANGES, 5),
    "bytes_extended": (BYTES, None),
    "own_ms_p50": (MS, 20),
    "own_ms_p95": (MS, None),
    "wall_ms_p50": (MS, None),
    "exchanges_short": (EXCHANGES, 10),
    "bytes_short": (BYTES, None),
    "cold_exchanges_extended": (EXCHANGES, 5),
    "cold_own_ms_p50": (MS, 20),
    "cold_wall_ms_p50": (MS, None),
    "cold_exchanges_short": (EXCHANGES, 11),
    "contactless_wall_ms_p50": (MS, None),
    "cardd_exchanges_extended": (EXCHANGES, 5),
    "cardd_bytes_extended": (BYTES, None),
    "cardd_own_ms_p50": (MS, 20),
    "cardd_own_ms_p95": (MS, None),
    "cardd_wall_ms_p50": (MS, None),
    "cardd_exchanges_short": (EXCHANGES, 10),
    "cardd_bytes_short": (BYTES, None),
    "loss_told_ms": (MS, None),
    "recovery_ms": (MS, 2000),
    "replug_ms": (MS, 2000),
    "memory_kb": (KB, None),
    "memory_growth_kb_per_1000_sessions": (GROWTH, 16),
}


def figure(
    name: str,
    value: float | None,
    reference: float | None = None,
    reference_is: str | None = None,
    why: str | None = None,
) -> Figure:
    """The figure of this name; raises ``KeyError`` for one that is not in ``PROMISES``."""
    unit, target = PROMISES[name]
    return Figure(BENCH, name, value, unit, reference, reference_is, target, why=why)
