"""Whether something is wrong with what lies on the reader."""

from appliance.services.checks.reader import SILENT_MS
from appliance.services.condition import Condition, Problem

LASTING_MS = 10_000  # less is somebody who is just putting a card there, or a program that only looks
LEFT_MS = 5 * 60_000
MINUTE_MS = 60_000


def check_card(condition: Condition) -> Problem | None:
    """A reader that another program keeps, a card that does not answer, a card that somebody left behind."""
    heard = condition.reader
    if heard is None or heard.age_ms > SILENT_MS:
        return None
    said = heard.value
    lasts = heard.lasting_ms("lasted_s") > LASTING_MS
    if said.get("held") and lasts:
        return Problem("health.reader_held", fields={"reader": said.get("reader", "")})
    if said.get("state") == "mute" and lasts:
        return Problem("health.card_mute")
    left_ms = heard.lasting_ms("left_s") if said.get("left_s") else 0
    if left_ms > LEFT_MS:
        return Problem("health.card_left", fields={"minutes": left_ms // MINUTE_MS})
    return None
