"""Where cards come from: what a reader shows, and a card under power that somebody must give back."""

from dataclasses import dataclass
from typing import Protocol

from appliance.card.connection import Connection
from appliance.card.service import CardState
from appliance.errors import BusyError


class CardBusyError(BusyError):
    """Another client or program has a session with the card."""

    code = "card.busy"


@dataclass(frozen=True)
class Sighting:
    """One look at the readers. ``mark`` differs after every insertion and removal at the same reader."""

    state: CardState
    reader: str
    mark: int


class PoweredCard(Connection, Protocol):
    """A connection that somebody must give back."""

    @property
    def reader(self) -> str:
        """The full name of the reader it lies on."""
        ...

    def close(self) -> None:
        """Takes the power away and frees the reader."""
        ...


class Readers(Protocol):
    """Where cards come from; ``pcsc.PcscReaders`` in the product."""

    def wait(self, timeout_s: float) -> Sighting: ...
    def open(self) -> PoweredCard: ...
    def wake(self) -> None: ...
    def close(self) -> None: ...
