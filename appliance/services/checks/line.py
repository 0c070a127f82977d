"""Whether the program that sends is there at all; being offline is no fault."""

from appliance.services.condition import FAULT, Condition, Problem

SILENT_MS = 120_000


def check_line(condition: Condition) -> Problem | None:
    if not condition.enrolled or not condition.heard:
        return None
    if condition.sync is None or condition.sync.age_ms > SILENT_MS:
        return Problem("health.sync_silent", FAULT)
    return None
