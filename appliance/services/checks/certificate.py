"""Whether the certificate of the line was renewed in time."""

from appliance.services.condition import FAULT, Condition, Problem

DAY_MS = 86_400_000


def check_certificate(condition: Condition) -> Problem | None:
    """It is renewed by itself when it is due; half of the time from then to its end is a box's own affair."""
    word = condition.sync.value if condition.sync is not None else {}
    due_ms, until_ms = word.get("certificate_due_ms"), word.get("certificate_until_ms")
    if not condition.enrolled or not isinstance(due_ms, int) or not isinstance(until_ms, int):
        return None
    if condition.now_ms >= until_ms:
        return Problem("health.certificate_ended", FAULT, {"pending": condition.pending})
    if condition.now_ms >= (due_ms + until_ms) // 2:
        return Problem("health.certificate_ends", fields={"days": (until_ms - condition.now_ms) // DAY_MS})
    return None
