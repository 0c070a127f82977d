"""Each reader takes its form and nothing that only looks like it."""

from typing import Any

import pytest

from appliance.sync.fields import MAX_ITEMS, MAX_NUMBER, chunks, differences, listed, number, octets, sums, text


@pytest.mark.parametrize("value", [-1, MAX_NUMBER, True, 1.0, "1", None])
def test_a_number_is_a_whole_one_in_its_bounds(value: Any) -> None:
    assert number(MAX_NUMBER - 1) == MAX_NUMBER - 1
    with pytest.raises(TypeError):
        number(value)


def test_texts_octets_and_lists_are_told_apart() -> None:
    assert (text("a"), octets(b"a"), listed([1])) == ("a", b"a", [1])
    for read, value in ((text, b"a"), (octets, "a"), (listed, "a"), (listed, [0] * (MAX_ITEMS + 1))):
        with pytest.raises(TypeError):
            read(value)


def test_differences_are_summed_up_again() -> None:
    assert sums(differences([5, 3, 9])) == [5, 3, 9]
    for value in ([1, -2], [True], [MAX_NUMBER - 1, 1]):
        with pytest.raises(TypeError):
            sums(value)


def test_chunks_have_just_the_announced_length() -> None:
    assert list(chunks(b"abcd", 2, 2)) == [b"ab", b"cd"]
    with pytest.raises(ValueError, match=r"^$"):
        chunks(b"abc", 2, 2)
