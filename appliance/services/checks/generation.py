"""Whether the ledger went on in a new generation not long ago."""

from datetime import UTC, datetime

from appliance.ledger.generation import Reason
from appliance.services.condition import NOTE, WARNING, Condition, Problem

TOLD_MS = 30 * 86_400_000
"""Long enough for whoever is responsible to have read it."""


def check_generation(condition: Condition) -> Problem | None:
    """A restore was somebody's decision; that an older copy of the database was put back may be news to everybody."""
    begun = condition.generation
    if begun is None or begun.age_ms > TOLD_MS:
        return None
    at = datetime.fromtimestamp((condition.now_ms - begun.age_ms) / 1000, UTC).astimezone()
    date = f"{at:%Y-%m-%d}"
    if begun.reason is Reason.RESTORED:
        return Problem(
            "health.generation_restored", NOTE, {"number": begun.number, "date": date, "carried": begun.carried}
        )
    return Problem(
        "health.generation_rolled_back", WARNING, {"number": begun.number, "date": date, "carried": begun.carried}
    )
