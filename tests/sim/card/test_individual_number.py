import random

import pytest

from tests.sim.card.individual_number import check_digit, forms, found_in, make


def test_the_check_digit_follows_the_ordinance() -> None:
    # 1*6+2*5+3*4+4*3+5*2+6*7+7*6+8*5+9*4+0*3+1*2 = 212, 212 mod 11 = 3, 11 - 3 = 8
    assert check_digit("12345678901") == 8


@pytest.mark.parametrize(("eleven", "digit"), [("00000000000", 0), ("00000000006", 0), ("00000000001", 9)])
def test_a_rest_of_none_or_one_gives_zero(eleven: str, digit: int) -> None:
    # 0; 6 * 2 = 12, rest 1; 1 * 2 = 2, 11 - 2 = 9
    assert check_digit(eleven) == digit


def test_every_changed_digit_is_noticed_unless_the_rest_is_small() -> None:
    number = make(random.Random(1))
    others = [number[:11] + str(digit) for digit in range(10) if digit != int(number[11])]
    assert list(found_in(number)) == [number]
    assert [one for other in others for one in found_in(other)] == []


@pytest.mark.parametrize("text", ["{}", "番号 {}、", '"{}"', "n={}\n", "{}\x00", "（{}）", "番号は{}です", "It is {}."])
def test_a_number_is_found_among_other_things(text: str) -> None:
    number = make(random.Random(2))
    wide = "".join(chr(ord(digit) + 0xFEE0) for digit in number)
    groups = (number[:4], number[4:8], number[8:])
    for written in (number, wide, " ".join(groups), "-".join(groups)):
        assert list(found_in(text.format(written))) == [number]


@pytest.mark.parametrize("text", ["B{}", "{}0", "1{}", "0.{}", "{}Z", "a{}f", "{}.5"])
def test_longer_things_are_something_else(text: str) -> None:
    assert list(found_in(text.format(make(random.Random(3))))) == []


def test_the_middle_of_a_uuid_is_something_else() -> None:
    number = make(random.Random(4))
    assert list(found_in(f"4f3b0e1a-{number[:4]}-{number[4:8]}-{number[8:]}-0a1b2c3d4e5f")) == []
    assert list(found_in(f"id-{number}")) == [number]


def test_a_known_number_has_many_forms() -> None:
    written = forms("012345678901")
    assert written["packed decimal"].hex() == "012345678901"
    assert int.from_bytes(written["whole number"]) == 12345678901
    assert len(set(written.values())) == len(written)
