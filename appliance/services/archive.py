"""Sealing the days of the ledger for the archive: once a night, every day that is over and was not sealed."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

from appliance.errors import ConfigError, Field, RefusedError
from appliance.ledger.archive_keys import ArchiveSigningKey, ArchiveVerifyingKey
from appliance.ledger.checkpoint import claimed_key, parse_sign1
from appliance.ledger.day_seals import DaySeal, begin_of, date_of, day_of, key_content, number_of, read_key
from appliance.ledger.entry import EPOCH_MS, Body, EntryType, entry_parts
from appliance.ledger.verify import BodyMissingError
from appliance.services.condition import ARCHIVE_SIGNAL
from appliance.services.ledger_clock import LedgerClock, WrongClockError, check_wall_clock
from appliance.services.opening import OpenBox
from appliance.store.appending import Draft
from appliance.store.ledger import LedgerStore
from appliance.store.signal import SignalStore

Progress = Callable[[int, int], None]
"""Days sealed, and how many there are."""
QUIET = frozenset({EntryType.DAY_SEALED.number, EntryType.ARCHIVE_KEY_INTRODUCED.number, EntryType.BOX_STARTED.number})
"""A day with nothing but these is not sealed, or every seal would ask for the next one; a later seal covers them."""


class NoArchiveKeyError(ConfigError):
    """The credential ``archive.key`` is not there: this box was founded before there was one."""

    code = "archive.no_key"


class NoneIntroducedError(RefusedError):
    """The ledger has introduced no archive key yet: no day of it was sealed."""

    code = "archive.none"


@dataclass(frozen=True)
class DayEnd:
    """A day of Japan's calendar, counted from 1970-01-01, and how many entries there were when it was over."""

    day: int
    size: int

    @property
    def date(self) -> date:
        return date_of(self.day)


class Archive:
    """One for each call of the command or the timer. Only the ledger that is written is sealed: the first entry of a
    restored one names the end of the one before, so that its seals cover that as well."""

    def __init__(self, box: OpenBox, key: ArchiveSigningKey) -> None:
        self._box, self._ledger, self._key = box, box.ledger, key
        self._seen = 0

    def due(self) -> list[DayEnd]:
        """The days that are over, hold something to be sealed and are not sealed, the oldest first.

        Raises ``BodyMissingError`` if the content of the last seal is gone.
        """
        head, last = self._ledger.head(), self._last_seal()
        self._seen = head.size
        first, sealed_day = (0, -1) if last is None else (last.size, number_of(last.day))
        today = day_of(max(head.last_time_ms + EPOCH_MS, LedgerClock(self._box.clock, self._ledger).now_ms()))
        ends: dict[int, int] = {}
        wanted: set[int] = set()
        for index, item in enumerate(self._ledger.items(first, head.size, bodies=False), first):
            kind, _, time_ms, *_ = entry_parts(item.entry)
            day = day_of(time_ms + EPOCH_MS)
            ends[day] = index + 1
            if kind not in QUIET:
                wanted.add(day)
        return [DayEnd(day, ends[day]) for day in sorted(wanted) if sealed_day < day < today]

    def run(self, progress: Progress = lambda _, __: None) -> list[DayEnd]:
        """Seals what is due, each day in a transaction of its own; what a kill interrupts goes on at the next call.

        Raises ``WrongClockError`` while it is not known which day it is, ``DiskFullError`` while there is no room:
        a seal can wait, so it does not use the reserve.
        """
        check_wall_clock(self._box.clock.now_ms(), self._ledger)
        self._box.room.require()
        sealed: list[DayEnd] = []
        while due := self.due():
            for one in due:
                if not self._seal(one):
                    break  # somebody else seals as well: what is left is found anew
                sealed.append(one)
                progress(len(sealed), len(due))
        self._tell()
        return sealed

    def _seal(self, one: DayEnd) -> bool:
        with self._ledger.append() as appending:
            if self._ledger.last_of(EntryType.DAY_SEALED, self._seen) is not None:
                return False
            if not self._is_introduced():
                appending.add(Draft(EntryType.ARCHIVE_KEY_INTRODUCED, key_content(self._key.public)))
            seal = DaySeal(one.date, one.size, self._ledger.checkpoint_at(one.size, self._key))
            appending.add(Draft(EntryType.DAY_SEALED, seal.content()))
            if appending.time_ms + EPOCH_MS < begin_of(one.day + 1):
                raise WrongClockError()  # set back a moment ago, so that more may be recorded on that day
            self._seen = appending.size
        return True

    def _is_introduced(self) -> bool:
        """Whether the key that was introduced last is this one. A seal is under the key introduced before it, so
        nothing before the last seal has to be looked at."""
        at = self._ledger.last_of(EntryType.DAY_SEALED)
        introduced = self._ledger.last_of(EntryType.ARCHIVE_KEY_INTRODUCED, at or 0)
        if introduced is not None:
            return read_key(_body(self._ledger, introduced)).spki == self._key.public.spki
        if at is None:
            return False
        seal = DaySeal.read(_body(self._ledger, at))
        return claimed_key(parse_sign1(seal.cose)[0]) == self._key.public.key_id

    def _last_seal(self) -> DaySeal | None:
        at = self._ledger.last_of(EntryType.DAY_SEALED)
        return None if at is None else DaySeal.read(_body(self._ledger, at))

    def _tell(self) -> None:
        now_ms = self._box.clock.now_ms()
        size = self._ledger.size_at(begin_of(day_of(now_ms)) - EPOCH_MS)
        said: dict[str, Field] = {"origin": self._ledger.origin, "size": size}
        SignalStore(self._box.database).write(ARCHIVE_SIGNAL, said, now_ms)


def introduced_key(ledger: LedgerStore) -> ArchiveVerifyingKey:
    """The key that the ledger introduced last; looks back through all of it. Raises ``NoneIntroducedError``."""
    at = ledger.last_of(EntryType.ARCHIVE_KEY_INTRODUCED)
    if at is None:
        raise NoneIntroducedError()
    return read_key(_body(ledger, at))


def _body(ledger: LedgerStore, index: int) -> Body:
    body = ledger.body(index)
    if body is None:
        raise BodyMissingError(index=index, count=1)
    return body
