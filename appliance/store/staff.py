"""Staff accounts and their sessions. Lockouts and sessions live here, so that a restart does not forget them."""

from dataclasses import dataclass

from appliance.store.database import Database, Transaction


@dataclass(frozen=True, slots=True)
class StoredStaff:
    """``password`` is an argon2id hash in its usual text form."""

    id: str
    name: str
    role: str
    password: str
    failures: int
    locked_until_ms: int


@dataclass(frozen=True, slots=True)
class StoredSession:
    staff: StoredStaff
    started_ms: int
    seen_ms: int


class StaffStore:
    """Accounts by their id, sessions by the digest of their token."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, transaction: Transaction, staff: StoredStaff, now_ms: int) -> None:
        """``ConstraintError`` if the id is taken."""
        transaction.run(
            "INSERT INTO staff (id, name, role, password, added_ms) VALUES (?, ?, ?, ?, ?)",
            (staff.id, staff.name, staff.role, staff.password, now_ms),
        )

    def find(self, staff_id: str, transaction: Transaction | None = None) -> StoredStaff | None:
        found = (transaction or self._database).row(
            "SELECT id, name, role, password, failures, locked_until_ms FROM staff WHERE id = ?", (staff_id,)
        )
        return None if found is None else StoredStaff(*found)

    def count(self) -> int:
        found = self._database.row("SELECT count(*) FROM staff")
        return int(found[0]) if found else 0

    def set_failures(
        self, staff_id: str, failures: int, locked_until_ms: int, transaction: Transaction | None = None
    ) -> None:
        """In a transaction of its own if none is given."""
        if transaction is None:
            with self._database.transaction() as own:
                self.set_failures(staff_id, failures, locked_until_ms, own)
            return
        transaction.run(
            "UPDATE staff SET failures = ?, locked_until_ms = ? WHERE id = ?", (failures, locked_until_ms, staff_id)
        )

    def all(self) -> list[StoredStaff]:
        """Every account, by its id."""
        found = self._database.rows("SELECT id, name, role, password, failures, locked_until_ms FROM staff ORDER BY id")
        return [StoredStaff(*row) for row in found]

    def set_password(self, transaction: Transaction, staff_id: str, password: str) -> bool:
        """Another hash, no lock and no session left of the one before; False if there is no such account."""
        changed = transaction.run(
            "UPDATE staff SET password = ?, failures = 0, locked_until_ms = 0 WHERE id = ?", (password, staff_id)
        )
        transaction.run("DELETE FROM staff_session WHERE staff = ?", (staff_id,))
        return changed > 0

    def open_session(self, transaction: Transaction, digest: bytes, staff_id: str, now_ms: int) -> None:
        transaction.run("INSERT INTO staff_session VALUES (?, ?, ?, ?)", (digest, staff_id, now_ms, now_ms))

    def session(self, digest: bytes) -> StoredSession | None:
        found = self._database.row(
            "SELECT staff.id, name, role, password, failures, locked_until_ms, started_ms, seen_ms"
            " FROM staff_session JOIN staff ON staff.id = staff_session.staff WHERE digest = ?",
            (digest,),
        )
        return None if found is None else StoredSession(StoredStaff(*found[:6]), found[6], found[7])

    def touch_session(self, digest: bytes, now_ms: int) -> None:
        """Only if nobody else writes at this moment: a page that is read waits for nobody."""
        with self._database.transaction(waiting=False) as transaction:
            transaction.run("UPDATE staff_session SET seen_ms = ? WHERE digest = ?", (now_ms, digest))

    def close_session(self, digest: bytes, *, waiting: bool = True) -> None:
        with self._database.transaction(waiting=waiting) as transaction:
            transaction.run("DELETE FROM staff_session WHERE digest = ?", (digest,))

    def close_sessions_before(self, transaction: Transaction, seen_ms: int, started_ms: int) -> None:
        """Forgets the sessions that ended by time."""
        transaction.run("DELETE FROM staff_session WHERE seen_ms < ? OR started_ms < ?", (seen_ms, started_ms))
