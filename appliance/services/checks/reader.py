"""Whether a guardian's card can be read: the way from the kiosk to the reader, each link by its own name."""

from appliance.services.condition import FAULT, Condition, Problem

SILENT_MS = 60_000


def check_reader(condition: Condition) -> Problem | None:
    """The kiosk says every few seconds what it sees of the reader."""
    if condition.reader is None or condition.reader.age_ms > SILENT_MS:
        if not condition.heard:
            return None
        return Problem("health.kiosk_silent", FAULT)
    said = condition.reader.value
    match said.get("state"):
        case "cardd_absent":
            return Problem("health.cardd_absent", FAULT)
        case "service_absent":
            return Problem("health.reader_service", FAULT)
        case "reader_absent" if said.get("many"):
            found = said.get("found", "")
            return Problem("health.reader_other", FAULT, {"wanted": condition.wanted_reader, "found": found})
        case "reader_absent":
            return Problem("health.reader_absent", FAULT)
        case _:
            return None
