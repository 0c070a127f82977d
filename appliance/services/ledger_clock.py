"""The wall clock as the ledger believes it: a clock that is years ahead must not date a record.

An entry is never older than its predecessor, so one entry dated 2099 would hold the ledger's time there for good.
"""

from appliance.clock import Clock
from appliance.errors import UnavailableError
from appliance.ledger.checkpoint import claimed_time_s
from appliance.ledger.entry import EPOCH_MS
from appliance.store.ledger import LedgerStore

DAY_MS = 86_400_000
RELEASED_MS = 1_793_491_200_000
"""2026-11-01T00:00:00Z: no clock that is right is before it. Moved on with a release."""
WITHOUT_HUB_MS = 10 * 366 * DAY_MS
"""For so long a release may run at a box that no hub has ever confirmed anything to."""
SINCE_HUB_MS = 400 * DAY_MS
"""For so long a box may have been offline; a year without a line is to be noticed in any case."""


def latest_confirmed_ms(ledger: LedgerStore) -> int | None:
    """The hub's own time in its latest cosignature, in milliseconds since 1970; in a generation of which it has
    confirmed nothing yet, the latest that the first entry names of the one before."""
    head = ledger.head()
    found = ledger.confirmation(head.cosigned_size - 1) if head.cosigned_size else None
    if found is not None:
        return claimed_time_s(found.cosignature) * 1000
    body = ledger.body(0) if head.size else None
    if body is None:
        return None
    opened = body.read()
    named = (opened.get("previous", {}).get("confirmed"), opened.get("peer"))
    return max((claimed_time_s(one["cosignature"]) * 1000 for one in named if one is not None), default=None)


def latest_plausible_ms(ledger: LedgerStore) -> int:
    """A wall clock past this is wrong."""
    confirmed_ms = latest_confirmed_ms(ledger)
    return RELEASED_MS + WITHOUT_HUB_MS if confirmed_ms is None else confirmed_ms + SINCE_HUB_MS


class WrongClockError(UnavailableError):
    """The wall clock cannot be right, so nothing can be said of dates."""

    code = "clock.wrong"


def check_wall_clock(now_ms: int, ledger: LedgerStore) -> None:
    """Raises ``WrongClockError`` for a clock before the ledgers' epoch, a day behind the last record, or further on
    than can be."""
    head = ledger.head()
    earliest_ms = head.last_time_ms + EPOCH_MS - DAY_MS if head.size else EPOCH_MS
    if not max(earliest_ms, EPOCH_MS) <= now_ms <= latest_plausible_ms(ledger):
        raise WrongClockError()


class LedgerClock:
    """What a ledger is attached to. While the wall clock is implausible it gives the latest time that is certain, so
    that entries keep the time of their predecessor; their monotonic reading goes on."""

    def __init__(self, clock: Clock, ledger: LedgerStore) -> None:
        self._clock, self._ledger = clock, ledger
        self._limit_ms = 0

    @property
    def boot_id(self) -> bytes:
        return self._clock.boot_id

    def monotonic_ms(self) -> int:
        return self._clock.monotonic_ms()

    def now_ms(self) -> int:
        now_ms = self._clock.now_ms()
        if now_ms > self._limit_ms:  # the hub may have confirmed more since
            self._limit_ms = latest_plausible_ms(self._ledger)
            if now_ms > self._limit_ms:
                return latest_confirmed_ms(self._ledger) or RELEASED_MS
        return now_ms
