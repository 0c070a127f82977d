"""No try is lost by surprise: the counter comes before every PIN, and a PIN goes out once."""

import pytest

from appliance.card.connection import CardMuteError, CardRemovedError
from appliance.card.jpki import JpkiSession
from appliance.card.key import Key, LockedError, PinFormError, WrongPinError
from appliance.errors import MadoguchiError
from tests.card.conftest import Generation
from tests.card.holders import SECRETS, WRONG, assert_signed, pins_sent, session_with, visit
from tests.card.table import Script
from tests.sim.card import faults
from tests.sim.card.card import VirtualCard
from tests.sim.card.files import Secret
from tests.sim.fixtures import MakeCard

SECRET_OF = {Key.AUTHENTICATION: Secret.PIN, Key.SIGNATURE: Secret.PASSWORD}


@pytest.fixture
def card(make_card: MakeCard, generation: Generation) -> VirtualCard:
    return make_card(generation=generation.number)


def set_tries(card: VirtualCard, key: Key, tries: int) -> None:
    setattr(card, "pin_tries" if key is Key.AUTHENTICATION else "password_tries", tries)


@pytest.mark.parametrize("key", Key)
def test_a_wrong_one_costs_one_try_and_says_how_many_are_left(
    card: VirtualCard, generation: Generation, key: Key
) -> None:
    for left in range(key.secret.tries - 1, 0, -1):
        with pytest.raises(key.secret.wrong) as caught:
            visit(session_with(card)[0], generation, key, WRONG[key])
        assert caught.value.fields == {"tries_left": left}
        assert card.tries_left(SECRET_OF[key]) == left


@pytest.mark.parametrize("key", Key)
def test_the_last_try_is_only_risked_with_consent(card: VirtualCard, generation: Generation, key: Key) -> None:
    set_tries(card, key, 1)
    with pytest.raises(key.secret.last_try) as caught:
        visit(session_with(card)[0], generation, key, WRONG[key])
    assert caught.value.fields == {"tries_left": 1}
    assert card.tries_left(SECRET_OF[key]) == 1
    assert_signed(*visit(session_with(card)[0], generation, key, last_try=True))
    assert card.tries_left(SECRET_OF[key]) == key.secret.tries


@pytest.mark.parametrize("key", Key)
def test_the_last_try_locks_the_card_and_says_so(card: VirtualCard, generation: Generation, key: Key) -> None:
    set_tries(card, key, 1)
    with pytest.raises(key.secret.locked):
        visit(session_with(card)[0], generation, key, WRONG[key], last_try=True)
    assert card.tries_left(SECRET_OF[key]) == 0


@pytest.mark.parametrize("answer", [0x63C0, 0x6983, 0x6984])
@pytest.mark.parametrize("key", Key)
def test_a_locked_card_is_sent_nothing(card: VirtualCard, generation: Generation, answer: int, key: Key) -> None:
    set_tries(card, key, 0)
    card.blocked_counter_sw = answer
    with pytest.raises(key.secret.locked):
        visit(session_with(card)[0], generation, key)
    assert pins_sent(card) == 0


def test_a_card_locked_on_purpose_is_locked(card: VirtualCard, generation: Generation) -> None:
    card.pin_locked = True
    with pytest.raises(LockedError):
        visit(session_with(card)[0], generation)
    assert pins_sent(card) == 0


@pytest.mark.parametrize("answer", [0x6983, 0x6984, 0x63C0])
def test_a_card_that_only_shows_the_lock_at_verify(answer: int) -> None:
    session = JpkiSession(Script(["9000", "63C3", f"{answer:04X}"]))
    with pytest.raises(LockedError):
        session.open(bytearray(b"1234"))
    assert session.known_tries == 0


@pytest.mark.parametrize("pin", ["", "123", "12345", "12a4", "１２３４", "12 4", "-123"])
def test_what_is_no_pin_is_not_sent(card: VirtualCard, pin: str) -> None:
    session, meter = session_with(card)
    session.read_certificate()
    typed = bytearray(pin.encode())
    with pytest.raises(PinFormError):
        session.open(typed)
    assert meter.exchanges == 2
    assert not any(typed)


@pytest.mark.parametrize(
    "answers",
    [
        ["63C3", "9000"],
        ["63C3", "63C2"],
        ["63C3", CardRemovedError()],
        ["63C3", CardMuteError()],
        ["63C3", "6A80"],
        ["63C1"],
        ["63C0"],
        [CardRemovedError()],
    ],
)
def test_pin_and_command_are_wiped_in_every_path(answers: list[str | Exception]) -> None:
    script, pin = Script(["9000", *answers]), bytearray(b"4711")
    try:
        JpkiSession(script).open(pin)
    except MadoguchiError as error:
        assert "4711" not in str(error)  # noqa: PT017 - that nothing leaks holds with and without an error
    assert pin == bytes(4)
    assert not any(b"4711" in bytes(buffer) for buffer in script.buffers)
    assert sum(one == "002000980434373131" for one in script.commands) <= 1


@pytest.mark.parametrize("key", Key)
def test_a_verify_whose_answer_is_lost_is_not_sent_again(card: VirtualCard, key: Key) -> None:
    session, _ = session_with(card)
    session.read_certificate()
    before = card.tries_left(SECRET_OF[key])
    at = card.count + (2 if key is Key.AUTHENTICATION else 3)
    card.faults[at] = faults.silent()
    with pytest.raises(CardMuteError):
        session.open(bytearray(WRONG[key]), key)
    assert card.tries_left(SECRET_OF[key]) == before - 1
    assert pins_sent(card) == 1


def test_the_counter_is_asked_before_each_pin(card: VirtualCard) -> None:
    session, _ = session_with(card)
    with pytest.raises(WrongPinError):
        session.open(bytearray(b"9999"))
    session.open(bytearray(SECRETS[Key.AUTHENTICATION]))
    verifies = [one.command for one in card.exchanges if one.command.startswith("0020")]
    assert verifies == ["00200098", "00200098<pin>", "00200098", "00200098<pin>"]
