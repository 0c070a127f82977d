"""What a program asks of the card, whether ``cardd`` answers or the program holds the reader itself."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import Enum, unique
from typing import Protocol

from appliance.card.files import Progress
from appliance.card.key import Key


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
    """A state that began, at the reader that counts.

    ``insertion`` counts cards put on: another number is another card, or the same put anew. ``held``: a program other
    than ``cardd`` uses this reader. ``readers`` are the names of all there are, also of those that never count.
    """

    state: CardState
    reader: str
    insertion: int
    held: bool = False
    readers: tuple[str, ...] = ()


@dataclass(frozen=True)
class CardRead:
    """What a card gave without a PIN: the authentication certificate (DER) and what it took to read it.

    ``certificate`` is None for a telephone, which shows it only after ``open``; ``kind`` is ``card`` unless the token
    information had to be read and said otherwise.
    """

    certificate: bytes | None = field(repr=False)
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

    def tries_left(self, key: Key = Key.AUTHENTICATION) -> int | None:
        """Tries left for the key's secret; asking spends none. None if the card sets no limit."""
        ...

    def open(self, secret: bytearray, key: Key = Key.AUTHENTICATION, last_try: bool = False) -> None:
        """Opens the key until ``leave``; see ``JpkiSession.open``. ``secret`` is wiped in every case."""
        ...

    def certificate(self, key: Key = Key.AUTHENTICATION) -> bytes:
        """The key's certificate (DER), for one that is only to be read after ``open``."""
        ...

    def sign(self, digest: bytes, key: Key = Key.AUTHENTICATION) -> bytes:
        """The card's signature over a digest, as often as wanted after one ``open``; see ``JpkiSession.sign``."""
        ...

    def tally(self) -> Tally:
        """What the session took so far; costs no exchange."""
        ...

    def leave(self) -> None:
        """Ends the session: the card forgets the PIN and loses its power. Does nothing without a session."""
        ...
