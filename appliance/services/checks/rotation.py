"""Whether a change of the database key or of the device key was left in the middle."""

from appliance.services.condition import Condition, Problem


def check_rotation(condition: Condition) -> Problem | None:
    """Nothing is lost then, but the old key is still kept beside the new one."""
    if condition.rotation_unfinished:
        return Problem("health.rotation_unfinished")
    return Problem("health.device_rotation_unfinished") if condition.device_rotation_unfinished else None
