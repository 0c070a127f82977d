"""Which card stands for which guardian, and the one-time codes that make the link."""

from dataclasses import dataclass

from appliance.store.database import Database, Transaction
from appliance.store.schema import GENERATION_NOW


@dataclass(frozen=True, slots=True)
class StoredCode:
    """A printed link code, known by its digest. Times are milliseconds since 1970; None is "not so far"."""

    digest: bytes
    guardian: str
    issued_ms: int
    expires_ms: int
    used_ms: int | None
    withdrawn_ms: int | None


KEPT_MS = 2 * 86_400_000
"""How long an attempt at a code is remembered: twice the longest time that a limit looks back."""


class CardStore:
    """Links, codes and attempts at codes."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def guardian_of(self, pseudonym: bytes) -> str | None:
        """The id of the person whom this card stands for; None while that person is not in the current roster.

        The link itself stays: who comes back with a later roster is known again.
        """
        found = self._database.row(
            "SELECT guardian FROM card_link JOIN person ON person.id = guardian"
            " WHERE pseudonym = ? AND ended_ms IS NULL AND present = 1",
            (pseudonym,),
        )
        return None if found is None else str(found[0])

    def is_linked(self, guardian: str) -> bool:
        found = self._database.row("SELECT 1 FROM card_link WHERE guardian = ? AND ended_ms IS NULL", (guardian,))
        return found is not None

    def link(self, transaction: Transaction, pseudonym: bytes, guardian: str, entry: int, now_ms: int) -> None:
        """Links the card; a guardian may have several, a card stands for one guardian only."""
        row = (pseudonym, guardian, entry, now_ms)
        columns = "pseudonym, guardian, entry, linked_ms, generation"
        transaction.run(f"INSERT OR REPLACE INTO card_link ({columns}) VALUES (?, ?, ?, ?, {GENERATION_NOW})", row)  # noqa: S608

    def add_code(self, transaction: Transaction, code: StoredCode, issued_by: str) -> None:
        """Adds a code; an older one of the same guardian that was not used is withdrawn."""
        transaction.run(
            "UPDATE link_code SET withdrawn_ms = ?"
            " WHERE guardian = ? AND used_ms IS NULL AND withdrawn_ms IS NULL AND expires_ms > ?",
            (code.issued_ms, code.guardian, code.issued_ms),
        )
        transaction.run(
            "INSERT INTO link_code (digest, guardian, issued_ms, expires_ms, issued_by) VALUES (?, ?, ?, ?, ?)",
            (code.digest, code.guardian, code.issued_ms, code.expires_ms, issued_by),
        )

    def code(self, digest: bytes) -> StoredCode | None:
        found = self._database.row(
            "SELECT digest, guardian, issued_ms, expires_ms, used_ms, withdrawn_ms FROM link_code WHERE digest = ?",
            (digest,),
        )
        return None if found is None else StoredCode(*found)

    def open_code(self, guardian: str, now_ms: int) -> StoredCode | None:
        """The guardian's code that can still be used."""
        found = self._database.row(
            "SELECT digest, guardian, issued_ms, expires_ms, used_ms, withdrawn_ms FROM link_code"
            " WHERE guardian = ? AND used_ms IS NULL AND withdrawn_ms IS NULL AND expires_ms > ?",
            (guardian, now_ms),
        )
        return None if found is None else StoredCode(*found)

    def use_code(self, transaction: Transaction, digest: bytes, now_ms: int) -> bool:
        """Marks the code as used; False if it could no longer be."""
        return bool(
            transaction.run(
                "UPDATE link_code SET used_ms = ? WHERE digest = ? AND used_ms IS NULL AND withdrawn_ms IS NULL",
                (now_ms, digest),
            )
        )

    def withdraw_codes_of_absent(self, transaction: Transaction, now_ms: int) -> int:
        """Withdraws the unused codes of who is no longer in the current roster; how many there were."""
        return transaction.run(
            "UPDATE link_code SET withdrawn_ms = ? WHERE used_ms IS NULL AND withdrawn_ms IS NULL"
            " AND guardian IN (SELECT id FROM person WHERE present = 0)",
            (now_ms,),
        )

    def note_attempt(self, now_ms: int) -> None:
        """Remembers that a wrong code was typed; survives a restart, so that it cannot be used to guess on."""
        with self._database.transaction() as transaction:
            transaction.run("DELETE FROM code_attempt WHERE abs(at_ms - ?) >= ?", (now_ms, KEPT_MS))
            transaction.run("INSERT INTO code_attempt VALUES (?)", (now_ms,))

    def attempts_within(self, span_ms: int, now_ms: int) -> int:
        """How many wrong codes were typed less than ``span_ms`` from now.

        Before or after: a clock that was corrected by seconds forgets none, one that was years ahead locks nobody out.
        """
        found = self._database.row("SELECT count(*) FROM code_attempt WHERE abs(at_ms - ?) < ?", (now_ms, span_ms))
        return int(found[0]) if found else 0
