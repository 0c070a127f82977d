"""Reading elementary files in as few exchanges as reader and card allow.

A file comes whole with one extended Le where the reader takes it, else in portions of 256 bytes; the way that worked is
remembered. Filler behind a certificate is left to ``tlv.trim``.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from appliance.card.apdu import EXTENDED_LE_MOST, SHORT_LE_MOST, Command, Instruction, Status, meaning
from appliance.card.connection import CardMuteError, CardProtocolError, CardRemovedError, Connection
from appliance.card.key import Key
from appliance.card.tlv import SEQUENCE, der_length
from appliance.card.token import Kind

BY_EF_ID, FIRST_OR_ONLY_NO_FCI, FIRST_OR_ONLY = 0x02, 0x0C, 0x00
SHORT_EF: Final = 0x80
# What cards without short identifiers answer to one; the last also says that there is no such file.
NOT_BY_SHORT_ID = frozenset({Status.WRONG_P1P2, Status.WRONG_OFFSET, Status.KEY_NOT_FOUND, Status.NOT_FOUND})
READ = frozenset({Status.OK, Status.END_OF_FILE})

Progress = Callable[[int, int], None]


@dataclass
class ReaderTraits:
    """What a reader turned out to be able to do; kept as long as the reader is known. None: not yet tried."""

    extended_le: bool | None = None


@dataclass
class CardTraits:
    """What was learned of a card; kept for one insertion. None: not asked, or the card did not say."""

    by_selection: bool = False
    """Whether this card wants its files selected before use: it knows no short identifiers."""
    kind: Kind | None = None
    available: frozenset[Key] | None = None


def short(ef: int) -> int:
    """How P1 of READ BINARY and P2 of VERIFY name a file by its short identifier."""
    return SHORT_EF | (ef & 0x1F)


def unexpected(step: str, sw: int) -> CardProtocolError:
    return CardProtocolError(step=step, sw=f"{sw:04X}")


class Files:
    """Files of the application that is selected; ``reselect`` selects it again after a reader reset the card."""

    def __init__(
        self, connection: Connection, reader: ReaderTraits, card: CardTraits, reselect: Callable[[], None]
    ) -> None:
        self._connection, self._reader, self._card, self._reselect = connection, reader, card, reselect

    def select(self, ef: int) -> None:
        """Raises ``CardProtocolError`` if there is no such file."""
        sw = self._select(ef)
        if meaning(sw) not in (Status.OK, Status.MORE_DATA):
            raise unexpected("select", sw)

    def head(self, ef: int, length: int) -> bytes | None:
        """The first bytes of a file, at most ``length`` of them; None if there is no such file for everybody."""
        data, sw = self._from_start(ef, length)
        return data[:length] if meaning(sw) in READ else None

    def certificate(self, ef: int, tell: Progress) -> tuple[bytes, Status]:
        """A file up to the end of the DER object it begins with, and ``OK``; or ``PIN_NEEDED`` or ``NOT_FOUND``.

        A file that begins with no SEQUENCE (filler, nothing) comes as its first part. ``tell`` gets (exchanges done,
        exchanges expected), counted from the SELECT of the application as 1. Raises ``CardProtocolError``.
        """
        data, sw = self._start(ef)
        status = meaning(sw)
        if status in (Status.PIN_NEEDED, Status.NOT_FOUND):
            return b"", status
        if status not in READ:
            raise unexpected("read", sw)
        exchanges, part = 2, len(data)
        while True:
            if data[:1] != bytes([SEQUENCE]):
                return data, Status.OK
            whole = der_length(data)
            if whole is not None and len(data) >= whole:
                tell(exchanges, exchanges)
                return data, Status.OK
            # Before the length is known, ask for a full answer; four bytes always settle it.
            missing = SHORT_LE_MOST if whole is None else min(SHORT_LE_MOST, whole - len(data))
            left = 1 if whole is None else -(-(whole - len(data)) // max(1, min(part, SHORT_LE_MOST)))
            tell(exchanges, exchanges + left)
            data += self._more(len(data), missing)
            exchanges += 1

    def _more(self, offset: int, length: int) -> bytes:
        data, sw = self._send(Command(0, Instruction.READ_BINARY, offset >> 8, offset & 0xFF, le=length))
        if meaning(sw) not in READ or not data:
            raise unexpected("read", sw)
        if len(data) > length:
            raise CardProtocolError(step="read", reason="more than asked for")
        return data

    def _start(self, ef: int) -> tuple[bytes, int]:
        """The beginning of a file, all of it if the reader can; leaves the EF selected for reading on."""
        if self._reader.extended_le is not False:
            try:
                data, sw = self._from_start(ef, EXTENDED_LE_MOST)
            except CardMuteError:
                # Some readers choke on the longer command and reset the card. Nothing was spent by a READ.
                self._reader.extended_le = False
                self._reselect()
            except CardRemovedError:
                # Others lose the card for a moment. Where it never worked yet, it is not tried on this reader again.
                self._reader.extended_le = self._reader.extended_le or False
                raise
            else:
                if meaning(sw) is not Status.WRONG_LENGTH:
                    self._reader.extended_le = self._reader.extended_le or meaning(sw) in READ or None
                    return data, sw
                self._reader.extended_le = False
        data, sw = self._from_start(ef, SHORT_LE_MOST)
        if len(data) > SHORT_LE_MOST:
            raise CardProtocolError(step="read", reason="more than asked for")
        return data, sw

    def _from_start(self, ef: int, le: int) -> tuple[bytes, int]:
        if not self._card.by_selection:
            data, sw = self._send(Command(0, Instruction.READ_BINARY, short(ef), 0, le=le))
            if meaning(sw) not in NOT_BY_SHORT_ID:
                return data, sw
        sw = self._select(ef)
        if meaning(sw) not in (Status.OK, Status.MORE_DATA):
            return b"", sw
        self._card.by_selection = True
        return self._send(Command(0, Instruction.READ_BINARY, 0, 0, le=le))

    def _select(self, ef: int) -> int:
        command = Command(0, Instruction.SELECT, BY_EF_ID, FIRST_OR_ONLY_NO_FCI, data=ef.to_bytes(2, "big"))
        return self._send(command)[1]

    def _send(self, command: Command) -> tuple[bytes, int]:
        return self._connection.transmit(command.encode())
