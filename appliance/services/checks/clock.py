"""Whether the wall clock can be right."""

from appliance.ledger.entry import EPOCH_MS
from appliance.services.condition import FAULT, Condition, Problem

TOLERATED_MS = 60_000


def check_clock(condition: Condition) -> Problem | None:
    """A clock before the ledgers' epoch was never set; one behind the last entry has stepped back."""
    if condition.now_ms < EPOCH_MS:
        return Problem("clock.unset", FAULT)
    behind_ms = condition.last_entry_ms - condition.now_ms
    if behind_ms > TOLERATED_MS:
        return Problem("clock.backwards", FAULT, {"minutes": behind_ms // 60_000})
    return None
