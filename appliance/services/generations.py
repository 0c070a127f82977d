"""Generations of the box's ledger: a new one begins where the old one cannot go on, and names where that one ended.

A box that was restored on other hardware has other keys, and one whose database is an older copy must not sign a second
history under one name. The earlier ledger stays as it is: read-only, its receipts and signatures verify for ever.
"""

from dataclasses import dataclass
from enum import Enum, unique
from typing import Any

from appliance.clock import Clock
from appliance.errors import ConfigError, RefusedError
from appliance.ledger.entry import EntryType
from appliance.ledger.keys import SigningKey, VerifyingKey
from appliance.services.ledger_clock import LedgerClock
from appliance.services.opening import NotFoundedError, OpenBox, box_origin
from appliance.store.appending import Draft
from appliance.store.database import Database
from appliance.store.evidence import EvidenceStore
from appliance.store.ledger import LedgerStore, NoLedgerError, OwnLedger
from appliance.store.note import HeadNote


class GenerationError(RefusedError):
    """The box's ledger never had this generation."""

    code = "ledger.no_generation"


@unique
class Reason(Enum):
    """Why a generation began; the first entry says it."""

    RESTORED = "restored"
    ROLLED_BACK = "rolled back"


@dataclass(frozen=True)
class Generation:
    """One generation of the box's ledger; ``public_key`` is the key that signs it, pinned for good."""

    number: int
    origin: str
    public_key: VerifyingKey


def begin_generation(
    database: Database,
    device_key: SigningKey,
    clock: Clock,
    reason: Reason,
    *,
    note: HeadNote | None = None,
    more: dict[str, Any] | None = None,
) -> str:
    """Begins the next generation of the box's ledger and makes it the one that is written; its origin.

    The first entry, ``ledger.opened``, names the earlier ledger: origin, size, root and signed head as they are in
    this database, and the last confirmation of the hub that is known; ``more`` goes into it as well. The enrolment
    ends, because the hub has to admit the new ledger. Programs that have the box open must be started again. What a
    kill interrupts is done by the next call.
    """
    found = database.row("SELECT code, origin, generation FROM school")
    if found is None:
        raise NotFoundedError()
    code, before, generation = found
    origin = box_origin(code, generation + 1)
    ledger = _added(database, origin, device_key)
    ledger.attach(device_key, LedgerClock(clock, ledger), note)
    opened = {
        "origin": origin,
        "school": code,
        "boot_id": clock.boot_id,
        "key_id": device_key.public.key_id,
        "reason": reason.value,
        "previous": _end_of(LedgerStore.find(database, before)),
        **(more or {}),
    }
    with ledger.append() as appending:
        appending.add(Draft(EntryType.LEDGER_OPENED, opened))
        transaction = appending.transaction
        transaction.run("UPDATE school SET origin = ?, generation = ?", (origin, generation + 1))
        transaction.run("DELETE FROM enrolment")
        EvidenceStore.forget_certificates(transaction)
    return origin


def generations(database: Database) -> list[Generation]:
    """All generations that the box's ledger has had, the first one first."""
    found = database.row("SELECT code, generation FROM school")
    if found is None:
        raise NotFoundedError()
    code, last = found
    known = []
    for number in range(1, last + 1):
        row = database.row("SELECT public_key FROM ledger WHERE origin = ?", (box_origin(code, number),))
        if row is not None:
            known.append(Generation(number, box_origin(code, number), VerifyingKey.from_pem(row[0])))
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


def _end_of(ledger: LedgerStore) -> dict[str, Any]:
    head = ledger.head()
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
