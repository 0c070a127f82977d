"""Base45 against the examples of RFC 9285, and nothing but its one text for any bytes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.ledger.base45 import DIGITS, Base45Error, decode45, encode45, whole_groups


@pytest.mark.parametrize(
    ("data", "text"), [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"ietf!", "QED8WEX0")]
)
def test_the_examples_of_rfc_9285(data: bytes, text: str) -> None:
    assert encode45(data) == text
    assert decode45(text) == data


@given(st.binary(max_size=200))
def test_every_text_comes_back_and_ends_in_no_space(data: bytes) -> None:
    text = encode45(data)
    assert decode45(text) == data
    assert set(text) <= set(DIGITS)
    assert not text.endswith(" ")


@given(st.text(DIGITS, max_size=12))
def test_no_other_text_is_taken(text: str) -> None:
    if whole_groups(text) == len(text):
        assert encode45(decode45(text)) == text
    else:
        with pytest.raises(Base45Error) as refused:
            decode45(text)
        assert refused.value.fields == {"place": whole_groups(text) + 1}


@pytest.mark.parametrize(
    ("text", "place"), [("GGW", 1), ("BB8:::", 4), ("BB8B", 4), ("BB8bb8", 4), ("::", 1), ("BB8B\n8", 4), ("あ", 1)]
)
def test_the_place_of_the_first_wrong_group_is_told(text: str, place: int) -> None:
    with pytest.raises(Base45Error) as refused:
        decode45(text)
    assert refused.value.fields == {"place": place}
