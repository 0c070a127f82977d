"""Command APDUs as a card reads them (ISO/IEC 7816-3, section 12.1): the four cases, short and extended."""

from dataclasses import dataclass
from enum import IntEnum, unique

PIN_INSTRUCTIONS = (0x20, 0x24, 0x2C)


@unique
class Ins(IntEnum):
    VERIFY = 0x20
    COMPUTE_SIGNATURE = 0x2A
    SELECT = 0xA4
    READ_BINARY = 0xB0
    GET_RESPONSE = 0xC0


@unique
class Sw(IntEnum):
    """Status words that the card answers with."""

    OK = 0x9000
    END_OF_FILE = 0x6282
    VERIFY_NO_LIMIT = 0x6300
    WRONG_LENGTH = 0x6700
    INCOMPATIBLE_FILE = 0x6981
    PIN_NEEDED = 0x6982
    BLOCKED = 0x6983
    REFERENCE_UNUSABLE = 0x6984
    NOT_SATISFIED = 0x6985
    NO_CURRENT_EF = 0x6986
    WRONG_DATA = 0x6A80
    NOT_FOUND = 0x6A82
    WRONG_P1P2 = 0x6A86
    REFERENCE_NOT_FOUND = 0x6A88
    WRONG_OFFSET = 0x6B00
    INS_UNKNOWN = 0x6D00
    CLA_UNKNOWN = 0x6E00
    NO_DIAGNOSIS = 0x6F00


class MalformedError(ValueError):
    """The bytes are no command APDU."""


@dataclass(frozen=True)
class Command:
    """``le`` is the number of bytes wanted, ``None`` if no answer is; 256 or 65536 stand for "all there is"."""

    cla: int
    ins: int
    p1: int
    p2: int
    data: bytes
    le: int | None
    extended: bool

    @property
    def wants_all(self) -> bool:
        return self.le == (65536 if self.extended else 256)


def parse(apdu: bytes) -> Command:
    """Raises ``MalformedError`` if the lengths inside do not add up."""
    if len(apdu) < 4:
        raise MalformedError("shorter than a header")
    cla, ins, p1, p2 = head = apdu[0], apdu[1], apdu[2], apdu[3]
    rest = apdu[4:]
    if not rest:
        return Command(cla, ins, p1, p2, b"", None, False)
    if len(rest) == 1:
        return Command(cla, ins, p1, p2, b"", rest[0] or 256, False)
    if rest[0]:
        return _with_data(head, rest[1:], rest[0], 1)
    if len(rest) == 2:
        raise MalformedError("half an extended length")
    number = int.from_bytes(rest[1:3])
    if len(rest) == 3:
        return Command(cla, ins, p1, p2, b"", number or 65536, True)
    return _with_data(head, rest[3:], number, 2)


def masked(apdu: bytes) -> str:
    """The command for a trace: the body of a PIN command is never in it, however the bytes are arranged."""
    if len(apdu) > 4 and apdu[1] in PIN_INSTRUCTIONS:
        return f"{apdu[:4].hex().upper()}<pin>"
    return apdu.hex().upper()


def _with_data(head: tuple[int, int, int, int], rest: bytes, length: int, le_size: int) -> Command:
    data, tail = rest[:length], rest[length:]
    if not length or len(data) != length or len(tail) not in (0, le_size):
        raise MalformedError("lengths do not add up")
    le = (int.from_bytes(tail) or 256**le_size) if tail else None
    return Command(*head, data, le, le_size == 2)
