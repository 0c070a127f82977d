import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.card.connection import CardProtocolError
from appliance.card.tlv import MAX_FILE_BYTES, der_length, trim
from tests.card.table import quietly
from tests.fuzz import der


def sequence(length: int) -> bytes:
    """A SEQUENCE of zeros whose content has ``length`` bytes."""
    if length < 0x80:
        head = bytes([0x30, length])
    elif length < 0x100:
        head = bytes([0x30, 0x81, length])
    else:
        head = bytes([0x30, 0x82]) + length.to_bytes(2)
    return head + bytes(length)


@pytest.mark.parametrize("length", [0, 1, 0x7F, 0x80, 0xFF, 0x100, 0x5A9, 0x5FD, 0x5FE, 0x5FF, 0x7000])
@pytest.mark.parametrize("filler", [b"", b"\xff", b"\xff" * 300, b"\x00" * 7])
def test_cuts_filler_off_and_nothing_else(length: int, filler: bytes) -> None:
    whole = sequence(length)
    assert trim(whole + filler) == whole


@pytest.mark.parametrize("known", range(4))
def test_says_nothing_while_the_length_itself_is_cut(known: int) -> None:
    assert der_length(sequence(0x5FD)[:known]) is None


def test_knows_the_length_from_the_fourth_byte_on() -> None:
    assert der_length(sequence(0x5FD)[:4]) == 0x5FD + 4


@pytest.mark.parametrize(
    ("head", "why"),
    [
        ("3180", "not a sequence"),
        ("FFFF", "not a sequence"),
        ("3080", "length form"),
        ("308300FFFF", "length form"),
        ("30847FFFFFFF", "length form"),
        ("30817F", "length not minimal"),
        ("308200FF", "length not minimal"),
        ("3082FFFF", "longer than a file"),
    ],
)
def test_refuses_what_der_does_not_allow(head: str, why: str) -> None:
    with pytest.raises(CardProtocolError) as caught:
        der_length(bytes.fromhex(head))
    assert caught.value.fields["reason"] == why


def test_refuses_an_object_that_is_cut_off() -> None:
    with pytest.raises(CardProtocolError):
        trim(sequence(300)[:-1])


@quietly
@given(st.binary(max_size=64))
def test_any_bytes_give_a_length_or_none_or_a_clear_error(head: bytes) -> None:
    try:
        length = der_length(head)
    except CardProtocolError:
        return
    assert length is None or 2 <= length <= MAX_FILE_BYTES


@quietly
@given(st.integers(0, MAX_FILE_BYTES - 4), st.integers(0, 40), st.binary(max_size=8))
def test_agrees_with_an_encoder_from_the_first_bytes_on(length: int, known: int, filler: bytes) -> None:
    whole = der.sequence(bytes(length))
    assert der_length((whole + filler)[:4]) == len(whole)
    assert der_length(whole[:known]) in (len(whole), None if known < 4 else len(whole))


@quietly
@given(st.integers(0, 2000), st.binary(max_size=40))
def test_trimming_is_stable(length: int, filler: bytes) -> None:
    whole = sequence(length)
    assert trim(trim(whole + filler)) == whole
