"""What an act is that somebody interrupts, and what must be true of a ledger afterwards."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any, ClassVar, Protocol

from appliance.clock import SystemClock
from appliance.errors import MadoguchiError
from appliance.ledger.entry import EntryType
from appliance.ledger.keys import SigningKey
from appliance.ledger.merkle import leaf_hash
from appliance.ledger.verify import Sealed, verify_ledger
from appliance.services.opening import DATABASE_NAME, NOTE_NAME, PATIENCE_S, box_origin
from appliance.store.appending import Draft
from appliance.store.database import Database, Keys
from appliance.store.ledger import OwnLedger
from appliance.store.migrate import check_schema, migrate
from appliance.store.note import HeadNote
from appliance.store.schema import BOX_FAMILIES
from tests.school.small import CODE
from tests.sim.box import DATABASE_KEY

Fact = dict[str, Any]
"""What was acknowledged, as JSON can say it. ``entries`` are index, leaf hash and SHA-256 of the body, in hex."""
ORIGIN = box_origin(str(CODE), 1)
DEVICE_KEY = "device.key"


class LostError(Exception):
    """Something that was acknowledged is not there, or is not what it was."""


class UnusableError(Exception):
    """What was left behind does not open, does not verify, or takes nothing new."""


class Witness(Protocol):
    """To whom an act says what it does; what it has told is told, whatever happens to it next."""

    def begins(self) -> None:
        """A call begins."""
        ...

    def done(self, fact: Fact) -> None:
        """The call has returned, and this is what it has promised."""
        ...

    def also(self, fact: Fact) -> None:
        """Something else has promised this, during a call or between two; from any thread."""
        ...


class Act(ABC):
    """``share`` is its part of all interruptions, ``lives`` how many kills one box lives through, ``calls`` how often
    it is done to reach every part of what SQLite does: by itself that moves the log into the file every 1,000 pages."""

    name: ClassVar[str]
    share: ClassVar[int]
    calls: ClassVar[int] = 1
    lives: ClassVar[int] = 25

    @abstractmethod
    def prepare(self, folder: Path) -> list[Fact]:
        """Makes the state that the act begins with in an empty folder; returns what is promised already."""

    @abstractmethod
    def run(self, folder: Path, witness: Witness, times: int) -> None:
        """In the process that is interrupted: acts so many times, or once where once is all."""

    def beside(self, folder: Path) -> AbstractContextManager[list[Fact]]:
        """Another program of the box that has its files open meanwhile and is not interrupted. What it promises is
        added to the list."""
        return nullcontext([])

    @abstractmethod
    def check(self, folder: Path, facts: list[Fact]) -> list[Fact]:
        """In another process, after the interruption: raises ``LostError`` or ``UnusableError``, or anything else that
        opening raises. Returns what is there now, which must never go again either."""


class LedgerAct(Act):
    """An act on the ledger of a box."""

    database: type[Database] = Database
    """What the interrupted process works with."""

    def prepare(self, folder: Path) -> list[Fact]:
        (folder / DEVICE_KEY).write_bytes(SigningKey.make().pem())
        key = SigningKey.from_pem((folder / DEVICE_KEY).read_bytes())
        with Database.create(folder / DATABASE_NAME, DATABASE_KEY) as database:
            migrate(database, BOX_FAMILIES)
            ledger = OwnLedger.add(database, ORIGIN, key.public).attach(
                key, SystemClock(), HeadNote(folder / NOTE_NAME)
            )
            return [append(ledger, 3)]

    @contextmanager
    def beside(self, folder: Path) -> Iterator[list[Fact]]:
        """A connection keeps SQLite's index of its log alive: nobody begins anew after the kill."""
        with Database.open(folder / DATABASE_NAME, DATABASE_KEY) as database:
            database.rows("SELECT count(*) FROM entry")
            yield []

    def reopened(self, folder: Path) -> AbstractContextManager[tuple[Database, OwnLedger]]:
        """As a program of the box opens it after the interruption."""
        return opened(folder)

    def may_be_erased(self, facts: list[Fact]) -> frozenset[int]:
        """Entries whose bodies the act erases: promised or not, they may be gone now."""
        return frozenset()

    def check(self, folder: Path, facts: list[Fact]) -> list[Fact]:
        with self.reopened(folder) as (database, ledger):
            there = check_ledger(ledger, facts, self.may_be_erased(facts))
            check_note(folder, ledger)
            if faults := database.check():
                raise UnusableError(f"the file is damaged: {faults[0]}")
            return [there, append(ledger, 1)]


@contextmanager
def opened(
    folder: Path, database_type: type[Database] = Database, key_of_database: bytes | Keys = DATABASE_KEY
) -> Iterator[tuple[Database, OwnLedger]]:
    """The ledger that ``LedgerAct.prepare`` made, as a program of the box opens it."""
    key = SigningKey.from_pem((folder / DEVICE_KEY).read_bytes())
    with database_type.open(folder / DATABASE_NAME, key_of_database, PATIENCE_S) as database:
        check_schema(database, BOX_FAMILIES)
        yield database, OwnLedger.find(database, ORIGIN).attach(key, SystemClock(), HeadNote(folder / NOTE_NAME))


def append(ledger: OwnLedger, count: int, filler: bytes = b"") -> Fact:
    """So many entries in one transaction, each longer by the filler; what has been promised when it has returned."""
    with ledger.append() as appending:
        first = appending.size
        for number in range(count):
            body = {"purpose": "visit", "number": number, "filler": filler}
            appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, body, 1, 1))
        last = appending.size
    return fact_of(ledger, first, last)


def fact_of(ledger: OwnLedger, first: int, last: int) -> Fact:
    return {"entries": [said(index, item) for index, item in enumerate(ledger.items(first, last), first)]}


def said(index: int, item: Sealed) -> list[object]:
    body = None if item.body is None else hashlib.sha256(item.body.salt + item.body.content).hexdigest()
    return [index, leaf_hash(item.entry).hex(), body]


def check_ledger(ledger: OwnLedger, facts: list[Fact], may_be_erased: frozenset[int]) -> Fact:
    """Every acknowledged entry is there as it was, and the whole tree is the signed one; what is there now.

    Bodies of ``may_be_erased`` may be gone.
    """
    head = ledger.head()
    try:
        items = list(ledger.items(0, head.size))
        pairs = ((item.entry, item.body) for item in items)
        verified = verify_ledger(pairs, head.checkpoint, ledger.origin, ledger.public_key, complete=True)
    except MadoguchiError as error:
        raise UnusableError(f"the ledger does not verify: {error}") from error
    if verified.size != head.size:
        raise UnusableError(f"{verified.size} entries, but the head says {head.size}")
    there = [said(index, item) for index, item in enumerate(items)]
    for index, leaf, body in (entry for fact in facts for entry in fact.get("entries", [])):
        if index >= len(there):
            raise LostError(f"entry {index} is not there; the ledger ends at {len(there)}")
        erased = index in may_be_erased and there[index][2] is None
        if there[index][1] != leaf or not (erased or there[index][2] == body):
            raise LostError(f"entry {index} is another")
    return {"entries": there}


def check_note(folder: Path, ledger: OwnLedger) -> None:
    """The note of a head that lies beside the database speaks of this ledger and of no later head."""
    noted = HeadNote(folder / NOTE_NAME).read()
    if noted is None:
        return
    size = noted.open(ledger.public_key).size
    if size > ledger.head().size or ledger.root_at(size) != noted.root:
        raise UnusableError(f"a head of size {size} was noted, but the ledger has {ledger.head().size}")
