"""One value, one encoding; everything else is refused by name, quickly and without side effects."""

from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.ledger.encoding import EncodingError, decode, encode, item_end, unsigned

KEYS = st.text() | st.integers(-(1 << 64), (1 << 64) - 1) | st.binary()
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(1 << 64), (1 << 64) - 1) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)
SIZES = (0, 1, 23, 24, 32, 33, 255, 256, 65_535, 65_536)


@given(VALUES)
def test_every_value_comes_back(value: object) -> None:
    assert decode(encode(value)) == value


@given(VALUES)
def test_what_is_written_is_what_the_library_writes_of_ordered_maps(value: object) -> None:
    assert encode(value) == cbor2.dumps(ordered(value))


@pytest.mark.parametrize("size", SIZES)
def test_every_length_has_its_shortest_head(size: int) -> None:
    numbers = list(range(size))
    for value in (bytes(size), "a" * size, "あ" * size, numbers, tuple(numbers), dict.fromkeys(numbers, "")):
        assert encode(value) == cbor2.dumps(list(value) if type(value) is tuple else value)


@given(st.integers(0, (1 << 64) - 1))
def test_an_unsigned_number_written_out_is_what_the_library_writes(number: int) -> None:
    assert unsigned(number) == encode(number) == cbor2.dumps(number)


def test_words_that_came_often_are_written_as_at_first() -> None:
    texts = [f"{number} 回目" for number in range(2000)]
    for text in (*texts, *texts):
        assert encode(text) == cbor2.dumps(text)


@pytest.mark.parametrize("number", [-1, 1 << 64])
def test_what_is_no_unsigned_number_is_refused(number: int) -> None:
    with pytest.raises(EncodingError):
        unsigned(number)


@given(VALUES, st.binary(max_size=3))
def test_an_item_ends_where_its_bytes_end(value: object, more: bytes) -> None:
    data = encode(value)
    assert item_end(b"\0" + data + more, 1) == len(data) + 1
    assert [item_end(data[:cut], 0) for cut in range(len(data))] == [None] * len(data)


@pytest.mark.parametrize("data", ["9f", "5f", "1c", "ff", "819f"])
def test_an_item_says_at_its_beginning_how_long_it_is(data: str) -> None:
    with pytest.raises(EncodingError):
        item_end(bytes.fromhex(data), 0)


def test_true_is_no_key_though_python_takes_it_for_one() -> None:
    for _ in range(2):
        assert encode({1: 0}) == bytes.fromhex("a10100")
        with pytest.raises(EncodingError):
            encode({True: 0})


@given(st.binary(max_size=64))
def test_bytes_are_the_one_encoding_or_refused(data: bytes) -> None:
    try:
        value = decode(data)
    except EncodingError:
        return
    assert encode(value) == data


@pytest.mark.parametrize(
    "data",
    [
        bytes.fromhex("d81c81d81d00"),  # a list that contains itself
        bytes.fromhex("c249010000000000000000"),  # a number of more than 64 bits
        bytes.fromhex("c4821b00000000ffffffff01"),  # a decimal number with a huge exponent
        bytes.fromhex("d823622828"),  # a pattern
        bytes.fromhex("d82460"),  # a mail
        bytes.fromhex("d9d9f701"),
        bytes.fromhex("d9ffff01"),
        bytes.fromhex("9fff"),
        bytes.fromhex("a200000001"),
        bytes.fromhex("a201000000"),  # keys out of order
        bytes.fromhex("a1f500"),  # a key that is a boolean
        bytes.fromhex("a1fb4078c0000000000000"),  # a key that is a number with a point
        bytes.fromhex("a1810000"),  # a key that is a list
        bytes.fromhex("1800"),  # longer than needed
        bytes.fromhex("f90000"),
        bytes.fromhex("f7"),
        bytes.fromhex("0000"),
        b"\x81" * 399 + b"\x00",
        b"\x9b" + b"\x7f" * 8,
        b"",
    ],
)
def test_what_has_no_place_in_a_record_is_refused(data: bytes) -> None:
    with pytest.raises(EncodingError):
        decode(data)


@pytest.mark.parametrize(
    "value",
    [
        1.5,
        {1.0: 1},
        {1 << 64: 1},
        {1, 2},
        1 << 64,
        -(1 << 64) - 1,
        object(),
        [object()],
        "\ud800",
        {"\ud800": 0},
        "\ud800" * 99,
    ],
)
def test_only_what_can_be_read_back_is_written(value: object) -> None:
    with pytest.raises(EncodingError):
        encode(value)


def ordered(value: Any) -> Any:
    """The value with its maps in the order of RFC 8949 section 4.2.1, said once more in the plainest way."""
    if isinstance(value, dict):
        return {key: ordered(value[key]) for key in sorted(value, key=cbor2.dumps)}
    return [ordered(one) for one in value] if isinstance(value, list) else value
