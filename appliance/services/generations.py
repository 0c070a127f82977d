"""Generations of the box's ledger: a new one begins where the old one cannot go on, and names where that one ended.

A box that was restored on other hardware has other keys, and one whose database is an older copy must not sign a second
history under one name. The earlier ledger stays as it is: read-only, its receipts and signatures verify for ever.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from appliance.clock import Clock
from appliance.errors import ConfigError, RefusedError
from appliance.ledger.carried import carried_content
from appliance.ledger.entry import EntryType
from appliance.ledger.generation import Opening, Reason, Told, generation_of, head_content
from appliance.ledger.keys import SigningKey, VerifyingKey
from appliance.ledger.rollback import LaterHead
from appliance.ledger.signers import Signers
from appliance.services.ledger_clock import LedgerClock
from appliance.services.opening import NotFoundedError, OpenBox, box_origin
from appliance.store.appending import Draft
from appliance.store.database import Database, Transaction
from appliance.store.evidence import EvidenceStore
from appliance.store.ledger import Head, LedgerStore, NoLedgerError, OwnLedger, SupersededError
from appliance.store.note import HeadNote


class GenerationError(RefusedError):
    """The box's ledger never had this generation."""

    code = "ledger.no_generation"


@dataclass(frozen=True)
class Generation:
    """One generation of the box's ledger; ``keys`` are those that sign it, the first one pinned for good."""

    number: int
    origin: str
    keys: Signers

    @property
    def public_key(self) -> VerifyingKey:
        """The key that signed it last."""
        return self.keys.newest.key


def begin_generation(
    database: Database,
    device_key: SigningKey,
    clock: Clock,
    reason: Reason,
    *,
    note: HeadNote | None = None,
    peer: LaterHead | None = None,
    after: int = 0,
    followed: Sequence[Told] = (),
    more: dict[str, Any] | None = None,
) -> str:
    """Begins the next generation of the box's ledger and makes it the one that is written; its origin.

    The first entry, ``ledger.opened``, names the earlier ledger: origin, size, root and signed head as they are in
    this database, and the last confirmation of the hub that is known; for a database that was put back also ``peer``,
    the head that the hub holds, or ``followed``, the changes of the key that it does not know. ``more`` goes into it
    as well. What the hub is not known to have is carried over with
    it. The number follows that of this database, that of ``peer`` and ``after``, the last one known elsewhere.

    A restored box has other keys, so its enrolment ends: the hub has to admit it. Programs that have the box open go on
    in the new generation with their next record. What a kill interrupts is done by the next call.
    """
    found = database.row("SELECT code, origin, generation FROM school")
    if found is None:
        raise NotFoundedError()
    code, before, generation = found
    known = None if peer is None else generation_of(peer.head.origin)
    number = max(generation, after, 0 if known is None else known[1]) + 1
    origin = box_origin(code, number)
    ledger, previous = _added(database, origin, device_key), LedgerStore.find(database, before)

    def require(transaction: Transaction) -> None:
        if transaction.row("SELECT 1 FROM school WHERE origin = ?", (before,)) is None:
            raise SupersededError()

    ledger.attach(device_key, LedgerClock(clock, previous), note, require)
    with ledger.append() as appending:  # from here on nobody writes to the ledger before
        head = previous.head()
        first = head.cosigned_size
        opened = {
            "origin": origin,
            "school": code,
            "boot_id": clock.boot_id,
            "key_id": device_key.public.key_id,
            "reason": reason.value,
            "previous": _end_of(previous, head),
            "carried": {"first": first, "count": head.size - first},
            **({} if peer is None else {"peer": head_content(peer.head, peer.cosignature)}),
            **({"followed": [[told.origin, told.succession] for told in followed]} if followed else {}),
            **(more or {}),
        }
        appending.add(Draft(EntryType.LEDGER_OPENED, opened))
        for index, item in enumerate(previous.items(first, head.size), first):
            appending.add(Draft(EntryType.RECORD_CARRIED, carried_content(previous.origin, index, item)))
        transaction = appending.transaction
        transaction.run("UPDATE school SET origin = ?, generation = ?", (origin, number))
        if reason is Reason.RESTORED:
            transaction.run("DELETE FROM enrolment")
        EvidenceStore.forget_certificates(transaction)
    return origin


def opening_of(ledger: LedgerStore) -> Opening | None:
    """What the first entry of this generation says of the one before; None for the first generation.

    Raises ``OpeningError``.
    """
    body = ledger.body(0)
    return None if body is None else Opening.read(body.read())


def generations(database: Database) -> list[Generation]:
    """All generations that the box's ledger has had, the first one first."""
    found = database.row("SELECT code, generation FROM school")
    if found is None:
        raise NotFoundedError()
    code, last = found
    known = []
    for number in range(1, last + 1):
        origin = box_origin(code, number)
        with suppress(NoLedgerError):
            known.append(Generation(number, origin, LedgerStore.find(database, origin).keys))
    return known


def find_generation(box: OpenBox, number: int | None) -> LedgerStore:
    """The ledger of that generation, for reading; the one that is written for None. Raises ``GenerationError``."""
    if number is None:
        return box.ledger
    origin = box_origin(box.school.code, number)
    if origin == box.school.origin:
        return box.ledger
    try:
        return LedgerStore.find(box.database, origin)
    except NoLedgerError as error:
        raise GenerationError(generation=number) from error


def _added(database: Database, origin: str, device_key: SigningKey) -> OwnLedger:
    try:
        ledger = OwnLedger.find(database, origin)
    except NoLedgerError:
        return OwnLedger.add(database, origin, device_key.public)
    if ledger.public_key.key_id != device_key.public.key_id:  # left by a call that was interrupted
        raise ConfigError(reason="the device key is not the one this generation was begun with")
    return ledger


def _end_of(ledger: LedgerStore, head: Head) -> dict[str, Any]:
    confirmed = ledger.confirmation(head.cosigned_size - 1) if head.cosigned_size else None
    return {
        "origin": ledger.origin,
        "size": head.size,
        "root": ledger.frontier().root(),
        "checkpoint": head.checkpoint,
        "confirmed": None
        if confirmed is None
        else {"size": confirmed.size, "checkpoint": confirmed.checkpoint, "cosignature": confirmed.cosignature},
    }
