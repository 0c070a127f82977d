"""One-time codes that staff print so that a guardian can link a card."""

import secrets
from dataclasses import dataclass, field

from appliance.errors import RefusedError
from appliance.ledger.entry import EntryType, IdentityKind
from appliance.school.link_code import LinkCode, digest, expiry_ms, make_link_code
from appliance.services.ledger_clock import check_wall_clock
from appliance.services.opening import OpenBox
from appliance.store.appending import Draft
from appliance.store.cards import CardStore, StoredCode
from appliance.store.people import ListedPerson, PeopleStore


class NotAGuardianError(RefusedError):
    """Link codes are for guardians of the current roster."""

    code = "link.not_a_guardian"


@dataclass(frozen=True)
class PrintedCode:
    """A new code, to be printed at once: the box keeps only its digest and cannot show it again."""

    guardian: ListedPerson
    code: LinkCode = field(repr=False)
    expires_ms: int


class LinkCodes:
    """Issues codes; every one is an entry of the ledger with the staff member who issued it."""

    def __init__(self, box: OpenBox, cards: CardStore, people: PeopleStore) -> None:
        self._box, self._cards, self._people = box, cards, people

    def issue(self, guardian_id: str, staff_id: str) -> PrintedCode:
        """A code for this guardian; an older unused one ends.

        Raises ``NotAGuardianError``, ``DiskFullError``, or ``WrongClockError``: the code would have expired before it
        is on paper, or for years not.
        """
        guardian = self._people.person(guardian_id)
        if guardian is None or guardian.kind != "guardian" or not guardian.present:
            raise NotAGuardianError()
        self._box.room.require()
        now_ms = self._box.clock.now_ms()
        check_wall_clock(now_ms, self._box.ledger)
        code = self._unused()
        stored = StoredCode(digest(code, self._box.school_key), guardian_id, now_ms, expiry_ms(now_ms), None, None)
        with self._box.append() as appending:
            actor = appending.identity(IdentityKind.STAFF, self._box.pseudonym(f"staff:{staff_id}"))
            subject = appending.identity(IdentityKind.GUARDIAN, self._box.pseudonym(f"guardian:{guardian_id}"))
            self._cards.add_code(appending.transaction, stored, staff_id)
            appending.add(Draft(EntryType.LINK_CODE_ISSUED, {}, actor=actor, subject=subject))
        return PrintedCode(guardian, code, stored.expires_ms)

    def _unused(self) -> LinkCode:
        while True:  # ten million codes, some hundreds in use: a second round is rare
            code = make_link_code(secrets.randbelow)
            if self._cards.code(digest(code, self._box.school_key)) is None:
                return code
