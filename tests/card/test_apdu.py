import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.card.apdu import Command, Instruction, Status, body_of, meaning, traced, tries_in, wipe
from tests.card.table import quietly
from tests.sim.card.apdu import parse


@pytest.mark.parametrize(
    ("command", "encoded"),
    [
        (Command(0, Instruction.VERIFY, 0, 0x98), "00200098"),
        (Command(0, Instruction.VERIFY, 0, 0x98, data=b"1234"), "002000980431323334"),
        (Command(0, Instruction.READ_BINARY, 0x8A, 0, le=256), "00B08A0000"),
        (Command(0, Instruction.READ_BINARY, 0x8A, 0, le=65536), "00B08A00000000"),
        (Command(0, Instruction.READ_BINARY, 0x8A, 0, le=300), "00B08A0000012C"),
        (Command(0, Instruction.READ_BINARY, 1, 2, le=17), "00B0010211"),
        (Command(0x80, Instruction.PERFORM_SECURITY_OPERATION, 0, 0x97, b"\x01\x02", 256), "802A009702010200"),
    ],
)
def test_encodes_the_four_cases(command: Command, encoded: str) -> None:
    assert command.encode().hex().upper() == encoded


@pytest.mark.parametrize(
    "command",
    [
        Command(0, Instruction.SELECT, 4, 0, data=bytes(256)),
        Command(0, Instruction.READ_BINARY, 0, 0, le=0),
        Command(0, Instruction.READ_BINARY, 0, 0, le=65537),
        Command(0, Instruction.SELECT, 4, 0, data=b"\x00", le=300),
    ],
)
def test_refuses_what_no_form_can_say(command: Command) -> None:
    with pytest.raises(ValueError, match="command"):
        command.encode()


@quietly
@given(
    st.sampled_from(Instruction),
    st.binary(max_size=255),
    st.one_of(st.none(), st.integers(1, 256)),
)
def test_a_card_reads_what_was_meant(ins: Instruction, data: bytes, le: int | None) -> None:
    encoded = bytes(Command(0, ins, 1, 2, data=data, le=le).encode())
    read = parse(encoded)
    assert (read.ins, read.data, read.le) == (ins, data, le)
    assert body_of(encoded) == data


@quietly
@given(st.integers(0, 255), st.integers(0, 255), st.integers(1, 65536))
def test_a_card_reads_what_was_wanted_of_a_long_answer(p1: int, p2: int, le: int) -> None:
    encoded = bytes(Command(0, Instruction.READ_BINARY, p1, p2, le=le).encode())
    read = parse(encoded)
    assert (read.p1, read.p2, read.data, read.le, read.extended) == (p1, p2, b"", le, le > 256)
    assert body_of(encoded) == b""


@quietly
@given(st.sampled_from([0x20, 0x24]), st.sampled_from([0x00, 0x10, 0x80]), st.binary(min_size=1, max_size=40))
def test_no_trace_shows_what_follows_the_header_of_a_pin_command(ins: int, cla: int, rest: bytes) -> None:
    assert traced(bytes([cla, ins, 0, 0x98]) + rest) == f"{cla:02X}{ins:02X}0098 <pin>"


def test_printing_a_command_shows_no_pin() -> None:
    command = Command(0, Instruction.VERIFY, 0, 0x98, data=bytearray(b"4711"))
    assert "<pin>" in str(command)
    for text in (str(command), repr(command)):
        assert "4711" not in text
        assert "34373131" not in text


@pytest.mark.parametrize(
    ("sw", "status"),
    [
        (0x9000, Status.OK),
        (0x6100, Status.MORE_DATA),
        (0x61FF, Status.MORE_DATA),
        (0x6C10, Status.WRONG_LE),
        (0x6282, Status.END_OF_FILE),
        (0x6300, Status.NO_LIMIT),
        (0x63C0, Status.TRIES_LEFT),
        (0x63CF, Status.TRIES_LEFT),
        (0x63D0, Status.OTHER),
        (0x6700, Status.WRONG_LENGTH),
        (0x6982, Status.PIN_NEEDED),
        (0x6983, Status.BLOCKED),
        (0x6984, Status.BLOCKED),
        (0x6A82, Status.NOT_FOUND),
        (0x6A86, Status.WRONG_P1P2),
        (0x6B00, Status.WRONG_OFFSET),
        (0x6F00, Status.NO_DIAGNOSIS),
        (0x1234, Status.OTHER),
    ],
)
def test_status_words(sw: int, status: Status) -> None:
    assert meaning(sw) is status


@quietly
@given(st.integers(0, 0xFFFF))
def test_every_status_word_has_one_meaning(sw: int) -> None:
    assert meaning(sw) in Status
    assert 0 <= tries_in(sw) <= 15


def test_wiping_overwrites_in_place() -> None:
    pin = bytearray(b"1234")
    with memoryview(pin) as same:
        wipe(pin)
        assert bytes(same) == bytes(4)
