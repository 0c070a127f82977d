"""Command APDUs of all cases, and bytes that are none."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.sim.card.apdu import Command, MalformedError, masked, parse


@pytest.mark.parametrize(
    ("apdu", "data", "le", "extended"),
    [
        ("00200098", "", None, False),
        ("00B08A00 10", "", 16, False),
        ("00B08A00 00", "", 256, False),
        ("00B08A00 000000", "", 65536, True),
        ("00B08A00 000123", "", 0x123, True),
        ("00A4020C 02 000A", "000A", None, False),
        ("00A4020C 02 000A 00", "000A", 256, False),
        ("00A4020C 000002 000A", "000A", None, True),
        ("00A4020C 000002 000A 0000", "000A", 65536, True),
    ],
)
def test_cases(apdu: str, data: str, le: int | None, extended: bool) -> None:
    raw = bytes.fromhex(apdu)
    assert parse(raw) == Command(raw[0], raw[1], raw[2], raw[3], bytes.fromhex(data), le, extended)


@pytest.mark.parametrize(
    "apdu",
    [
        "",
        "00B08A",
        "00A4020C 02 00",
        "00A4020C 02 000A 0000",
        "00B08A00 0000",
        "00A4020C 000000 00",
        "00A4020C 000002 000A 00",
    ],
)
def test_lengths_that_do_not_add_up(apdu: str) -> None:
    with pytest.raises(MalformedError):
        parse(bytes.fromhex(apdu))


@given(st.binary(max_size=300))
def test_any_bytes_are_a_command_or_malformed(raw: bytes) -> None:
    try:
        command = parse(raw)
    except MalformedError:
        return
    assert raw[:4] == bytes([command.cla, command.ins, command.p1, command.p2])
    assert command.data in raw
    assert command.le is None or 1 <= command.le <= 65536


def test_only_pin_commands_are_masked() -> None:
    assert masked(bytes.fromhex("00B08A0000")) == "00B08A0000"
    assert masked(bytes.fromhex("00200098")) == "00200098"
    assert masked(bytes.fromhex("002000980431323334")) == "00200098<pin>"
