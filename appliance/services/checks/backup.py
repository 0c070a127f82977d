"""Whether there is a copy of the box to go on from if it breaks."""

from appliance.services.condition import Condition, Problem

LATE_MS = 8 * 86_400_000  # a week, and a day for who does it on another weekday
DAY_MS = 86_400_000


def check_backup(condition: Condition) -> Problem | None:
    """What was recorded for more than a week would be lost with the box, but for what has reached the hub."""
    if condition.unsaved_ms <= LATE_MS or condition.now_ms > condition.latest_plausible_ms:
        return None
    days = condition.unsaved_ms // DAY_MS
    if condition.saved:
        return Problem("health.backup_late", fields={"days": days})
    return Problem("health.backup_none", fields={"days": days})
