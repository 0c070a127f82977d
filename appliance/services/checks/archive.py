"""Whether the days are sealed for the archive."""

from appliance.services.condition import Condition, Problem

LATE_MS = 3 * 86_400_000  # a night that fails is made up for the next
DAY_MS = 86_400_000


def check_archive(condition: Condition) -> Problem | None:
    """What is not sealed has nothing but the signatures of every day, which may not last as long as the records."""
    if condition.unsealed_ms <= LATE_MS or condition.now_ms > condition.latest_plausible_ms:
        return None
    return Problem("health.seal_late", fields={"days": condition.unsealed_ms // DAY_MS})
