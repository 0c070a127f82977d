"""Commands and status words of ISO/IEC 7816-4 as values, and a way to print them that cannot leak a PIN."""

from dataclasses import dataclass, field
from enum import Enum, IntEnum, unique

SHORT_LE_MOST = 0x100
EXTENDED_LE_MOST = 0x10000
MOST_SHORT_DATA = 0xFF
HEADER_BYTES = 4


@unique
class Instruction(IntEnum):
    """INS bytes (ISO/IEC 7816-4 table 4)."""

    VERIFY = 0x20
    CHANGE_REFERENCE_DATA = 0x24
    PERFORM_SECURITY_OPERATION = 0x2A
    SELECT = 0xA4
    READ_BINARY = 0xB0
    GET_RESPONSE = 0xC0


SECRET_BODIES = frozenset({Instruction.VERIFY, Instruction.CHANGE_REFERENCE_DATA})


@unique
class Status(Enum):
    """What a status word means; see ``meaning``."""

    OK = "9000"
    MORE_DATA = "61xx"
    WRONG_LE = "6Cxx"
    END_OF_FILE = "6282"
    NO_LIMIT = "6300"
    TRIES_LEFT = "63Cx"
    WRONG_LENGTH = "6700"
    PIN_NEEDED = "6982"
    BLOCKED = "6983 or 6984"
    NOT_FOUND = "6A82"
    WRONG_DATA = "6A80"
    WRONG_P1P2 = "6A86"
    KEY_NOT_FOUND = "6A88"
    WRONG_OFFSET = "6B00"
    UNKNOWN_INSTRUCTION = "6D00"
    UNKNOWN_CLASS = "6E00"
    NO_DIAGNOSIS = "6F00"
    OTHER = "any other"


_EXACT = {
    0x9000: Status.OK,
    0x6282: Status.END_OF_FILE,
    0x6300: Status.NO_LIMIT,
    0x6700: Status.WRONG_LENGTH,
    0x6982: Status.PIN_NEEDED,
    0x6983: Status.BLOCKED,
    0x6984: Status.BLOCKED,
    0x6A80: Status.WRONG_DATA,
    0x6A82: Status.NOT_FOUND,
    0x6A86: Status.WRONG_P1P2,
    0x6A88: Status.KEY_NOT_FOUND,
    0x6B00: Status.WRONG_OFFSET,
    0x6D00: Status.UNKNOWN_INSTRUCTION,
    0x6E00: Status.UNKNOWN_CLASS,
    0x6F00: Status.NO_DIAGNOSIS,
}


def meaning(sw: int) -> Status:
    """The meaning of SW1-SW2 given as one number (0x9000)."""
    if sw & 0xFFF0 == 0x63C0:
        return Status.TRIES_LEFT
    by_first = {0x61: Status.MORE_DATA, 0x6C: Status.WRONG_LE}.get(sw >> 8)
    return by_first or _EXACT.get(sw, Status.OTHER)


def tries_in(sw: int) -> int:
    """The counter in a ``63Cx``."""
    return sw & 0x0F


def wipe(buffer: bytearray) -> None:
    """Overwrites the buffer where it lies; its length stays."""
    buffer[:] = bytes(len(buffer))


@dataclass(frozen=True)
class Command:
    """One command. ``le`` is the number of bytes wanted, None for none.

    An ``le`` over 256 makes the command an extended one, unless there is data as well: no command here needs both.
    """

    cla: int
    ins: Instruction
    p1: int
    p2: int
    data: bytes | bytearray = field(default=b"", repr=False)
    le: int | None = None

    def encode(self) -> bytearray:
        """The bytes for the card, in a buffer that the caller can ``wipe``.

        Raises ``ValueError`` for a length that the short form (or the extended Le without data) cannot say.
        """
        if len(self.data) > MOST_SHORT_DATA:
            raise ValueError(f"{len(self.data)} bytes of data do not fit a short command")
        # Made at its final size: a growing buffer would leave unwiped copies behind.
        extended = self.le is not None and self.le > SHORT_LE_MOST
        body = 1 + len(self.data) if self.data else 0
        tail = 0 if self.le is None else 3 if extended else 1
        out = bytearray(HEADER_BYTES + body + tail)
        out[:HEADER_BYTES] = bytes((self.cla, self.ins, self.p1, self.p2))
        if self.data:
            out[HEADER_BYTES] = len(self.data)
            for place, value in enumerate(self.data, HEADER_BYTES + 1):
                out[place] = value
        if self.le is None:
            return out
        if not 0 < self.le <= EXTENDED_LE_MOST or (extended and self.data):
            raise ValueError(f"no form of command for Le {self.le} with {len(self.data)} bytes of data")
        if extended:
            out[-2:] = (self.le % EXTENDED_LE_MOST).to_bytes(2, "big")
        else:
            out[-1] = self.le % SHORT_LE_MOST
        return out

    def __str__(self) -> str:
        return traced(self.encode())


def body_of(command: bytes | bytearray) -> bytes:
    """The data field of an encoded command, short or extended; empty if it has none or is cut off."""
    if len(command) <= HEADER_BYTES + 1:
        return b""
    length, start = command[HEADER_BYTES], HEADER_BYTES + 1
    if length == 0:
        if len(command) <= HEADER_BYTES + 3:
            return b""
        length, start = int.from_bytes(command[HEADER_BYTES + 1 : HEADER_BYTES + 3], "big"), HEADER_BYTES + 3
    return bytes(command[start : start + length])


def traced(command: bytes | bytearray) -> str:
    """The command for a log, in hexadecimal; ``<pin>`` stands for whatever follows the header of INS 20 and 24."""
    header, rest = bytes(command[:HEADER_BYTES]).hex().upper(), command[HEADER_BYTES:]
    if not rest:
        return header
    if len(header) >= 4 and command[1] in SECRET_BODIES:
        return f"{header} <pin>"
    return f"{header} {bytes(rest).hex().upper()}"
