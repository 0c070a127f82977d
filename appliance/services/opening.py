"""Opening and founding a box: its database, its ledger, the school it belongs to."""

import hashlib
import hmac
from dataclasses import dataclass
from pathlib import Path

from appliance.clock import Clock
from appliance.errors import ConfigError, RefusedError
from appliance.ledger.entry import EntryType
from appliance.ledger.keys import SigningKey
from appliance.services.ledger_clock import LedgerClock
from appliance.services.room import Room
from appliance.store.appending import Draft
from appliance.store.database import Database, Keys
from appliance.store.files import make_folder
from appliance.store.ledger import OwnLedger
from appliance.store.migrate import check_schema, migrate
from appliance.store.note import HeadNote
from appliance.store.schema import BOX_FAMILIES
from appliance.store.seal import read_secret

DATABASE_NAME, NOTE_NAME = "box.db", "box.head"
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


@dataclass(frozen=True)
class OpenBox:
    """Everything that a program needs to work with the records. ``school_key`` never leaves the database."""

    database: Database
    ledger: OwnLedger
    school: School
    school_key: bytes
    clock: Clock
    note: HeadNote

    @property
    def room(self) -> Room:
        """Asked before a record that is not essential, and used by those that are."""
        return Room(self.database.path)

    def pseudonym(self, local_id: str) -> bytes:
        """16 bytes that stand for a person in the ledger; only this box can tell whom."""
        return hmac.digest(self.school_key, local_id.encode(), hashlib.sha256)[:PSEUDONYM_BYTES]


def box_origin(school_code: str, generation: int) -> str:
    """The name of a box's ledger; a restored box begins a new generation."""
    return f"madoguchi/1/{school_code}/box/{generation}"


def open_box(
    state_dir: Path, database_key: bytes | Keys, device_key: SigningKey, clock: Clock, patience_s: float = PATIENCE_S
) -> OpenBox:
    """``patience_s`` is for how long a write waits for others; a program with a watchdog of its own waits less.

    Raises ``ConfigError`` of ``store.*`` or ``box.not_founded``.
    """
    database = Database.open(state_dir / DATABASE_NAME, database_key, patience_s)
    check_schema(database, BOX_FAMILIES)
    found = database.row("SELECT code, name, origin FROM school")
    if found is None:
        raise NotFoundedError()
    school = School(*found)
    note = HeadNote(state_dir / NOTE_NAME)
    ledger = OwnLedger.find(database, school.origin)
    ledger.attach(device_key, LedgerClock(clock, ledger), note)
    if ledger.public_key.key_id != device_key.public.key_id:
        raise ConfigError(reason="the device key is not the one this ledger was signed with")
    with database.transaction() as transaction:
        school_key = read_secret(transaction, SCHOOL_KEY)
    return OpenBox(database, ledger, school, school_key, clock, note)


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
