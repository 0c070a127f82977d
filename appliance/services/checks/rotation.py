"""Whether a change of the database key was left in the middle."""

from appliance.services.condition import Condition, Problem


def check_rotation(condition: Condition) -> Problem | None:
    """Nothing is lost then, but the old key is still kept beside the new one."""
    return Problem("health.rotation_unfinished") if condition.rotation_unfinished else None
