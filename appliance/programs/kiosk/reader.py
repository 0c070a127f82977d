"""Tells the other programs what the kiosk sees of the reader, at every change and as a sign of life."""

import threading
from collections.abc import Callable
from contextlib import suppress

from appliance.card.service import CardState
from appliance.errors import MadoguchiError
from appliance.log import EventLog
from appliance.store.signal import SignalStore

SIGNAL = "reader"
PERIOD_S = 10.0


class ReaderReport:
    """Writes in a thread of its own: a busy database must not hold up the card."""

    def __init__(self, signals: SignalStore, now_ms: Callable[[], int], log: EventLog) -> None:
        self._signals, self._now_ms, self._log = signals, now_ms, log
        self._state = CardState.SERVICE_ABSENT
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

    def see(self, state: CardState) -> None:
        """Notes the state; written soon after."""
        if state is not self._state:
            self._state = state
            self._changed.set()

    def _report(self) -> None:
        while True:
            self._changed.clear()
            if self._ending:
                return
            with suppress(MadoguchiError):  # a full disk is told by its own check, and tried again at the next beat
                self._signals.write(SIGNAL, {"state": self._state.value}, self._now_ms())
            self._changed.wait(PERIOD_S)
