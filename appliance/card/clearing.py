"""Ends what somebody before may have left open on a card: a process that was killed behind a VERIFY.

On a client's death pcsc-lite resets the card, which an opened key outlives, and takes the power half a second later
only if nobody else connected meanwhile. Without power the card itself forgets.
"""

import threading

from appliance.card.connection import ReaderServiceError
from appliance.card.readers import Observe, Readers, Sighting
from appliance.card.service import CardState

LOOKED_INTO = (CardState.PRESENT, CardState.MUTE, CardState.EMPTY)


class Clearing:
    """Fed with every sighting before anybody hears of it; takes the power once from a card of unknown past.

    That is the first card after ``begin`` and after each absence of the service, unless the reader was seen empty.
    ``opening`` is held meanwhile: whoever opens the card holds it too, so that neither finds the card busy.
    """

    def __init__(self, readers: Readers, observe: Observe) -> None:
        self.opening = threading.Lock()
        self._readers = readers
        self._observe = observe
        self._begun = False
        self._due = False
        self._told = False

    def begin(self) -> None:
        """Until then nothing is cleared: who only looks once must not disturb others."""
        self._begun = self._due = True

    def look(self, sighting: Sighting, in_session: bool) -> None:
        """``in_session``: the card is ours alone, and loses its power at the end of that anyway.

        Tries again at every look while another program holds the card for itself alone. Never raises.
        """
        if sighting.state is CardState.SERVICE_ABSENT:
            self._due, self._told = self._begun, False
        if not self._due or in_session or sighting.state not in LOOKED_INTO:
            return
        if sighting.state is CardState.EMPTY:
            self._due = False
            return
        try:
            with self.opening:
                self._due = not self._readers.power_off()
        except ReaderServiceError:  # away again: the next look says so
            return
        if not self._due:
            self._observe("card.cleared", reader=sighting.reader)
        elif not self._told:
            self._told = True
            self._observe("card.not_cleared", reader=sighting.reader)
