"""Whether there is room for records."""

from appliance.services.condition import FAULT, Condition, Problem

LOW_BYTES = 1 << 30
FULL_BYTES = 64 << 20


def check_disk(condition: Condition) -> Problem | None:
    """Warns while there is still time for somebody to come; ``free_mb`` is in units of 2^20 bytes."""
    free_mb = condition.free_bytes >> 20
    if condition.free_bytes < FULL_BYTES:
        return Problem("health.disk_full", FAULT, {"free_mb": free_mb})
    if condition.free_bytes < LOW_BYTES:
        return Problem("health.disk_low", fields={"free_mb": free_mb})
    return None
