"""Whether it is settled which of several readers counts."""

from appliance.services.checks.reader import SILENT_MS
from appliance.services.condition import Condition, Problem


def check_readers(condition: Condition) -> Problem | None:
    """More than one reader and no name in the settings: the one with a card counts, which may surprise."""
    if condition.reader is None or condition.reader.age_ms > SILENT_MS or condition.wanted_reader:
        return None
    said = condition.reader.value
    many, reader = said.get("many", 0), said.get("reader", "")
    if not isinstance(many, int) or many < 2 or not reader:
        return None
    return Problem("health.reader_several", fields={"many": many, "reader": reader, "found": said.get("found", "")})
