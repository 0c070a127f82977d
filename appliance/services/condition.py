"""What the health checks look at, gathered once for the command line, the staff page and the hub alike."""

import os
from dataclasses import dataclass, field
from pathlib import Path

from appliance.errors import Field
from appliance.ledger.entry import EPOCH_MS
from appliance.services.opening import OpenBox
from appliance.services.sealing import Seal
from appliance.store.signal import SignalStore

NOTE, WARNING, FAULT = "note", "warning", "fault"


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
class Condition:
    """Sizes count entries; ``free_bytes`` is what the disk of the database still has; times are milliseconds.

    ``wanted_reader`` is the setting ``reader.name``, the beginning of a reader's name or nothing; ``keys`` is how the
    keys are sealed, None where that is not known.
    ``rotation_unfinished`` is known to the command line alone: a program that runs sees the keys of its own start.
    """

    now_ms: int
    recorded: int
    receipted: int
    last_entry_ms: int
    oldest_pending_ms: int | None
    free_bytes: int
    total_bytes: int
    enrolled: bool
    reader: Heard | None
    sync: Heard | None
    wanted_reader: str = ""
    keys: Seal | None = None
    rotation_unfinished: bool = False

    @property
    def pending(self) -> int:
        return self.recorded - self.receipted


def observe(
    box: OpenBox, signals: SignalStore, enrolled: bool, wanted_reader: str, keys: Seal | None = None
) -> Condition:
    """The condition now."""
    now_ms, head = box.clock.now_ms(), box.ledger.head()
    oldest = None
    if head.cosigned_size < head.size:
        oldest = box.ledger.entry(head.cosigned_size).wall_ms
    disk = os.statvfs(Path(box.database.path).parent)

    def signal(name: str) -> Heard | None:
        found = signals.read(name)
        return None if found is None else Heard(found.value, max(0, now_ms - found.at_ms))

    return Condition(
        now_ms=now_ms,
        recorded=head.size,
        receipted=head.cosigned_size,
        last_entry_ms=head.last_time_ms + EPOCH_MS,
        oldest_pending_ms=oldest,
        free_bytes=disk.f_bavail * disk.f_frsize,
        total_bytes=disk.f_blocks * disk.f_frsize,
        enrolled=enrolled,
        reader=signal("reader"),
        sync=signal("sync"),
        wanted_reader=wanted_reader,
        keys=keys,
    )
