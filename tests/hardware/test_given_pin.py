"""A mistyped PIN costs one try, and never a second one."""

import pytest

from appliance.card.key import WrongPinError
from tests.hardware.given_pin import GivenPin, PinInDoubtError


def test_a_pin_that_was_taken_can_be_had_again() -> None:
    given = GivenPin(bytearray(b"4719"))
    for _ in range(3):
        with given.once() as pin:
            assert pin == b"4719"


def test_a_pin_that_was_not_taken_cannot() -> None:
    given = GivenPin(bytearray(b"4719"))
    with pytest.raises(WrongPinError), given.once():
        raise WrongPinError(tries_left=2)
    with pytest.raises(PinInDoubtError), given.once():
        pass


def test_a_pin_is_out_once_at_a_time() -> None:
    given = GivenPin(bytearray(b"4719"))
    with given.once(), pytest.raises(PinInDoubtError), given.once():
        pass


def test_every_copy_is_wiped() -> None:
    given, copies = GivenPin(bytearray(b"4719")), list[bytearray]()

    def take(pin: bytearray, error: BaseException | None = None) -> None:
        copies.append(pin)
        if error is not None:
            raise error

    with given.once() as pin:
        take(pin)
    with pytest.raises(KeyboardInterrupt), given.once() as pin:
        take(pin, KeyboardInterrupt())
    assert copies == [bytes(4), bytes(4)]


def test_at_the_end_it_is_gone() -> None:
    typed = bytearray(b"4719")
    given = GivenPin(typed)
    given.wipe()
    assert typed == bytes(4)
    with pytest.raises(PinInDoubtError), given.once():
        pass


def test_it_is_not_shown() -> None:
    assert f"{GivenPin(bytearray(b'4719'))!r} {GivenPin(bytearray(b'4719'))}" == "<pin> <pin>"


@pytest.mark.parametrize("pin", [b"4719", b"0000", b"9999", b"1230"])
def test_a_wrong_one_is_another_one_of_the_same_form(pin: bytes) -> None:
    wrong = GivenPin(bytearray(pin)).wrong()
    assert wrong != pin
    assert len(wrong) == 4
    assert wrong.isdigit()
