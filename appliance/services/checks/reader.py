"""Whether a guardian's card can be read."""

from appliance.services.condition import FAULT, Condition, Problem

SILENT_MS = 60_000


def check_reader(condition: Condition) -> Problem | None:
    """The kiosk says every few seconds what it sees of the reader."""
    if condition.reader is None or condition.reader.age_ms > SILENT_MS:
        return Problem("health.kiosk_silent", FAULT)
    state = condition.reader.value.get("state")
    if state == "reader_absent":
        return Problem("health.reader_absent", FAULT)
    if state == "service_absent":
        return Problem("health.reader_service", FAULT)
    return None
