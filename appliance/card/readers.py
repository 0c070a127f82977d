"""Where cards come from: what a reader shows, and a card under power that somebody must give back."""

from dataclasses import dataclass
from typing import Protocol

from appliance.card.connection import Connection
from appliance.card.service import CardState
from appliance.errors import BusyError, Field


class CardBusyError(BusyError):
    """Another client or program has a session with the card."""

    code = "card.busy"


@dataclass(frozen=True)
class Sighting:
    """One look at the readers, and what it showed of the one that counts (see ``choice.Choice``).

    ``mark`` differs after every insertion and removal at the same reader. ``held``: a program other than ours uses it.
    ``readers`` are the names of all there are, also of those that never count.
    """

    state: CardState
    reader: str
    mark: int
    held: bool = False
    readers: tuple[str, ...] = ()


class PoweredCard(Connection, Protocol):
    """A connection that somebody must give back."""

    @property
    def reader(self) -> str:
        """The full name of the reader it lies on."""
        ...

    def close(self) -> None:
        """Takes the power away and frees the reader."""
        ...


class Observe(Protocol):
    """Told what happened, for a log. Never gets a PIN, a certificate or a serial number."""

    def __call__(self, event: str, **fields: Field) -> None: ...


class Readers(Protocol):
    """Where cards come from; ``pcsc.PcscReaders`` in the product."""

    def wait(self, timeout_s: float) -> Sighting: ...
    def open(self, reader: str = "") -> PoweredCard:
        """Powers up the card on the reader of this name, or without a name on the one that counts.

        Raises ``ReaderServiceError``, ``ReaderAbsentError``, ``CardAbsentError``, ``CardMuteError`` or
        ``CardBusyError`` if another program holds the card.
        """
        ...

    def power_off(self) -> bool:
        """Takes the power from every card there, also where other programs share it.

        False where another program has one for itself alone. Raises ``ReaderServiceError``.
        """
        ...

    def wake(self) -> None: ...
    def close(self) -> None: ...
