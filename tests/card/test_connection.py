import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.card.apdu import body_of
from appliance.card.connection import (
    ALLOWED_AIDS,
    MOST_EXCHANGES,
    CardProtocolError,
    CardRemovedError,
    Chained,
    ForbiddenCommandError,
    Guarded,
    Meter,
    Metered,
    Settled,
    Traced,
    conversation,
)
from tests.card.table import Script, quietly
from tests.sim.card.files import FORBIDDEN_APS, ISD, JPKI_AP

SELECT = "00A4040C0AD392F000260100000001"
VERIFY = "002000980431323334"


def send(connection: Guarded | Chained | Settled | Metered | Traced, command: str) -> tuple[bytes, int]:
    return connection.transmit(bytes.fromhex(command))


@pytest.mark.parametrize("p2", ["00", "0C", "02"])
@pytest.mark.parametrize("aid", [JPKI_AP, ISD])
def test_the_two_applications_may_be_selected(aid: bytes, p2: str) -> None:
    script = Script(["9000"])
    assert send(Guarded(script), f"00A404{p2}{len(aid):02X}{aid.hex()}") == (b"", 0x9000)


@pytest.mark.parametrize("aid", FORBIDDEN_APS)
@pytest.mark.parametrize("form", ["00A4040C{short}{aid}", "00A40400{short}{aid}00", "00A4040C00{long}{aid}"])
def test_no_other_application_is_ever_selected(aid: bytes, form: str) -> None:
    script = Script([])
    command = form.format(short=f"{len(aid):02X}", long=f"{len(aid):04X}", aid=aid.hex())
    with pytest.raises(ForbiddenCommandError):
        send(Guarded(script), command)
    assert script.commands == []


@pytest.mark.parametrize(
    "command",
    [
        "00A4040C09D392F0002601000000",  # a part of an allowed one
        "00A40400",  # the default application
        "00A4040003D39210",
        "00A4000C023F00",  # the master file
        "00A4080C04000A0018",  # by path
        "01A4040C0AD392F000260100000001",  # on another channel
        "0CA4040C0AD392F000260100000001",  # under secure messaging
        "0024000108" + "00" * 8,  # changing a PIN
        "002C0098",  # resetting its counter
        "0070000001",  # opening a channel
        "00",
        "",
    ],
)
def test_what_the_box_never_says_does_not_leave_it(command: str) -> None:
    script = Script([])
    with pytest.raises(ForbiddenCommandError):
        send(Guarded(script), command)
    assert script.commands == []


@quietly
@given(st.binary(max_size=40), st.sampled_from([0x00, 0x01, 0x04, 0x10, 0x80]))
def test_whatever_is_sent_a_select_by_name_names_an_allowed_application(rest: bytes, cla: int) -> None:
    script = Script(["9000"])
    command = bytes([cla, 0xA4, 0x04]) + rest
    try:
        Guarded(script).transmit(command)
    except ForbiddenCommandError:
        assert script.commands == []
    else:
        assert body_of(command) in ALLOWED_AIDS


def test_more_data_is_fetched_to_the_end() -> None:
    script = Script(["6103", "0102036102", "04059000"])
    assert send(Chained(script), "00B08A0000") == (bytes(range(1, 6)), 0x9000)
    assert script.commands == ["00B08A0000", "00C0000003", "00C0000002"]


def test_a_wrong_le_is_mended_once() -> None:
    script = Script(["6C02", "01029000"])
    assert send(Chained(script), "00B08A00000000") == (b"\x01\x02", 0x9000)
    assert script.commands == ["00B08A00000000", "00B08A0002"]


def test_a_wrong_le_keeps_the_data_field() -> None:
    script = Script(["6C80", "AA9000"])
    send(Chained(script), "802A009702010200")
    assert script.commands[1] == "802A009702010280"


def test_get_response_may_be_told_its_le_as_well() -> None:
    script = Script(["6100", "6C01", "AA9000"])
    assert send(Chained(script), "00B08A0000") == (b"\xaa", 0x9000)


@pytest.mark.parametrize("answer", ["6C04", "6104"])
def test_a_verify_is_never_sent_again(answer: str) -> None:
    script = Script([answer])
    send(Chained(script), VERIFY)
    assert script.commands == [VERIFY]


def test_an_answer_without_end_is_cut() -> None:
    with pytest.raises(CardProtocolError):
        send(Chained(Script(["6100"] * 1000)), "00B08A0000")


def test_one_throw_away_straight_after_power_up() -> None:
    script = Script(["6F00", "9000", "6F00"])
    settled = Settled(script)
    assert send(settled, SELECT) == (b"", 0x9000)
    assert send(settled, SELECT) == (b"", 0x6F00)
    assert len(script.commands) == 3


def test_a_verify_is_no_throw_away() -> None:
    script = Script(["6F00"])
    assert send(Settled(script), VERIFY) == (b"", 0x6F00)


def test_everything_is_counted_also_what_failed() -> None:
    meter = Meter()
    metered = Metered(Script(["01029000", CardRemovedError()]), meter)
    send(metered, "00B08A0000")
    with pytest.raises(CardRemovedError):
        send(metered, "00B08A0000")
    assert (meter.exchanges, meter.bytes) == (2, 5 + 4 + 5)
    assert meter.card_ns > 0


def test_a_conversation_without_end_is_ended_and_can_still_be_left() -> None:
    script = Script(["9000"] * (MOST_EXCHANGES + 1))
    metered = Metered(script, Meter())
    for _ in range(MOST_EXCHANGES):
        send(metered, "00B00000FF")
    with pytest.raises(CardProtocolError, match="too many exchanges"):
        send(metered, "00B00000FF")
    assert send(metered, "00A4040C07A0000001510000") == (b"", 0x9000)
    assert len(script.commands) == MOST_EXCHANGES + 1


def test_the_trace_shows_neither_pin_nor_answers() -> None:
    lines: list[str] = []
    traced = Traced(Script(["9000", "C0FFEE9000", CardRemovedError(), CardProtocolError()]), lines.append)
    send(traced, VERIFY)
    send(traced, "00B08A0000")
    with pytest.raises(CardRemovedError):
        send(traced, VERIFY)
    with pytest.raises(CardProtocolError):
        send(traced, "00200098")
    assert lines == [
        "00200098 <pin> -> 0 bytes 9000",
        "00B08A00 00 -> 3 bytes 9000",
        "00200098 <pin> -> card.removed",
        "00200098 -> card.protocol",
    ]


def test_the_wrappers_together_count_what_the_card_saw() -> None:
    meter, lines = Meter(), list[str]()
    script = Script(["6F00", "9000", "6102", "01029000"])
    connection = conversation(script, meter, lines.append)
    connection.transmit(bytes.fromhex(SELECT))
    assert connection.transmit(bytes.fromhex("00B08A0000")) == (b"\x01\x02", 0x9000)
    assert meter.exchanges == len(script.commands) == len(lines) == 4
    with pytest.raises(ForbiddenCommandError):
        connection.transmit(bytes.fromhex("00A4040C" + f"{len(FORBIDDEN_APS[0]):02X}" + FORBIDDEN_APS[0].hex()))
    assert len(script.commands) == 4


@quietly
@given(st.lists(st.binary(min_size=2, max_size=30), min_size=1, max_size=400))
def test_whatever_a_card_answers_a_chain_ends(answers: list[bytes]) -> None:
    endless = [one.hex() for one in answers] + ["9000"] * 2
    try:
        data, sw = Chained(Script(endless)).transmit(bytes.fromhex("00B08A0000"))
    except CardProtocolError:
        return
    assert len(data) <= sum(len(one) for one in answers)
    assert 0 <= sw <= 0xFFFF
