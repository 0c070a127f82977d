"""Whether the wall clock can be right."""

from appliance.ledger.entry import EPOCH_MS
from appliance.services.condition import FAULT, Condition, Problem

TOLERATED_MS = 60_000
UNITS = (("days", 86_400_000), ("hours", 3_600_000), ("minutes", 60_000))
LEAST_OF_A_UNIT = 2
"""Up to here the smaller unit is said: 36 hours, not one day."""


def check_clock(condition: Condition) -> Problem | None:
    """A clock before the ledgers' epoch was never set; one behind the last entry has stepped back.

    ``behind`` is in the largest ``unit`` of which it is two at least.
    """
    if condition.now_ms < EPOCH_MS:
        return Problem("clock.unset", FAULT)
    behind_ms = condition.last_entry_ms - condition.now_ms
    if behind_ms > TOLERATED_MS:
        unit, unit_ms = next((one for one in UNITS if behind_ms >= LEAST_OF_A_UNIT * one[1]), UNITS[-1])
        return Problem("clock.backwards", FAULT, {"behind": behind_ms // unit_ms, "unit": unit})
    return None
