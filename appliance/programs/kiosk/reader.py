"""Tells the other programs what the kiosk sees of the reader, at every change and as a sign of life."""

import threading
from collections.abc import Callable, Mapping
from contextlib import suppress

from appliance.card.service import CardEvent
from appliance.errors import Field, MadoguchiError
from appliance.log import EventLog
from appliance.store.signal import SignalStore

SIGNAL = "reader"
PERIOD_S = 10.0
CARDD_ABSENT = "cardd_absent"
BETWEEN_NAMES = " / "
MOST_NAMES = 4  # as many as a sentence can name


class ReaderReport:
    """Writes in a thread of its own: a busy database must not hold up the card.

    What it writes: ``state`` (a ``CardState``, or ``cardd_absent``), the ``reader`` that counts, ``found`` (the names
    of all readers there are), how ``many`` devices they are, ``held`` (another program uses it), and ``since_ms``, when
    that began.
    """

    def __init__(self, signals: SignalStore, now_ms: Callable[[], int], log: EventLog) -> None:
        self._signals, self._now_ms, self._log = signals, now_ms, log
        self._seen: CardEvent | None = None
        self._value: Mapping[str, Field] = self._said(None)
        self._changed = threading.Event()
        self._ending = False
        self._thread = threading.Thread(target=self._report, name="reader-report", daemon=True)

    def start(self) -> None:
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
        if event != self._seen:
            self._seen, self._value = event, self._said(event)
            self._changed.set()

    def _said(self, event: CardEvent | None) -> Mapping[str, Field]:
        if event is None:
            return {"state": CARDD_ABSENT, "since_ms": self._now_ms()}
        return {
            "state": event.state.value,
            "reader": event.reader,
            "found": BETWEEN_NAMES.join(event.readers[:MOST_NAMES]),
            "many": len({_device(name) for name in event.readers}),
            "held": event.held,
            "since_ms": self._now_ms(),
        }

    def _report(self) -> None:
        while True:
            self._changed.clear()
            if self._ending:
                return
            with suppress(MadoguchiError):  # a full disk is told by its own check, and tried again at the next beat
                self._signals.write(SIGNAL, self._value, self._now_ms())
            self._changed.wait(PERIOD_S)


def _device(reader: str) -> str:
    """A reader's name without its last number, which counts the slots of one device: with contacts and without."""
    return reader.rpartition(" ")[0]
