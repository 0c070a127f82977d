"""Erasing the content of records: by a rule when its time is over, or by an order of a person.

The record stays and its ledger verifies; what it said is gone from the database, from its log and free pages, and from
every copy that holds no keys.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from appliance.errors import RefusedError
from appliance.ledger.day_seals import SEALING
from appliance.ledger.entry import EPOCH_MS
from appliance.school.retention import Retention, Rule
from appliance.services.opening import OpenBox
from appliance.store.evidence import EvidenceStore
from appliance.store.ledger import SupersededError

AT_ONCE = 2_000
"""Bodies erased in one transaction: the window goes on in between."""


class SealErasureError(RefusedError):
    """Content by which the archive's seals are verified: nothing in it is about a person, so there is no reason to
    erase it."""

    code = "erase.seal"


@dataclass(frozen=True)
class Due:
    """Entries whose content is to go by ``rule``."""

    rule: Rule
    indices: list[int]


@dataclass(frozen=True)
class Erased:
    """``count`` bodies are erased; ``cleaned`` is whether the database's log holds nothing of them any more. If not,
    another program was reading; the next erasure, or the last program that closes the database, cleans it."""

    count: int
    cleaned: bool


class Erasure:
    """One for each call of the command or the timer."""

    def __init__(self, box: OpenBox, evidence: EvidenceStore, retention: Retention) -> None:
        self._box, self._evidence, self._retention = box, evidence, retention
        self._origin = box.school.origin  # the ledger that every index here is of

    def due(self) -> list[Due]:
        """What the rules erase today, the oldest first."""
        now = datetime.fromtimestamp(self._box.clock.now_ms() / 1000, UTC)
        found = []
        for rule in Rule:
            deadline = self._retention.deadline(rule, now)
            if deadline is None:
                continue
            if indices := self._older(rule, int(deadline.timestamp() * 1000) - EPOCH_MS):
                found.append(Due(rule, indices))
        return found

    def run(self) -> Erased:
        """Erases what is due; what a kill interrupts goes on at the next call."""
        count = 0
        for due in self.due():
            for at in range(0, len(due.indices), AT_ONCE):
                count += self._erase(due.indices[at : at + AT_ONCE], due.rule.label)
        return Erased(count, self._box.database.checkpoint())

    def order(self, indices: Sequence[int], reason: str) -> Erased:
        """Erases the content of these entries for a reason that names no person.

        Raises ``NoEntryError`` or ``SealErasureError``, and nothing is erased then.
        """
        size = self._box.ledger.head().size
        for index in indices:
            if index < size and self._box.ledger.entry(index).type in SEALING:
                raise SealErasureError(index=index)
        return Erased(self._erase(indices, f"order: {reason}"), self._box.database.checkpoint())

    def _older(self, rule: Rule, time_ms: int) -> list[int]:
        by_type = frozenset(one.number for one in rule.types)
        by_reference = frozenset(one.number for one in rule.referred)
        going: list[int] = []
        referred: list[int] = []
        kept: set[int] = set()
        for index, entry in self._box.ledger.with_bodies():
            if entry.time_ms < time_ms and entry.type in by_type:
                going.append(index)
            elif entry.time_ms < time_ms and entry.type in by_reference:
                referred.append(index)
            else:
                kept.update(entry.refs)
        return sorted([*going, *(index for index in referred if index not in kept)])

    def _erase(self, indices: Sequence[int], rule: str) -> int:
        def erase() -> int:
            with self._box.append() as appending:
                if appending.origin != self._origin:
                    raise SupersededError()  # the same indices are other records there
                erased = appending.erase(indices, rule)
                for index in erased:
                    self._evidence.delete(appending.transaction, index)
                return len(erased)

        return self._box.room.use(erase)
