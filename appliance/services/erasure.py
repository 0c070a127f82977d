"""Erasing the content of records: by a rule when its time is over, or by an order of a person.

The record stays and its ledger verifies; what it said is gone from the database, from its log and free pages, and from
every copy that holds no keys. An earlier generation of the ledger is closed: the one that is written says what was
erased there.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from appliance.errors import RefusedError
from appliance.ledger.carried import original
from appliance.ledger.day_seals import SEALING
from appliance.ledger.entry import EPOCH_MS, EntryType
from appliance.school.retention import Retention, Rule
from appliance.services.carriage import Carriage
from appliance.services.generations import find_generation, generations
from appliance.services.opening import OpenBox
from appliance.store.appending import Appending
from appliance.store.database import Database
from appliance.store.erasing import erase_earlier
from appliance.store.evidence import EvidenceStore
from appliance.store.ledger import LedgerStore, SupersededError

AT_ONCE = 2_000
"""Bodies erased in one transaction: the window goes on in between."""
Records = Mapping[int | None, Sequence[int]]
"""Indices of entries by generation of the ledger; None is the one that is written now."""
Place = tuple[str, int]
"""Origin of a ledger and index of an entry."""


class ErasureKeptError(RefusedError):
    """The content to be erased says what was erased in an earlier ledger; it names nobody, and is needed there."""

    code = "erase.kept"


class SealErasureError(RefusedError):
    """Content by which the archive's seals are verified: nothing in it is about a person, so there is no reason to
    erase it."""

    code = "erase.seal"


@dataclass(frozen=True)
class Due:
    """Entries of one generation whose content is to go by ``rule``."""

    rule: Rule
    indices: list[int]
    generation: int


@dataclass(frozen=True)
class Erased:
    """The content of ``count`` records is erased, wherever it was carried on; ``cleaned`` is whether the database's log
    holds nothing of it any more. If not, another program was reading; the next erasure, or the last program that
    closes the database, cleans it."""

    count: int
    cleaned: bool


class Erasure:
    """One for each call of the command or the timer."""

    def __init__(self, box: OpenBox, evidence: EvidenceStore, retention: Retention) -> None:
        self._box, self._evidence, self._retention = box, evidence, retention
        self._origin = box.school.origin  # the ledger that every index here is of

    def due(self) -> list[Due]:
        """What the rules erase today in any generation of the ledger, the oldest first."""
        now = datetime.fromtimestamp(self._box.clock.now_ms() / 1000, UTC)
        found = []
        for rule in Rule:
            deadline = self._retention.deadline(rule, now)
            if deadline is None:
                continue
            time_ms = int(deadline.timestamp() * 1000) - EPOCH_MS
            for one in generations(self._box.database):
                if indices := _older(find_generation(self._box, one.number), rule, time_ms):
                    found.append(Due(rule, indices, one.number))
        return found

    def run(self) -> Erased:
        """Erases what is due; what a kill interrupts goes on at the next call."""
        count = 0
        for due in self.due():
            for at in range(0, len(due.indices), AT_ONCE):
                count += self._erase({due.generation: due.indices[at : at + AT_ONCE]}, due.rule.label)
        return Erased(count, self._box.database.checkpoint())

    def order(self, records: Records, reason: str) -> Erased:
        """Erases the content of these entries for a reason that names no person, of all or of none.

        Raises ``NoEntryError``, ``GenerationError``, ``SealErasureError`` or ``ErasureKeptError``.
        """
        for generation, indices in records.items():
            ledger = find_generation(self._box, generation)
            for index in indices:
                first, began = _first_place(self._box.database, ledger, index)
                kind = first.entry(began).type
                if kind in SEALING:
                    raise SealErasureError(index=index)
                if kind == EntryType.EARLIER_BODY_ERASED.number:
                    raise ErasureKeptError(index=index)
        return Erased(self._erase(records, f"order: {reason}"), self._box.database.checkpoint())

    def _erase(self, records: Records, rule: str) -> int:
        def erase() -> int:
            with self._box.append() as appending:
                if appending.origin != self._origin:
                    raise SupersededError()  # the same indices are other records there
                gone = set[Place]()
                for number, firsts in self._everywhere(records).items():
                    gone |= {firsts[index] for index in self._erase_in(appending, number, sorted(firsts), rule)}
                return len(gone)

        return self._box.room.use(erase)

    def _everywhere(self, records: Records) -> dict[int, dict[int, Place]]:
        """The records by generation and index, with what carries them on in later generations: the same content lies
        there too. With each is the place where it stood first."""
        database, carriage = self._box.database, Carriage(self._box)
        numbers = {one.origin: one.number for one in generations(database)}
        found: dict[int, dict[int, Place]] = {}
        for generation, indices in records.items():
            ledger = find_generation(self._box, generation)
            for index in indices:
                first, began = _first_place(database, ledger, index)
                for place, at in carriage.places(first, began):
                    found.setdefault(numbers[place.origin], {})[at] = first.origin, began
        return dict(sorted(found.items()))

    def _erase_in(self, appending: Appending, generation: int, indices: Sequence[int], rule: str) -> list[int]:
        ledger = find_generation(self._box, generation)
        if ledger.origin != appending.origin:
            erased = erase_earlier(appending, ledger, indices, rule)
            self._evidence.delete_earlier(appending.transaction, generation, erased)
            return erased
        erased = appending.erase(indices, rule)
        for index in erased:
            self._evidence.delete(appending.transaction, index)
        return erased


def _first_place(database: Database, ledger: LedgerStore, index: int) -> tuple[LedgerStore, int]:
    """Where a record stood first: elsewhere if the entry carries one of an earlier generation."""
    if ledger.entry(index).type != EntryType.RECORD_CARRIED.number:
        return ledger, index
    body = ledger.body(index)
    if body is None:
        return ledger, index
    carried = original(body)
    return LedgerStore.find(database, carried.origin), carried.index


def _older(ledger: LedgerStore, rule: Rule, time_ms: int) -> list[int]:
    by_type = frozenset(one.number for one in rule.types)
    by_reference = frozenset(one.number for one in rule.referred)
    going: list[int] = []
    referred: list[int] = []
    kept: set[int] = set()
    for index, entry in ledger.with_bodies():
        if entry.time_ms < time_ms and entry.type in by_type:
            going.append(index)
        elif entry.time_ms < time_ms and entry.type in by_reference:
            referred.append(index)
        else:
            kept.update(entry.refs)
    return sorted([*going, *(index for index in referred if index not in kept)])
