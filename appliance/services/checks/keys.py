"""Whether the keys are worth anything without the box."""

from appliance.services.condition import NOTE, Condition, Problem


def check_keys(condition: Condition) -> Problem | None:
    """Says it where a copy of the disk is enough to open the records, as on a board without a TPM."""
    if condition.keys is not None and not condition.keys.tpm:
        return Problem("health.keys_on_disk", NOTE)
    return None
