"""Commands from any fields; the body, the trace and the guard of any bytes; the meaning of any status word."""

from collections.abc import Iterator
from contextlib import suppress

from appliance.card.apdu import (
    EXTENDED_LE_MOST,
    MOST_SHORT_DATA,
    SECRET_BODIES,
    SHORT_LE_MOST,
    Command,
    Instruction,
    Status,
    body_of,
    meaning,
    traced,
    tries_in,
    wipe,
)
from appliance.card.connection import ALLOWED_AIDS, SELECT_BY_AID, SELECT_BY_EF, ForbiddenCommandError, Guarded
from tests.card.table import Script
from tests.fuzz.tape import Tape
from tests.sim.card.apdu import MalformedError, parse

INSTRUCTIONS = tuple(Instruction)
CUT, NOTHING_WANTED = 0x01, 0x02


def one(data: bytes) -> None:
    """The first byte says how the rest is read: as the bytes of a command, or as the fields of one."""
    tape = Tape(data)
    if tape.byte() & CUT:
        _bytes(tape.rest())
    else:
        _fields(tape)


def seeds() -> Iterator[bytes]:
    for command in (
        "00200098",
        "002000980434373131",
        "00B08A00000000",
        "00A4040C0AD392F000260100000001",
        "00A404000AD392F00026010000000100",
        "00A4040C00000AD392F000260100000001",
        "00A4040C07A0000001510000",
        "00A4020C020018",
        "802A00973330",
    ):
        yield bytes([CUT]) + bytes.fromhex(command)
    yield bytes([0, 0, 0, 0, 0, 0, 0x98, 0, 0]) + b"4711"
    yield bytes([0, NOTHING_WANTED, 0, 0, 0, 0, 0x98, 0, 0]) + b"4711"
    yield bytes([0, 0, 0, 4, 0x8A, 0, 0xFF, 0xFF])
    yield bytes([0, 0, 0, 3, 2, 0x0C, 0, 255]) + bytes(255)


def _bytes(raw: bytes) -> None:
    body = body_of(raw)
    assert body in raw
    with suppress(MalformedError):  # what is no command may have a body or none
        assert body == parse(raw).data
    _guarded(raw)
    text = traced(raw)
    assert text.startswith(raw[:4].hex().upper())
    if len(raw) > 4 and raw[1] in SECRET_BODIES:
        assert text == f"{raw[:4].hex().upper()} <pin>"
    for sw in (int.from_bytes(raw[:2], "big"), int.from_bytes(raw[-2:], "big")):
        status = meaning(sw)
        assert (status is Status.TRIES_LEFT) == (0x63C0 <= sw <= 0x63CF)
        assert (status is Status.OK) == (sw == 0x9000)
        assert 0 <= tries_in(sw) <= 15


def _guarded(raw: bytes) -> None:
    """What the guard lets through is, to a card as to itself, no other SELECT than the box may send."""
    script = Script(["9000"])
    with suppress(ForbiddenCommandError):
        Guarded(script).transmit(raw)
    if not script.commands or raw[1] != Instruction.SELECT:
        return
    with suppress(MalformedError):
        read = parse(raw)
        assert read.p1 in (SELECT_BY_AID, SELECT_BY_EF)
        assert read.data in ALLOWED_AIDS if read.p1 == SELECT_BY_AID else len(read.data) == 2


def _fields(tape: Tape) -> None:
    wanted = not tape.byte() & NOTHING_WANTED
    cla, ins, p1, p2 = tape.byte(), INSTRUCTIONS[tape.byte() % len(INSTRUCTIONS)], tape.byte(), tape.byte()
    number = tape.word()
    le = number + (number == 0xFFFF) if wanted else None
    data = tape.rest()
    command = Command(cla, ins, p1, p2, data=data, le=le)
    extended = le is not None and le > SHORT_LE_MOST
    sayable = len(data) <= MOST_SHORT_DATA and (le is None or 0 < le <= EXTENDED_LE_MOST) and not (extended and data)
    try:
        encoded = command.encode()
    except ValueError:
        assert not sayable
        return
    assert sayable
    read = parse(bytes(encoded))
    assert (read.cla, read.ins, read.p1, read.p2, read.data, read.le) == (cla, ins, p1, p2, data, le)
    assert body_of(encoded) == data
    if ins in SECRET_BODIES and len(encoded) > 4:
        assert str(command).endswith("<pin>")
    wipe(encoded)
    assert not any(encoded)
