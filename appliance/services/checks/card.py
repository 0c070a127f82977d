"""Whether something is wrong with what lies on the reader."""

from appliance.services.checks.reader import SILENT_MS
from appliance.services.condition import Condition, Problem

MUTE_MS = 30_000
LEFT_MS = 10 * 60_000
MINUTE_MS = 60_000


def check_card(condition: Condition) -> Problem | None:
    """A reader that another program keeps, a card that does not answer, a card that somebody left behind."""
    if condition.reader is None or condition.reader.age_ms > SILENT_MS:
        return None
    said = condition.reader.value
    since_ms = said.get("since_ms")
    lasted_ms = condition.now_ms - since_ms if isinstance(since_ms, int) else 0
    minutes = lasted_ms // MINUTE_MS
    if said.get("held") and lasted_ms > MUTE_MS:
        return Problem("health.reader_held", fields={"reader": said.get("reader", ""), "minutes": minutes})
    if said.get("state") == "mute" and lasted_ms > MUTE_MS:
        return Problem("health.card_mute", fields={"minutes": minutes})
    if said.get("state") == "present" and lasted_ms > LEFT_MS:
        return Problem("health.card_left", fields={"minutes": minutes})
    return None
