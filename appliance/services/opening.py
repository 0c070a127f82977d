"""Opening and founding a box: its database, its ledger, the school it belongs to."""

import hashlib
import hmac
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from appliance.clock import Clock
from appliance.errors import ConfigError, RefusedError
from appliance.ledger.entry import EntryType
from appliance.ledger.keys import SigningKey
from appliance.services.ledger_clock import LedgerClock
from appliance.services.room import Room
from appliance.store.appending import Appending, Draft
from appliance.store.database import Database, Keys, Transaction
from appliance.store.files import make_folder
from appliance.store.ledger import OwnLedger, SigningKeys, SupersededError
from appliance.store.migrate import check_schema, migrate
from appliance.store.note import HeadNote
from appliance.store.schema import BOX_FAMILIES
from appliance.store.seal import read_secret

DATABASE_NAME, NOTE_NAME, MEMORY_NAME = "box.db", "box.head", "box.signers"
SCHOOL_KEY = "school-key"
PSEUDONYM_BYTES = 16
PATIENCE_S = 60.0
"""For how long a person's record waits for another program that writes, such as a change of the database key."""


class AlreadyFoundedError(RefusedError):
    """``init`` was run on a box that already belongs to a school."""

    code = "box.already_founded"


class NotFoundedError(ConfigError):
    """The database is there but belongs to no school yet."""

    code = "box.not_founded"


@dataclass(frozen=True)
class School:
    """The school a box stands in: 13-character code (MEXT) and the name people know it by."""

    code: str
    name: str
    origin: str


class OpenBox:
    """Everything that a program needs to work with the records. ``school_key`` never leaves the database.

    ``school`` and ``ledger`` are those of now: when another program begins a new generation of the ledger, they follow.
    An index belongs to the ledger it was given by, so whoever keeps one keeps that ledger with it.
    """

    def __init__(
        self, database: Database, device_keys: SigningKey | SigningKeys, school_key: bytes, clock: Clock, note: HeadNote
    ) -> None:
        self.database, self.school_key, self.clock, self.note = database, school_key, clock, note
        self._device_keys = device_keys
        self._opened: dict[str, OwnLedger] = {}
        # What a thread has seen last. Each has a connection and perhaps a snapshot of its own, hence its own ledger.
        self._seen = threading.local()

    @property
    def school(self) -> School:
        self._follow()
        return self._school()

    @property
    def ledger(self) -> OwnLedger:
        self._follow()
        return self._current()

    @property
    def room(self) -> Room:
        """Asked before a record that is not essential, and used by those that are."""
        return Room(self.database.path)

    @contextmanager
    def append(self) -> Iterator[Appending]:
        """One transaction of the ledger that is written now, as ``OwnLedger.append``; never one of a closed ledger."""
        with ExitStack() as stack:
            try:
                appending = stack.enter_context(self._current().append())
            except SupersededError:  # before anything was written
                self.look_again()
                appending = stack.enter_context(self._current().append())
            yield appending

    def look_again(self) -> None:
        """Finds out which ledger is written; to be called where this very thread has begun another one."""
        self._seen.version = None
        self._follow()

    def pseudonym(self, local_id: str) -> bytes:
        """16 bytes that stand for a person in the ledger; only this box can tell whom."""
        return hmac.digest(self.school_key, local_id.encode(), hashlib.sha256)[:PSEUDONYM_BYTES]

    def _follow(self) -> None:
        """Looks again if another connection has written anything since this thread looked."""
        version = self.database.data_version()
        if getattr(self._seen, "version", None) != version:
            self._seen.school = _school_of(self.database)
            self._seen.version = version

    def _school(self) -> School:
        if not hasattr(self._seen, "school"):
            self._follow()
        school: School = self._seen.school
        return school

    def _current(self) -> OwnLedger:
        origin = self._school().origin
        if origin not in self._opened:
            # Two threads may both open it: either will do.
            self._opened[origin] = self._open(origin)
        return self._opened[origin]

    def _open(self, origin: str) -> OwnLedger:
        ledger = OwnLedger.find(self.database, origin)

        def require(transaction: Transaction) -> None:
            if transaction.row("SELECT 1 FROM school WHERE origin = ?", (origin,)) is None:
                raise SupersededError()

        ledger.attach(self._device_keys, LedgerClock(self.clock, ledger), self.note, require)
        _ = ledger.signing_key  # a program without it is told so before anybody waits for a record
        return ledger


def box_origin(school_code: str, generation: int) -> str:
    """The name of a box's ledger; a restored box begins a new generation."""
    return f"madoguchi/1/{school_code}/box/{generation}"


def open_box(
    state_dir: Path,
    database_key: bytes | Keys,
    device_key: SigningKey | SigningKeys,
    clock: Clock,
    patience_s: float = PATIENCE_S,
) -> OpenBox:
    """``patience_s`` is for how long a write waits for others; a program with a watchdog of its own waits less.

    Raises ``ConfigError`` of ``store.*``, ``box.not_founded``, or ``ledger.signing_key`` if no device key fits.
    """
    database = Database.open(state_dir / DATABASE_NAME, database_key, patience_s)
    check_schema(database, BOX_FAMILIES)
    _school_of(database)
    with database.transaction() as transaction:
        school_key = read_secret(transaction, SCHOOL_KEY)
    box = OpenBox(database, device_key, school_key, clock, HeadNote(state_dir / NOTE_NAME))
    box.ledger.head()
    return box


def _school_of(database: Database) -> School:
    found = database.row("SELECT code, name, origin FROM school")
    if found is None:
        raise NotFoundedError()
    return School(*found)


def found_box(
    state_dir: Path, database_key: bytes | Keys, device_key: SigningKey, clock: Clock, code: str, name: str
) -> OpenBox:
    """Makes the database and the first entry of its ledger; raises ``AlreadyFoundedError``."""
    make_folder(state_dir, 0o770)
    database = Database.create(state_dir / DATABASE_NAME, database_key)
    migrate(database, BOX_FAMILIES)
    if database.row("SELECT 1 FROM school") is not None:
        database.close()
        raise AlreadyFoundedError()
    origin = box_origin(code, 1)
    if database.row("SELECT 1 FROM ledger WHERE origin = ?", (origin,)) is None:
        OwnLedger.add(database, origin, device_key.public)
    ledger = OwnLedger.find(database, origin)
    ledger.attach(device_key, LedgerClock(clock, ledger), HeadNote(state_dir / NOTE_NAME))
    with ledger.append() as appending:
        opened = {"origin": origin, "school": code, "boot_id": clock.boot_id, "key_id": device_key.public.key_id}
        appending.add(Draft(EntryType.LEDGER_OPENED, opened))
        appending.transaction.run("INSERT INTO school VALUES (1, ?, ?, ?, 1)", (code, name, origin))
    database.close()
    return open_box(state_dir, database_key, device_key, clock)
