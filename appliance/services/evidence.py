"""The evidence of what guardians do: sealed as soon as it is there, for the hub's verifier alone."""

import hashlib
import hmac
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any

from appliance.errors import RefusedError
from appliance.ledger.entry import EntryType
from appliance.ledger.evidence import EvidenceSealer, SealedEvidence, SignedStatement
from appliance.ledger.evidence_file import Claim, EvidenceFile
from appliance.services.opening import OpenBox
from appliance.store.appending import Appending, Draft
from appliance.store.evidence import EvidenceStore, StoredEvidence
from appliance.store.ledger import LedgerStore

KNOWN_DOMAIN = b"madoguchi known certificate 1"


class NoEvidenceError(RefusedError):
    """An entry without evidence: it needs none, the box had no verifier yet, or it is erased; ``reason`` says which."""

    code = "evidence.none"


@dataclass(frozen=True)
class Card:
    """A genuine card; ``number`` is that of its identity in the ledger, ``der`` its certificate."""

    number: int
    pseudonym: bytes
    der: bytes = field(repr=False)


@dataclass(frozen=True)
class SealedAct:
    """``introduced`` is the index of the entry that names the item of the card's certificate."""

    evidence: StoredEvidence
    introduced: int


class EvidenceKeeper:
    """Holds the key of one epoch, in memory only: a new one at each start, each local day, and for a new verifier.

    ``verifier_key`` gives the verifier's public key, None before the box is enrolled; what cannot be sealed is not
    kept.
    """

    def __init__(self, box: OpenBox, store: EvidenceStore, verifier_key: Callable[[], bytes | None]) -> None:
        self._box, self._store, self._verifier_key = box, store, verifier_key
        self._lock = threading.Lock()  # what follows is used by whoever records and by whoever watches the clock
        self._sealer: EvidenceSealer | None = None
        self._begun: tuple[date, bytes] | None = None

    def seal(self, appending: Appending, card: Card, statement: bytes, signature: bytes) -> SealedAct | None:
        """Seals an act, and before it the card's certificate unless an earlier entry has introduced it.

        None before the box is enrolled. The item of the act is to be written with ``keep``.
        """
        verifier = self._verifier_key()
        if verifier is None:
            return None
        introduced = self._introduce(appending, card, verifier)
        signed = SignedStatement(statement, hashlib.sha256(card.der).digest(), signature)
        return SealedAct(self._sealed(verifier, lambda sealer: sealer.seal(signed)), introduced)

    def keep(self, appending: Appending, entry: int, evidence: StoredEvidence) -> None:
        """Writes the item that the entry names in the entry's own transaction."""
        self._store.add(appending.transaction, entry, evidence, self._box.clock.now_ms())

    def end_old_epoch(self) -> None:
        """Forgets the key of an epoch whose day is over; to be called now and then, it costs next to nothing."""
        with self._lock:
            if self._begun is not None and self._begun[0] != self._today():
                self._end()

    def _introduce(self, appending: Appending, card: Card, verifier: bytes) -> int:
        known = self._known(card, verifier)
        entry = self._store.certificate(appending.transaction, known)
        if entry is None:
            sealed = self._sealed(verifier, lambda sealer: sealer.seal_certificate(card.der))
            draft = Draft(EntryType.CARD_CERTIFICATE, {"evidence": sealed.item.digest}, subject=card.number)
            entry = appending.add(draft)
            self.keep(appending, entry, sealed)
            self._store.add_certificate(appending.transaction, known, entry)
        return entry

    def _sealed(self, verifier: bytes, seal: Callable[[EvidenceSealer], SealedEvidence]) -> StoredEvidence:
        with self._lock:
            begun = (self._today(), verifier)
            if self._sealer is None or self._begun != begun:
                self._end()
                self._sealer, self._begun = EvidenceSealer(verifier), begun
            return StoredEvidence(seal(self._sealer), self._sealer.message)

    def _end(self) -> None:
        if self._sealer is not None:
            self._sealer.end()
        self._sealer = self._begun = None

    def _today(self) -> date:
        return datetime.fromtimestamp(self._box.clock.now_ms() / 1000, UTC).astimezone().date()

    def _known(self, card: Card, verifier: bytes) -> bytes:
        # A verifier that comes later cannot open what was sealed for this one: for it the certificate is a new one.
        said = card.pseudonym + hashlib.sha256(verifier).digest() + hashlib.sha256(card.der).digest()
        return hmac.digest(self._box.school_key, KNOWN_DOMAIN + said, hashlib.sha256)


def evidence_file(ledger: LedgerStore, store: EvidenceStore, entry: int) -> EvidenceFile:
    """The evidence of an act as it goes to the verifier; raises ``NoEvidenceError``, or ``NoEntryError``."""
    recorded = ledger.entry(entry)
    if recorded.type != EntryType.GUARDIAN_AUTHENTICATED.number:
        raise NoEvidenceError(entry=entry, reason="no act of a guardian")
    introduced = next((one for one in recorded.refs if _is_certificate(ledger, one)), None)
    if introduced is None:
        raise NoEvidenceError(entry=entry, reason="not sealed")
    body, act = _named(ledger, store, entry)
    _, certificate = _named(ledger, store, introduced)
    claim = Claim(ledger.origin, entry, body["statement"], act.item, certificate.item)
    return EvidenceFile(claim, act.message, certificate.message)


def _is_certificate(ledger: LedgerStore, entry: int) -> bool:
    return ledger.entry(entry).type == EntryType.CARD_CERTIFICATE.number


def _named(ledger: LedgerStore, store: EvidenceStore, entry: int) -> tuple[dict[str, Any], StoredEvidence]:
    body = ledger.body(entry)
    if body is None:
        raise NoEvidenceError(entry=entry, reason="erased")
    content = body.read()
    found = store.find(content["evidence"])
    if found is None:
        raise NoEvidenceError(entry=entry, reason="erased")
    return content, found
