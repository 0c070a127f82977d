"""Whether the hub takes what it is sent."""

from appliance.services.condition import FAULT, Condition, Problem

REVOKED = "hub.revoked"
LATE_MS = 14 * 86_400_000


def check_hub(condition: Condition) -> Problem | None:
    """Weeks offline are normal; a refusal by the hub is not, and after a fortnight somebody should look."""
    if not condition.enrolled or condition.sync is None:
        return None
    refused = condition.sync.value.get("refused")
    if refused == REVOKED:
        return Problem("health.hub_revoked", FAULT)
    if refused:
        return Problem("health.hub_refuses", FAULT, {"reason": str(refused)})
    if condition.oldest_pending_ms is not None and condition.now_ms - condition.oldest_pending_ms > LATE_MS:
        days = (condition.now_ms - condition.oldest_pending_ms) // 86_400_000
        return Problem("health.hub_late", fields={"days": days, "pending": condition.pending})
    return None
