"""Whether the wall clock is further on than can be."""

from appliance.services.condition import FAULT, Condition, Problem


def check_clock_ahead(condition: Condition) -> Problem | None:
    """``year`` is what the clock says; records keep the time of the one before for as long."""
    if condition.now_ms <= condition.latest_plausible_ms:
        return None
    return Problem("clock.ahead", FAULT, {"year": str(_year(condition.now_ms))})


def _year(ms: int) -> int:
    return 1970 + int(ms / 31_556_952_000)  # the mean year of the calendar, which also holds past the year 9999
