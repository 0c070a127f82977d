"""What a program asks of the card, whether ``cardd`` answers or the program holds the reader itself."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum, unique
from typing import Protocol

Progress = Callable[[int, int], None]


@unique
class CardState(Enum):
    """What lies at the window."""

    SERVICE_ABSENT = "service_absent"
    READER_ABSENT = "reader_absent"
    EMPTY = "empty"
    PRESENT = "present"
    MUTE = "mute"


@dataclass(frozen=True)
class CardEvent:
    """A state that began. ``insertion`` counts cards put on: another number is another card, or the same put anew."""

    state: CardState
    reader: str
    insertion: int


@dataclass(frozen=True)
class CardRead:
    """What a card gave without a PIN: the authentication certificate (DER) and what it took to read it.

    ``kind`` is ``card`` unless the token information had to be read and said otherwise.
    """

    certificate: bytes = field(repr=False)
    kind: str
    reader: str
    exchanges: int
    bytes: int
    ms: int


@dataclass(frozen=True)
class Tally:
    """What the session took so far, both ways; ``tries_left`` is the last that the card said, None if it did not."""

    exchanges: int
    bytes: int
    card_ms: int
    tries_left: int | None


class CardService(Protocol):
    """One client's view. A session begins with ``read`` and ends with ``leave``, with the card, or with the client.

    Every call may raise the errors of ``card.connection``, ``CardBusyError`` if another client has a session, and,
    through a socket, ``CarddAbsentError``.
    """

    def status(self) -> CardEvent:
        """What lies at the window now."""
        ...

    def watch(self) -> Iterator[CardEvent]:
        """The state now, then every change, for as long as the caller goes on."""
        ...

    def read(self, progress: Progress | None = None) -> CardRead:
        """Begins a session and reads the certificate; ``progress`` gets (exchanges done, exchanges expected)."""
        ...

    def tries_left(self) -> int | None:
        """Tries left for the PIN; asking spends none. None if the card sets no limit."""
        ...

    def sign(self, pin: bytearray, digest: bytes, last_try: bool = False) -> bytes:
        """The card's signature over a SHA-256 digest; see ``JpkiSession.sign``. ``pin`` is wiped in every case."""
        ...

    def tally(self) -> Tally:
        """What the session took so far; costs no exchange."""
        ...

    def leave(self) -> None:
        """Ends the session: the card forgets the PIN and loses its power. Does nothing without a session."""
        ...
