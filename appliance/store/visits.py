"""Who was at the kiosk: the box's own list beside the ledger's pseudonymous entry."""

from dataclasses import dataclass

from appliance.store.database import Database, Transaction


@dataclass(frozen=True, slots=True)
class StoredVisit:
    """``entry`` is the index in the box's ledger, ``guardian`` a person's id, ``at_ms`` milliseconds since 1970."""

    entry: int
    guardian: str
    purpose: str
    at_ms: int


class VisitStore:
    """One row for each visit; ``entry`` ties it to the signed record."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, transaction: Transaction, visit: StoredVisit) -> None:
        transaction.run(
            "INSERT INTO visit VALUES (?, ?, ?, ?)", (visit.entry, visit.guardian, visit.purpose, visit.at_ms)
        )

    def between(self, first_ms: int, last_ms: int) -> list[StoredVisit]:
        """Visits from ``first_ms`` up to, not including, ``last_ms``; the latest first."""
        rows = self._database.rows(
            "SELECT entry, guardian, purpose, at_ms FROM visit WHERE at_ms >= ? AND at_ms < ? ORDER BY entry DESC",
            (first_ms, last_ms),
        )
        return [StoredVisit(*row) for row in rows]
