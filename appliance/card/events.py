"""What happened at the readers, for those who watch: the last events, with numbers."""

import threading
import time
from collections import deque
from typing import Final

from appliance.card.readers import Sighting
from appliance.card.service import CardEvent, CardState

EVENTS_KEPT: Final = 64
HOLDING = (CardState.PRESENT, CardState.MUTE)
IN_LOG = {
    CardState.PRESENT: "card.seen",
    CardState.EMPTY: "reader.empty",
    CardState.MUTE: "card.mute",
    CardState.READER_ABSENT: "reader.absent",
    CardState.SERVICE_ABSENT: "reader.service",
}


class CardEvents:
    """Fed with sightings. Any thread may wait for the next event."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._kept: deque[tuple[int, CardEvent]] = deque(maxlen=EVENTS_KEPT)
        self._number = 0
        self._insertion = 0
        self._seen: Sighting | None = None
        self._ended = False

    def note(self, sighting: Sighting) -> str | None:
        """The name of what happened for the log; None if nothing did."""
        with self._changed:
            before, self._seen = self._seen, sighting
            if before == sighting:
                return None
            if sighting.state in HOLDING and not _same_card(before, sighting):
                self._insertion += 1
            self._number += 1
            event = CardEvent(sighting.state, sighting.reader, self._insertion, sighting.held, sighting.readers)
            self._kept.append((self._number, event))
            self._changed.notify_all()
        if before is not None and _where(before) == _where(sighting):
            return "reader.held" if sighting.held else "reader.seen"
        return IN_LOG[sighting.state]

    @property
    def last(self) -> CardEvent | None:
        with self._changed:
            return self._kept[-1][1] if self._kept else None

    def next(self, after: int, timeout_s: float) -> tuple[int, CardEvent] | None:
        """The first kept event with a number over ``after``, waiting for it; None if none came in time.

        The newest one only, for ``after`` = 0. A watcher too slow for the number of events kept misses the oldest.
        """
        end = time.monotonic() + timeout_s
        with self._changed:
            while True:
                if after == 0 and self._kept:
                    return self._kept[-1]
                found = next((one for one in self._kept if one[0] > after), None)
                left = end - time.monotonic()
                if found is not None or left <= 0 or self._ended:
                    return found
                self._changed.wait(left)

    def end(self) -> None:
        """From now on nobody waits."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()


def _where(sighting: Sighting) -> tuple[CardState, str, int]:
    return sighting.state, sighting.reader, sighting.mark


def _same_card(before: Sighting | None, now: Sighting) -> bool:
    return before is not None and before.state in HOLDING and _where(before)[1:] == _where(now)[1:]
