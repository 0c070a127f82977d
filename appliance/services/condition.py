"""What the health checks look at, gathered once for the command line, the staff page and the hub alike."""

from dataclasses import dataclass, field, replace

from appliance.errors import BusyError, Field, UnavailableError
from appliance.ledger.entry import EPOCH_MS
from appliance.ledger.generation import OpeningError, Reason, generation_of
from appliance.services.generations import opening_of
from appliance.services.ledger_clock import latest_plausible_ms
from appliance.services.opening import OpenBox
from appliance.services.sealing import Seal
from appliance.store.disk import Disk, DiskFault, look_at_disk
from appliance.store.faults import DiskFullError, ReadOnlyError
from appliance.store.ledger import LedgerStore
from appliance.store.signal import SignalStore

ARCHIVE_SIGNAL = "archive"
"""Under this name the nightly sealing says how far it has come: ``origin`` of the ledger, and ``size``: of the entries
before it nothing is left to be sealed."""
BACKUP_SIGNAL = "backup"
"""Under this name a backup says that it was made."""
NOTE, WARNING, FAULT = "note", "warning", "fault"
TRIAL = "trial"
FAULTS: dict[type[UnavailableError], DiskFault] = {
    DiskFullError: DiskFault.FULL,
    ReadOnlyError: DiskFault.READ_ONLY,
}


@dataclass(frozen=True)
class Problem:
    """Something that is not as it should be. ``code`` has a sentence, and ``.next`` says the cure.

    A ``NOTE`` is to be known, but nobody at the school has to do anything, and the box is well.
    """

    code: str
    severity: str = WARNING
    fields: dict[str, Field] = field(default_factory=dict)


@dataclass(frozen=True)
class Heard:
    """What another program last said of itself; ``age_ms`` is how long ago."""

    value: dict[str, Field]
    age_ms: int

    def lasting_ms(self, name: str) -> int:
        """How long something has lasted by now that had lasted so many seconds when it was said."""
        seconds = self.value.get(name)
        return seconds * 1000 + self.age_ms if isinstance(seconds, int) else 0


@dataclass(frozen=True)
class Begun:
    """A later generation of the ledger: its number, why and how long ago it began, and how many records of the one
    before it carries."""

    number: int
    reason: Reason
    age_ms: int
    carried: int


@dataclass(frozen=True)
class Condition:
    """Sizes count entries; times are milliseconds. ``disk`` is the disk of the database, tried at
    ``now_ms``; ``reserve_given_up`` says that only essential records are taken, and a wall clock past
    ``latest_plausible_ms`` is not believed.

    ``wanted_reader`` is the setting ``reader.name``, the beginning of a reader's name or nothing; ``keys`` is how the
    keys are sealed, None where that is not known.
    ``unsaved_ms`` is how long ago the last backup was made on this box, or the ledger was begun if there was none
    (``saved`` is False then). ``unsealed_ms`` is the age of the oldest entry that is not sealed for the archive.
    ``generation`` is the one that is written, None for a ledger that has none before it.
    ``rotation_unfinished``, of the database key, and ``device_rotation_unfinished`` are known to the command line
    alone: a program that runs sees the keys of its own start.
    """

    now_ms: int
    recorded: int
    receipted: int
    last_entry_ms: int
    oldest_pending_ms: int | None
    disk: Disk
    enrolled: bool
    reader: Heard | None
    sync: Heard | None
    wanted_reader: str = ""
    keys: Seal | None = None
    rotation_unfinished: bool = False
    device_rotation_unfinished: bool = False
    reserve_given_up: bool = False
    latest_plausible_ms: int = 1 << 62
    saved: bool = False
    unsaved_ms: int = 0
    unsealed_ms: int = 0
    generation: Begun | None = None

    @property
    def heard(self) -> bool:
        """Whether the programs can say anything: what they say is written on this disk, and silence means nothing
        while it takes no writes."""
        return self.disk.fault is None and not self.reserve_given_up

    @property
    def pending(self) -> int:
        return self.recorded - self.receipted


def observe(
    box: OpenBox, signals: SignalStore, enrolled: bool, wanted_reader: str, keys: Seal | None = None
) -> Condition:
    """The condition now."""
    now_ms, ledger = box.clock.now_ms(), box.ledger
    head = ledger.head()
    oldest = None
    if head.cosigned_size < head.size:
        oldest = ledger.entry(head.cosigned_size).wall_ms
    box.room.restore()
    disk = _try_disk(box, signals, now_ms)

    def signal(name: str) -> Heard | None:
        found = signals.read(name)
        return None if found is None else Heard(found.value, max(0, now_ms - found.at_ms))

    saved = signals.read(BACKUP_SIGNAL)
    begun_ms = ledger.entry(0).wall_ms
    return Condition(
        now_ms=now_ms,
        recorded=head.size,
        receipted=head.cosigned_size,
        last_entry_ms=head.last_time_ms + EPOCH_MS,
        oldest_pending_ms=oldest,
        disk=disk,
        enrolled=enrolled,
        reader=signal("reader"),
        sync=signal("sync"),
        wanted_reader=wanted_reader,
        keys=keys,
        reserve_given_up=box.room.reserve.given_up,
        latest_plausible_ms=latest_plausible_ms(ledger),
        saved=saved is not None,
        unsaved_ms=max(0, now_ms - (begun_ms if saved is None else saved.at_ms)),
        unsealed_ms=_unsealed_ms(box, signals, now_ms, head.size),
        generation=_generation(ledger, max(0, now_ms - begun_ms)),
    )


def _generation(ledger: LedgerStore, age_ms: int) -> Begun | None:
    named = generation_of(ledger.origin)
    try:
        opening = opening_of(ledger)
    except OpeningError:
        return None  # what is wrong with it is said by the verification of the ledger
    if opening is None or named is None:
        return None
    return Begun(named[1], opening.reason, age_ms, opening.count)


def _unsealed_ms(box: OpenBox, signals: SignalStore, now_ms: int, size: int) -> int:
    said = signals.read(ARCHIVE_SIGNAL)
    known = said is not None and said.value.get("origin") == box.ledger.origin
    first = int(said.value["size"]) if said is not None and known else 0
    return max(0, now_ms - box.ledger.entry(first).wall_ms) if first < size else 0


def _try_disk(box: OpenBox, signals: SignalStore, now_ms: int) -> Disk:
    """The disk as a file of its own meets it, and as the database does: one bad place may be under either."""
    disk = look_at_disk(box.database.path.parent)
    if disk.fault is not None:
        return disk
    try:
        signals.write(TRIAL, {}, now_ms, waiting=False)  # the state is asked for most when something hangs
    except BusyError:
        return disk  # somebody else is writing, so it can be written
    except UnavailableError as error:
        return replace(disk, fault=FAULTS.get(type(error), DiskFault.BROKEN))
    return disk
