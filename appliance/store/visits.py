"""Who was at the kiosk: the box's own list beside the ledger's pseudonymous entry."""

from dataclasses import dataclass

from appliance.store.database import Database, Transaction
from appliance.store.schema import GENERATION_NOW


@dataclass(frozen=True, slots=True)
class StoredVisit:
    """``entry`` is the index in the box's ledger, ``guardian`` a person's id, ``at_ms`` milliseconds since 1970.

    ``generation`` is that of the ledger, None for the one that is written now.
    """

    entry: int
    guardian: str
    purpose: str
    at_ms: int
    generation: int | None = None


class VisitStore:
    """One row for each visit; ``entry`` ties it to the signed record."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, transaction: Transaction, visit: StoredVisit) -> None:
        row = (visit.generation, visit.entry, visit.guardian, visit.purpose, visit.at_ms)
        transaction.run(f"INSERT INTO visit VALUES (coalesce(?, {GENERATION_NOW}), ?, ?, ?, ?)", row)  # noqa: S608

    def between(self, first_ms: int, last_ms: int) -> list[StoredVisit]:
        """Visits from ``first_ms`` up to, not including, ``last_ms``; the latest first."""
        rows = self._database.rows(
            f"SELECT entry, guardian, purpose, at_ms, nullif(generation, {GENERATION_NOW}) FROM visit"  # noqa: S608
            " WHERE at_ms >= ? AND at_ms < ? ORDER BY generation DESC, entry DESC",
            (first_ms, last_ms),
        )
        return [StoredVisit(*row) for row in rows]
