"""Tells the other programs what the kiosk sees of the reader, at every change and as a sign of life."""

import re
import threading
import time
from collections.abc import Callable, Mapping

from appliance.card.service import CardEvent
from appliance.errors import Field, MadoguchiError, UnavailableError
from appliance.services.room import Room
from appliance.store.signal import SignalStore

SIGNAL = "reader"
PERIOD_S = 10.0
CARDD_ABSENT = "cardd_absent"
BETWEEN_NAMES = " / "
MOST_NAMES = 4  # as many as a sentence can name
INTERFACE = re.compile(r"(?P<model>.+) \[[^\]]*\](?P<serial> \(.*\))? [0-9A-F]{2} [0-9A-F]{2}")


class ReaderReport:
    """Writes in a thread of its own: a busy database must not hold up the card.

    What it writes: ``state`` (a ``CardState``, or ``cardd_absent``), the ``reader`` that counts, ``found`` (the names
    of all readers there are), how ``many`` devices they are, ``held`` (another program uses it), ``lasted_s``, for how
    long that has been so, and ``left_s``, for how long a card has been lying there with nothing more to do. Durations,
    because a clock may be put right meanwhile.

    ``fault`` is the code of the ``UnavailableError`` that a record would meet now, None if it would be taken.
    """

    def __init__(
        self,
        signals: SignalStore,
        room: Room,
        now_ms: Callable[[], int],
        seconds: Callable[[], float] = time.monotonic,
    ) -> None:
        self._signals, self._room, self._now_ms, self._seconds = signals, room, now_ms, seconds
        self.fault: str | None = None
        self._left_s: Callable[[], float] = lambda: 0.0
        self._seen: CardEvent | None = None
        self._since = seconds()
        self._changed = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._report, name="reader-report", daemon=True)

    def start(self, left_s: Callable[[], float]) -> None:
        """``left_s`` tells for how long a card has been lying there with nothing more to do, 0 if none has."""
        self._left_s = left_s
        self._thread.start()

    def stop(self) -> None:
        self._ending = True
        self._changed.set()
        self._thread.join()

    @property
    def alive(self) -> bool:
        return self._thread.is_alive()

    def see(self, event: CardEvent | None) -> None:
        """Notes what is there now, None when ``cardd`` does not answer; written soon after."""
        if event == self._seen:
            return
        if _matter(event) != _matter(self._seen):
            self._since = self._seconds()
        self._seen = event
        self._changed.set()

    def _said(self) -> Mapping[str, Field]:
        event, lasted_s = self._seen, int(self._seconds() - self._since)
        if event is None:
            return {"state": CARDD_ABSENT, "lasted_s": lasted_s}
        return {
            "state": event.state.value,
            "reader": event.reader,
            "found": BETWEEN_NAMES.join(event.readers[:MOST_NAMES]),
            "many": len({device(name) for name in event.readers}),
            "held": event.held,
            "lasted_s": lasted_s,
            "left_s": int(self._left_s()),
        }

    def _report(self) -> None:
        while True:
            self._changed.clear()
            if self._ending:
                return
            self._write()
            self._changed.wait(PERIOD_S)

    def _write(self) -> None:
        try:
            self._signals.write(SIGNAL, self._said(), self._now_ms())
            self._room.require()
        except UnavailableError as error:
            self.fault = error.code
        except MadoguchiError:
            pass  # somebody else writes, so it can be written; tried again at the next beat
        else:
            self.fault = None


def _matter(event: CardEvent | None) -> tuple[object, ...] | None:
    """What is the same for as long as nothing happened at the reader itself."""
    return None if event is None else (event.state, event.reader, event.insertion, event.held)


def device(reader: str) -> str:
    """The device that a reader belongs to.

    pcsc-lite calls a reader ``model [interface] (serial) XX YY``: ``YY`` counts the slots of one interface, ``XX`` all
    interfaces. One device may have a slot with contacts and one without, as slots or as interfaces.
    """
    found = INTERFACE.fullmatch(reader)
    return reader.rpartition(" ")[0] if found is None else found["model"] + (found["serial"] or "")
