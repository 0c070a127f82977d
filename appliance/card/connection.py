"""The seam to the card: bytes out, bytes and status in; and the wrappers that every conversation goes through.

``Metered(Guarded(raw))`` lies next to the reader, so that whatever is built above it, nothing leaves the box uncounted
or outside the allow-list.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from appliance.card.apdu import SHORT_LE_MOST, Command, Instruction, Status, body_of, meaning, traced, wipe
from appliance.errors import MadoguchiError, RefusedError, UnavailableError, UntrustedError

JPKI_AP: Final = bytes.fromhex("D392F000260100000001")
ISD: Final = bytes.fromhex("A0000001510000")  # GlobalPlatform Card Specification, section 7.3: issuer security domain
ALLOWED_AIDS: Final = frozenset({JPKI_AP, ISD})

SELECT_BY_AID, SELECT_BY_EF = 0x04, 0x02
# (CLA, INS) of everything the box says to a card. Changing a PIN is not among it.
ALLOWED_COMMANDS: Final = frozenset(
    {
        (0x00, Instruction.SELECT),
        (0x00, Instruction.READ_BINARY),
        (0x00, Instruction.VERIFY),
        (0x00, Instruction.GET_RESPONSE),
        (0x80, Instruction.PERFORM_SECURITY_OPERATION),
    }
)
MAX_ANSWER_BYTES = 0x10000
MAX_ROUNDS = MAX_ANSWER_BYTES // SHORT_LE_MOST + 1
# A visit takes ten to thirty. So many READs of the slowest cards end well before a reader is taken for stuck.
MOST_EXCHANGES: Final = 2048


class CardAbsentError(UnavailableError):
    code = "card.absent"


class CardRemovedError(UnavailableError):
    """The card was taken away in the middle."""

    code = "card.removed"


class CardMuteError(UnavailableError):
    """The card lies there and does not answer."""

    code = "card.mute"


class CardProtocolError(RefusedError):
    """The card answered something that the specification does not allow."""

    code = "card.protocol"


class ReaderAbsentError(UnavailableError):
    code = "reader.absent"


class ReaderServiceError(UnavailableError):
    """The PC/SC service is away or will not talk to this user."""

    code = "reader.service"


class ForbiddenCommandError(UntrustedError):
    """A part of the box tried to say something to the card that the box never says."""

    code = "card.forbidden"


class Connection(Protocol):
    """One card under power."""

    def transmit(self, command: bytes | bytearray) -> tuple[bytes, int]:
        """Sends one command; returns the answer without its status word, and SW1-SW2 as one number.

        Raises ``CardRemovedError``, ``CardMuteError`` (the answer did not come: nobody knows what the card did),
        ``ReaderAbsentError`` or ``ReaderServiceError``.
        """
        ...


class Guarded:
    """Lets through what the box may say to a card and refuses the rest before it leaves.

    Refused: any SELECT by AID outside ``ALLOWED_AIDS`` (partial ones too: they could land on a neighbour), any other
    way to select than by AID or by EF, and any command outside ``ALLOWED_COMMANDS``.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def transmit(self, command: bytes | bytearray) -> tuple[bytes, int]:
        if len(command) < 4 or (command[0], command[1]) not in ALLOWED_COMMANDS:
            raise ForbiddenCommandError(what="command", header=bytes(command[:2]).hex().upper())
        if command[1] == Instruction.SELECT:
            by_aid = command[2] == SELECT_BY_AID and body_of(command) in ALLOWED_AIDS
            by_ef = command[2] == SELECT_BY_EF and len(body_of(command)) == 2
            if not (by_aid or by_ef):
                raise ForbiddenCommandError(what="select", header=bytes(command[:4]).hex().upper())
        return self._connection.transmit(command)


@dataclass
class Meter:
    """What a conversation took. ``bytes`` counts both ways with status words; ``card_ns`` is time spent waiting."""

    exchanges: int = 0
    bytes: int = 0
    card_ns: int = 0


class Metered:
    """Counts every exchange, also one that ends in an error, and ends a conversation after ``MOST_EXCHANGES``.

    A card that hands a long file out byte by byte would else hold the reader for hours. Only a SELECT passes then, so
    that the session can still be left; for everything else comes ``CardProtocolError``.
    """

    def __init__(self, connection: Connection, meter: Meter) -> None:
        self._connection = connection
        self._meter = meter

    def transmit(self, command: bytes | bytearray) -> tuple[bytes, int]:
        if self._meter.exchanges >= MOST_EXCHANGES and command[1] != Instruction.SELECT:
            raise CardProtocolError(step="conversation", reason="too many exchanges")
        self._meter.exchanges += 1
        self._meter.bytes += len(command)
        started = time.perf_counter_ns()
        try:
            data, sw = self._connection.transmit(command)
        finally:
            self._meter.card_ns += time.perf_counter_ns() - started
        self._meter.bytes += len(data) + 2
        return data, sw


class Traced:
    """Writes one line for each exchange: the command with PINs left out, the answer's length and status only."""

    def __init__(self, connection: Connection, write: Callable[[str], None]) -> None:
        self._connection = connection
        self._write = write

    def transmit(self, command: bytes | bytearray) -> tuple[bytes, int]:
        line = traced(command)
        try:
            data, sw = self._connection.transmit(command)
        except MadoguchiError as error:
            self._write(f"{line} -> {error.code}")
            raise
        self._write(f"{line} -> {len(data)} bytes {sw:04X}")
        return data, sw


class Settled:
    """Sends the first SELECT after power-up once more if the card answers it 6F00; some cards need a throw-away."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._fresh = True

    def transmit(self, command: bytes | bytearray) -> tuple[bytes, int]:
        fresh, self._fresh = self._fresh, False
        data, sw = self._connection.transmit(command)
        if fresh and command[1] == Instruction.SELECT and meaning(sw) is Status.NO_DIAGNOSIS:
            return self._connection.transmit(command)
        return data, sw


class Chained:
    """Fetches what a 61xx announces and asks again with the Le that a 6Cxx names (ISO/IEC 7816-4 section 5.3.4).

    A VERIFY is never sent again, whatever the card answers. Raises ``CardProtocolError`` when a card goes on for ever.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def transmit(self, command: bytes | bytearray) -> tuple[bytes, int]:
        data, sw = self._once(command)
        whole = bytearray(data)
        for _ in range(MAX_ROUNDS):
            if meaning(sw) is not Status.MORE_DATA or command[1] == Instruction.VERIFY:
                return bytes(whole), sw
            fetch = Command(0x00, Instruction.GET_RESPONSE, 0, 0, le=(sw & 0xFF) or SHORT_LE_MOST)
            data, sw = self._once(fetch.encode())
            whole += data
            if len(whole) > MAX_ANSWER_BYTES:
                break
        raise CardProtocolError(step="get_response", reason="endless answer")

    def _once(self, command: bytes | bytearray) -> tuple[bytes, int]:
        data, sw = self._connection.transmit(command)
        if meaning(sw) is not Status.WRONG_LE or command[1] == Instruction.VERIFY:
            return data, sw
        again = bytearray(command[:4]) + _data_field(command) + bytes([sw & 0xFF])
        try:
            return self._connection.transmit(again)
        finally:
            wipe(again)


def _data_field(command: bytes | bytearray) -> bytes:
    body = body_of(command)
    return bytes([len(body)]) + body if body else b""


def conversation(raw: Connection, meter: Meter, trace: Callable[[str], None] | None = None) -> Connection:
    """All wrappers around a card that was just powered up."""
    lowest: Connection = Guarded(raw)
    if trace is not None:
        lowest = Traced(lowest, trace)
    return Chained(Settled(Metered(lowest, meter)))
