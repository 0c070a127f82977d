"""A guardian's visit: from a certificate to a signed record."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from appliance.errors import UntrustedError
from appliance.ledger.entry import EntryType, IdentityKind
from appliance.ledger.receipt import receipt_text
from appliance.school.link_code import CodeUsedError, check_attempts, check_code, digest, parse_link_code
from appliance.school.statement import NONCE_BYTES, Statement
from appliance.services.carriage import Carriage
from appliance.services.evidence import Card, EvidenceKeeper
from appliance.services.ledger_clock import check_wall_clock
from appliance.services.opening import OpenBox
from appliance.store.appending import Appending, Draft
from appliance.store.cards import CardStore
from appliance.store.evidence import EvidenceStore
from appliance.store.ledger import Confirmation, LedgerStore
from appliance.store.visits import StoredVisit, VisitStore
from appliance.trust.anchors import Anchor
from appliance.trust.chain import AuthenticationCertificate, ExpiredCertificateError, NotYetValidError, verify
from appliance.trust.policy import Policy
from appliance.trust.signature import verify_signature
from appliance.trust.status import NOT_CHECKED

VISIT = "visit"
HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS


class NotLinkedError(UntrustedError):
    """A card that stands for nobody at this school cannot visit; it is linked first."""

    code = "link.needed"


@dataclass(frozen=True)
class KnownCard:
    """A genuine card on the reader. ``guardian`` is a person's id, None while the card is not linked here."""

    certificate: AuthenticationCertificate
    der: bytes = field(repr=False)
    pseudonym: bytes
    guardian: str | None


@dataclass(frozen=True)
class Linking:
    """A link code that was typed and is good; it is used up only with the signed record."""

    guardian: str
    code_digest: bytes = field(repr=False)


class CheckIn:
    """Records a visit. The box says "chains to a pinned root, signature good, revocation not checked", no more."""

    def __init__(
        self,
        box: OpenBox,
        cards: CardStore,
        visits: VisitStore,
        evidence: EvidenceStore,
        anchors: Sequence[Anchor],
        policy: Policy,
        verifier_key: Callable[[], bytes | None],
    ) -> None:
        self._box, self._cards, self._visits = box, cards, visits
        self._anchors, self._policy = anchors, policy
        self._evidence = EvidenceKeeper(box, evidence, verifier_key)
        # Which ledger gave the last index: another program may begin a new one while the guardian reads the screen.
        self._last: tuple[int, str] | None = None

    def recognise(self, der: bytes) -> KnownCard:
        """Raises ``card.untrusted_*`` for a certificate that is not to be believed; ``WrongClockError`` if its dates
        are what is wrong, and the clock of the box cannot be right: no card is blamed for that."""
        now_ms = self._box.clock.now_ms()
        try:
            certificate = verify(der, self._anchors, datetime.fromtimestamp(now_ms / 1000, UTC), self._policy)
        except (ExpiredCertificateError, NotYetValidError):
            check_wall_clock(now_ms, self._box.ledger)
            raise
        pseudonym = certificate.pseudonym(self._box.school_key)
        return KnownCard(certificate, der, pseudonym, self._cards.guardian_of(pseudonym))

    def accept_code(self, text: str, wrong_this_visit: int) -> Linking:
        """Checks a typed link code; raises ``link.*``. A wrong code is counted, a slip of the finger is not."""
        now_ms = self._box.clock.now_ms()
        check_attempts(
            this_visit=wrong_this_visit,
            last_hour=self._cards.attempts_within(HOUR_MS, now_ms),
            last_day=self._cards.attempts_within(DAY_MS, now_ms),
        )
        code_digest = digest(parse_link_code(text), self._box.school_key)
        issued = self._cards.code(code_digest)
        if issued is None:
            self._cards.note_attempt(now_ms)
        check_code(issued, now_ms)
        if issued is None:
            raise AssertionError("check_code lets no unknown code pass")
        return Linking(issued.guardian, code_digest)

    def statement(self, lines: tuple[str, ...], language: str) -> Statement:
        """The statement of a visit now, from exactly the sentences that the screen shows."""
        school = self._box.school
        nonce, now_ms = os.urandom(NONCE_BYTES), self._box.clock.now_ms()
        return Statement(VISIT, school.code, school.name, language, lines, nonce, now_ms)

    def record(self, card: KnownCard, linking: Linking | None, statement: Statement, signature: bytes) -> int:
        """Verifies the card's signature and writes everything in one signed transaction; the entry's index.

        Raises ``card.untrusted_bad_signature``, ``link.code_used`` or ``store.*``; nothing is written then.
        """
        verify_signature(card.certificate, statement.canonical(), signature)
        guardian = linking.guardian if linking is not None else card.guardian
        if guardian is None:
            raise NotLinkedError()
        self._box.room.require()
        with self._box.append() as appending:
            subject = appending.identity(IdentityKind.GUARDIAN, self._box.pseudonym(f"guardian:{guardian}"))
            card_number = appending.identity(IdentityKind.CARD, card.pseudonym)
            if linking is not None:
                self._link(appending, card, linking, subject, card_number)
            shown = Card(card_number, card.pseudonym, card.der)
            sealed = self._evidence.seal(appending, shown, statement.canonical(), signature)
            content = {
                "purpose": statement.purpose,
                "channel": "kiosk",
                "assurance": "jpki.authentication",
                "revocation": str(NOT_CHECKED),
                "language": statement.language,
                "statement": statement.digest(),
                "evidence": None if sealed is None else sealed.evidence.item.digest,
                "card": card_number,
            }
            refs = () if sealed is None else (sealed.introduced,)
            index = appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, content, subject, subject, refs))
            if sealed is not None:
                self._evidence.keep(appending, index, sealed.evidence)
            visit = StoredVisit(index, guardian, statement.purpose, statement.time_ms)
            self._visits.add(appending.transaction, visit)
            origin = appending.origin
        self._last = (index, origin)
        return index

    def end_old_epoch(self) -> None:
        """To be called now and then: at midnight the box forgets how to read the evidence of the day."""
        self._evidence.end_old_epoch()

    def receipt_text(self, index: int) -> str:
        """The text of the receipt's QR code."""
        return receipt_text(self._ledger_of(index).receipt(index))

    def confirmation(self, index: int) -> Confirmation | None:
        """The hub's confirmation of an entry, once it has come: in its own ledger, or carried on in the next one."""
        ledger = self._ledger_of(index)
        if ledger is self._box.ledger:
            return ledger.confirmation(index)
        return Carriage(self._box).confirmation(ledger, index)

    def _ledger_of(self, index: int) -> LedgerStore:
        """That of the last record, if this is its index; else the one that is written now."""
        ledger = self._box.ledger
        if self._last is None or self._last[0] != index or self._last[1] == ledger.origin:
            return ledger
        return LedgerStore.find(self._box.database, self._last[1])

    def _link(self, appending: Appending, card: KnownCard, linking: Linking, subject: int, card_number: int) -> None:
        now_ms = self._box.clock.now_ms()
        if not self._cards.use_code(appending.transaction, linking.code_digest, now_ms):
            raise CodeUsedError()
        content = {"card": card_number, "with": "code"}
        linked = appending.add(Draft(EntryType.GUARDIAN_LINKED, content, actor=subject, subject=subject))
        self._cards.link(appending.transaction, card.pseudonym, linking.guardian, linked, now_ms)


def receipt_number(index: int, generation: int | None = None) -> str:
    """How people see an entry's index: ``M-000123``, or ``M-000123/1`` in an earlier generation of the ledger."""
    return f"M-{index:06d}" + ("" if generation is None else f"/{generation}")
