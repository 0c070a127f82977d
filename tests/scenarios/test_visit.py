"""Guardians at the kiosk: the ordinary day, and everything that cards, hands, lines and readers do wrong."""

import time
from collections.abc import Iterator

import pytest

from tests.scenarios.acts import CARDS, come, entry_on, leave, link, problem, tidy, tries, visit
from tests.scenarios.books import balance, opened_box, pending, settle
from tests.sim.prefecture import until
from tests.sim.visit import PIN, sign
from tests.sim.world import World

pytestmark = pytest.mark.scenario
WRONG = "0000"
KNOWN, OTHER, NEW, _ = CARDS
LIFTED = "card.removed"
NOTICED_S = 0.6  # pcscd has told by then that the reader is empty


@pytest.fixture(autouse=True)
def _tidy(world: World) -> Iterator[None]:
    yield
    tidy(world)


@pytest.fixture(scope="module")
def told(world: World) -> list[int]:
    """What screens said is recorded, in this module. The first two are of guardians who linked their cards."""
    first, second = world.guardian_ids()[:2]
    return [link(world, KNOWN, first), link(world, OTHER, second)]


def test_a_first_visit_needs_a_code_and_the_next_one_does_not(world: World, told: list[int]) -> None:
    visitor = come(world, KNOWN)
    assert visitor.wait_for("link", "statement")["step"] == "statement"
    told.append(entry_on(sign(visitor)))
    visitor.wait_until_confirmed()
    leave(world, visitor)
    settle(world, told)


def test_a_guardian_who_comes_after_another_is_not_taken_for_the_first(world: World, told: list[int]) -> None:
    first, second = visit(world, KNOWN), visit(world, OTHER)
    told += [first, second]
    with opened_box(world) as box:
        found: dict[int, str] = dict(box.database.rows("SELECT entry, guardian FROM visit"))
    assert [found[first], found[second]] == world.guardian_ids()[:2]
    settle(world, told)


def test_a_card_of_nobody_is_asked_for_a_code_and_a_wrong_code_records_nothing(world: World, told: list[int]) -> None:
    before = balance(world).recorded
    visitor = come(world, NEW)
    visitor.wait_for("link")
    visitor.type_digits("/code", "00000000")
    until("the answer to the code", lambda: 'role="alert"' in visitor.screen()["html"])
    assert visitor.screen()["step"] == "link"
    leave(world, visitor)
    assert balance(world).recorded == before
    settle(world, told)


def test_without_a_line_everything_works_and_the_receipt_comes_later(world: World, told: list[int]) -> None:
    world.line.cut()
    try:
        for card in (KNOWN, OTHER):
            visitor = come(world, card)
            screen = sign(visitor)
            told.append(entry_on(screen))
            assert 'class="lead pending"' in screen["html"]
            before = balance(world)
            assert before.recorded - before.receipted >= 1
            assert before.mirrored == before.receipted
            leave(world, visitor)
        visitor = come(world, KNOWN)
        told.append(entry_on(sign(visitor)))
    finally:
        world.line.restore()
    balance(world)
    visitor.wait_until_confirmed()
    assert pending(world) == 0
    leave(world, visitor)
    settle(world, told)


def test_after_a_wrong_pin_the_right_one_is_taken(world: World, told: list[int]) -> None:
    visitor = come(world, KNOWN)
    visitor.wait_for("statement")
    visitor.press("/agree")
    visitor.wait_for("pin")
    visitor.type_digits("/pin", WRONG)
    until("the second try", lambda: visitor.wait_for("signing", "pin")["step"] == "pin")
    assert tries(world, KNOWN) == 2
    assert "2" in visitor.screen()["text"]
    visitor.type_digits("/pin", PIN)
    told.append(entry_on(visitor.wait_for("done")))
    assert tries(world, KNOWN) == 3
    leave(world, visitor)
    settle(world, told)


def test_the_last_try_needs_a_yes(world: World, told: list[int]) -> None:
    world.stage.set(KNOWN, pin_tries=1)
    visitor = come(world, KNOWN)
    visitor.wait_for("statement")
    visitor.press("/agree")
    visitor.wait_for("last_try")
    assert tries(world, KNOWN) == 1
    visitor.press("/last-try")
    visitor.wait_for("pin")
    visitor.type_digits("/pin", PIN)
    told.append(entry_on(visitor.wait_for("done")))
    assert tries(world, KNOWN) == 3
    leave(world, visitor)
    settle(world, told)


def test_who_says_no_to_the_last_try_keeps_it(world: World, told: list[int]) -> None:
    world.stage.set(KNOWN, pin_tries=1)
    visitor = come(world, KNOWN)
    visitor.wait_for("statement")
    visitor.press("/agree")
    visitor.wait_for("last_try")
    visitor.press("/cancel")
    visitor.wait_for("take_card")
    leave(world, visitor)
    assert tries(world, KNOWN) == 1
    settle(world, told)


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("expired", "card.untrusted_expired"),
        ("stranger", "card.untrusted_issuer"),
        ("juki", "card.no_certificate"),
    ],
)
def test_a_card_that_is_not_to_be_believed_ends_before_any_pin(
    world: World, told: list[int], card: str, code: str
) -> None:
    before = balance(world).recorded
    visitor = come(world, card)
    problem(visitor, code)
    leave(world, visitor)
    assert balance(world).recorded == before
    told.append(visit(world, KNOWN))


def test_the_coming_card_with_an_elliptic_curve(world: World, told: list[int]) -> None:
    told.append(link(world, "coming", world.guardian_ids()[5]))
    told.append(visit(world, "coming"))
    settle(world, told)


def test_a_telephone_is_opened_first_and_signs_without_a_second_pin(world: World, told: list[int]) -> None:
    code = world.staff_member().link_code(world.guardian_ids()[6])
    for first in (True, False):
        visitor = come(world, "android")
        visitor.wait_for("pin")
        visitor.type_digits("/pin", PIN)
        if first:
            visitor.wait_for("link")
            visitor.type_digits("/code", code)
        visitor.wait_for("statement")
        visitor.press("/agree")
        told.append(entry_on(visitor.wait_for("done")))
        leave(world, visitor)
    settle(world, told)


def test_a_locked_card_is_sent_to_the_counter(world: World, told: list[int]) -> None:
    world.stage.set(KNOWN, pin_locked=True)
    visitor = come(world, KNOWN)
    visitor.wait_for("statement")
    visitor.press("/agree")
    problem(visitor, "card.locked")
    leave(world, visitor)
    world.stage.set(KNOWN, pin_locked=False)
    assert tries(world, KNOWN) == 3
    told.append(visit(world, KNOWN))


def test_a_card_that_became_locked_by_wrong_pins_says_so(world: World, told: list[int]) -> None:
    visitor = come(world, KNOWN)
    visitor.wait_for("statement")
    visitor.press("/agree")
    visitor.wait_for("pin")
    visitor.type_digits("/pin", WRONG)
    until("the second try", lambda: visitor.wait_for("signing", "pin")["step"] == "pin")
    visitor.type_digits("/pin", WRONG)
    visitor.wait_for("last_try")
    assert tries(world, KNOWN) == 1
    visitor.press("/last-try")
    visitor.wait_for("pin")
    visitor.type_digits("/pin", WRONG)
    problem(visitor, "card.locked")
    assert tries(world, KNOWN) == 0
    leave(world, visitor)
    settle(world, told)


# The exchanges of a visit in their order, and the instruction of each: SELECT, READ BINARY, VERIFY without a PIN (asked
# for the screen, and once more before the PIN is sent), VERIFY, PERFORM SECURITY OPERATION.
EXCHANGES = {
    "select": (1, "A4"),
    "read": (2, "B0"),
    "ask": (3, "20"),
    "count": (4, "20"),
    "verify": (5, "20"),
    "sign": (6, "2A"),
}


@pytest.mark.parametrize(
    ("exchange", "carried_out"), [*((one, False) for one in EXCHANGES), ("verify", True), ("sign", True)]
)
def test_a_card_that_is_pulled_at_an_exchange_loses_no_try_and_records_nothing(
    world: World, told: list[int], exchange: str, carried_out: bool
) -> None:
    before, (number, instruction) = balance(world).recorded, EXCHANGES[exchange]
    world.stage.set(KNOWN, removed_at=number, removed_after_command=carried_out)
    visitor = come(world, KNOWN)
    if number > EXCHANGES["read"][0]:
        visitor.wait_for("statement")
        visitor.press("/agree")
    if number > EXCHANGES["ask"][0]:
        visitor.wait_for("pin")
        visitor.type_digits("/pin", PIN)
    problem(visitor, LIFTED)
    last = world.stage.trace(KNOWN)[-1]
    assert (last["number"], last["answer"], str(last["command"])[2:4]) == (number, None, instruction)
    time.sleep(NOTICED_S)
    assert LIFTED in visitor.screen()["text"]  # there is time to read it
    assert tries(world, KNOWN) == 3
    assert balance(world).recorded == before
    told.append(_visit_again(world, KNOWN))


@pytest.mark.parametrize("step", ["statement", "pin", "done"])
def test_a_card_that_is_taken_between_exchanges_wipes_the_screen(world: World, told: list[int], step: str) -> None:
    visitor = come(world, KNOWN)
    visitor.wait_for("statement")
    if step != "statement":
        visitor.press("/agree")
        visitor.wait_for("pin")
    if step == "done":
        visitor.type_digits("/pin", PIN)
        told.append(entry_on(visitor.wait_for("done")))
    world.stage.remove()
    if step == "done":
        visitor.wait_for("waiting")
    else:
        problem(visitor, LIFTED)
    assert tries(world, KNOWN) == 3
    told.append(_visit_again(world, KNOWN))


def test_a_card_that_is_snatched_while_it_signs_ends_in_a_true_screen(world: World, told: list[int]) -> None:
    world.stage.set(KNOWN, delay_ms={"compute_signature": 300})
    visitor = come(world, KNOWN)
    visitor.wait_for("statement")
    visitor.press("/agree")
    visitor.wait_for("pin")
    visitor.type_digits("/pin", PIN)
    visitor.wait_for("signing")
    world.stage.remove()
    screen = visitor.wait_for("done", "problem")
    if screen["step"] == "done":
        told.append(entry_on(screen))
    else:
        assert LIFTED in screen["text"]
    assert tries(world, KNOWN) == 3
    told.append(_visit_again(world, KNOWN))
    settle(world, told)


def test_a_reader_service_that_dies_while_waiting_comes_back_by_itself(world: World, told: list[int]) -> None:
    visitor = world.guardian()
    visitor.wait_for("waiting")
    world.pcscd.kill()
    problem(visitor, "reader.service", "reader.absent")
    world.pcscd.start()
    visitor.wait_for("waiting")
    told.append(visit(world, KNOWN))


@pytest.mark.parametrize("step", ["statement", "pin", "signing"])
def test_a_reader_service_that_dies_in_a_visit_lets_the_person_begin_again(
    world: World, told: list[int], step: str
) -> None:
    if step == "signing":
        world.stage.set(KNOWN, delay_ms={"compute_signature": 400})
    visitor = come(world, KNOWN)
    visitor.wait_for("statement")
    if step != "statement":
        visitor.press("/agree")
        visitor.wait_for("pin")
    if step == "signing":
        visitor.type_digits("/pin", PIN)
        visitor.wait_for("signing")
    world.pcscd.kill()
    problem(visitor, "reader.service", "reader.absent", LIFTED)
    assert tries(world, KNOWN) == 3
    world.pcscd.start()
    # The card still lies there: nobody has to touch it.
    told.append(entry_on(sign(visitor)))
    leave(world, visitor)
    settle(world, told)


def _visit_again(world: World, card: str) -> int:
    """The next tap works: nobody pressed anything, and no screen has to go first."""
    visitor = world.guardian()
    world.stage.insert(card)
    entry = entry_on(sign(visitor))
    leave(world, visitor)
    return entry
