"""Whether the box belongs to a hub."""

from appliance.services.condition import Condition, Problem


def check_enrolment(condition: Condition) -> Problem | None:
    return None if condition.enrolled else Problem("health.not_enrolled", fields={"pending": condition.pending})
