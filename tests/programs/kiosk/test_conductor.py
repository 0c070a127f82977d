"""A visit at the kiosk with a scripted reader: what the screens, the ledger and the log say of it."""

import threading
import time
from collections.abc import Callable

import pytest

from appliance.card.connection import CardMuteError, CardRemovedError
from appliance.card.ipc import CarddAbsentError
from appliance.card.key import LastTryError, LockedError, WrongPinError
from appliance.card.service import CardState
from appliance.ledger.keys import SigningKey
from appliance.programs.kiosk.events import (
    Agreed,
    Cancelled,
    CodeTyped,
    LanguageChosen,
    LastTryAccepted,
    Notice,
    Tick,
)
from appliance.programs.kiosk.flow import Step
from appliance.services.check_in import CheckIn
from appliance.services.link_codes import LinkCodes
from appliance.services.opening import OpenBox
from appliance.store.cards import CardStore
from appliance.store.visits import VisitStore
from tests.programs.kiosk.conftest import PIN, SECRET, WAIT_S, Kiosk
from tests.sim.box import confirm
from tests.sim.clock import ManualClock
from tests.sim.prefecture import until


def visits(box: OpenBox) -> int:
    return len(VisitStore(box.database).between(0, 1 << 60))


def test_a_visit_from_card_to_record(linked: Kiosk, box: OpenBox) -> None:
    assert linked.to_pin().tries == 3
    pin = linked.type_pin()
    done = linked.at(Step.DONE)
    assert done.entry == box.ledger.head().size - 1
    assert (visits(box), done.confirmed, done.notice) == (1, False, None)
    assert pin == bytes(4)
    ((sent, last_try),), (digest,) = linked.card.opened, linked.card.signed
    assert (sent, last_try) == (PIN, False)
    body = box.ledger.body(done.entry)
    assert body is not None
    assert body.read()["statement"] == digest
    linked.card.take()
    assert linked.at(Step.WAITING).entry is None
    assert linked.card.left.acquire(timeout=WAIT_S)
    names = [name for name, _ in linked.log.events]
    assert names == [
        "visit.begun",
        "card.read",
        "visit.recognised",
        "visit.pin_asked",
        "visit.signed",
        "visit.committed",
    ]


def test_the_log_of_a_visit_names_nobody(linked: Kiosk, check_in: CheckIn) -> None:
    linked.to_pin()
    linked.type_pin(SECRET.encode())
    linked.at(Step.DONE)
    said = str(linked.log.events)
    known = check_in.recognise(linked.card.issued.der)
    for secret in (SECRET, "mother", "見本", known.pseudonym.hex(), str(linked.card.issued.certificate.serial_number)):
        assert secret not in said


def test_at_midnight_the_box_forgets_how_to_read_the_day(linked: Kiosk, check_in: CheckIn, clock: ManualClock) -> None:
    linked.to_pin()
    linked.type_pin()
    linked.at(Step.DONE)
    assert check_in._evidence._sealer is not None
    clock.advance(86_400_000)
    until("the key is gone", lambda: check_in._evidence._sealer is None, WAIT_S)


def test_the_hubs_confirmation_reaches_the_screen(linked: Kiosk, box: OpenBox) -> None:
    linked.to_pin()
    linked.type_pin()
    linked.at(Step.DONE)
    size = box.ledger.head().size
    confirm(box, size, SigningKey.make())
    assert linked.until(lambda screen: screen.confirmed).step is Step.DONE
    assert [one["entry"] for one in linked.log.named("visit.receipted")] == [size - 1]


def test_the_card_signs_what_the_screen_shows(linked: Kiosk) -> None:
    linked.card.put()
    linked.at(Step.STATEMENT)
    assert linked.conductor.lines[0] == "ja: ｜来《き》ました。"
    linked.answer(LanguageChosen("en"))
    assert linked.conductor.lines[0] == "en: ｜来《き》ました。"
    assert linked.statements == [("ja", False), ("en", False)]
    statement = linked.conductor._visit.statement
    assert statement is not None
    assert (statement.language, statement.lines[0]) == ("en", "en: 来ました。")
    linked.answer(Agreed())
    linked.at(Step.PIN)
    linked.type_pin()
    linked.at(Step.DONE)
    assert linked.card.signed[0] == statement.digest()


def test_a_new_card_is_linked_by_its_code(kiosk: Kiosk, link_codes: LinkCodes, box: OpenBox) -> None:
    code = link_codes.issue("father", "admin").code
    kiosk.card.put()
    kiosk.at(Step.LINK)
    kiosk.answer(CodeTyped("12345678"))
    assert kiosk.until(lambda screen: screen.notice is not None).step is Step.LINK
    kiosk.answer(CodeTyped(code.shown))
    assert kiosk.at(Step.STATEMENT).linking
    kiosk.answer(Agreed())
    kiosk.at(Step.PIN)
    kiosk.type_pin()
    kiosk.at(Step.DONE)
    assert CardStore(box.database).is_linked("father")
    assert kiosk.statements == [("ja", True)]


def test_a_visitor_who_guesses_codes_is_stopped(kiosk: Kiosk, link_codes: LinkCodes) -> None:
    good = link_codes.issue("father", "admin").code
    unknown = "00000000" if good.digits != "00000000" else "00000013"
    kiosk.card.put()
    kiosk.at(Step.LINK)
    for attempt in range(1, 4):
        kiosk.answer(CodeTyped(unknown))
        end = time.monotonic() + WAIT_S
        while kiosk.conductor._visit.wrong_codes < attempt and time.monotonic() < end:
            time.sleep(0.005)
    kiosk.answer(CodeTyped(good.digits))
    kiosk.problem("link.too_many")


def test_a_wrong_pin_asks_again_and_the_last_try_only_on_a_yes(linked: Kiosk, box: OpenBox) -> None:
    linked.card.open_errors = [WrongPinError(tries_left=2), WrongPinError(tries_left=1)]
    linked.to_pin()
    linked.type_pin(b"0000")
    again = linked.until(lambda screen: screen.tries == 2)
    assert (again.step, again.notice) == (Step.PIN, Notice("card.wrong_pin", {"tries_left": 2}))
    linked.type_pin(b"0001")
    linked.at(Step.LAST_TRY)
    refused = linked.type_pin()
    assert refused == bytes(4)  # no PIN is taken while the question stands
    linked.answer(LastTryAccepted())
    linked.at(Step.PIN)
    linked.type_pin()
    linked.at(Step.DONE)
    assert linked.card.opened == [
        (b"0000", False),
        (b"0001", False),
        (PIN, True),
    ]
    assert visits(box) == 1


def test_a_card_with_one_try_left_is_asked_first(linked: Kiosk) -> None:
    linked.card.tries = 1
    assert linked.to_pin().step is Step.LAST_TRY


@pytest.mark.parametrize("error", [LockedError(tries_left=0), CardRemovedError(), CardMuteError()])
def test_a_failed_signature_records_nothing(linked: Kiosk, box: OpenBox, error: Exception) -> None:
    linked.card.open_errors = [error]
    linked.to_pin()
    size = box.ledger.head().size
    pin = linked.type_pin()
    linked.problem(error.code)  # type: ignore[attr-defined]  # all three are errors of ours
    assert (box.ledger.head().size, visits(box)) == (size, 0)
    assert pin == bytes(4)
    assert linked.card.left.acquire(timeout=WAIT_S)


def test_a_card_that_lost_a_try_elsewhere_is_asked_about(linked: Kiosk) -> None:
    linked.card.open_errors = [LastTryError(tries_left=1)]
    linked.to_pin()
    linked.type_pin()
    linked.at(Step.LAST_TRY)


def test_a_locked_card_is_never_sent_a_pin(linked: Kiosk) -> None:
    linked.card.tries = 0
    linked.to_pin()
    linked.problem("card.locked")
    linked.type_pin()
    assert (linked.card.opened, linked.card.signed) == ([], [])


def test_a_full_disk_is_told_and_nothing_recorded(linked: Kiosk, box: OpenBox, monkeypatch: pytest.MonkeyPatch) -> None:
    linked.to_pin()
    size = box.ledger.head().size

    def limit(connect: Callable[[], object]) -> object:
        connection = connect()
        connection.execute("PRAGMA max_page_count = 1")  # type: ignore[attr-defined]  # SQLite clamps it to the size
        return connection

    connect = box.database._connect
    box.database.close()
    monkeypatch.setattr(box.database, "_connect", lambda: limit(connect))
    linked.type_pin()
    linked.problem("store.disk_full")
    assert (box.ledger.head().size, visits(box)) == (size, 0)


def test_a_fault_of_the_program_ends_in_a_screen_and_quotes_nothing(linked: Kiosk) -> None:
    linked.card.read_errors = [ValueError(SECRET)]
    linked.card.put()
    linked.problem("box.error")
    (fault,) = linked.log.named("kiosk.fault")
    assert (fault["fault"], fault["command"]) == ("ValueError", "ReadCard")
    assert str(fault["place"]).startswith("conftest.py:")
    assert SECRET not in str(linked.log.events)
    linked.card.take()
    linked.card.put()
    linked.at(Step.STATEMENT)  # and the next visit is served
    assert linked.conductor.alive


def test_a_card_pulled_while_reading_is_told(linked: Kiosk) -> None:
    linked.card.read_errors = [CardRemovedError()]
    linked.card.put()
    linked.problem("card.removed")


def test_taking_the_card_wipes_the_visit(linked: Kiosk) -> None:
    linked.to_pin()
    visit = linked.conductor._visit
    assert visit.card is not None
    linked.card.take()
    linked.problem("card.removed")
    left = {name: getattr(visit, name) for name in ("card", "linking", "statement", "lines")}
    assert left == {"card": None, "linking": None, "statement": None, "lines": ()}
    assert linked.conductor.lines == ()


def test_another_card_in_place_of_the_first_begins_anew(linked: Kiosk) -> None:
    first = linked.to_pin()
    linked.card.put()
    second = linked.until(lambda screen: screen.visit > first.visit and screen.step is Step.STATEMENT)
    assert second.visit > first.visit
    assert (linked.card.opened, linked.card.signed) == ([], [])


def test_an_answer_to_a_screen_that_is_gone_changes_nothing(linked: Kiosk) -> None:
    linked.card.put()
    old = linked.at(Step.STATEMENT).token
    linked.answer(Agreed())
    now = linked.at(Step.PIN)
    linked.conductor.handle(Cancelled(), old)
    pin = bytearray(PIN)
    linked.conductor.enter_pin(pin, old)
    assert pin == bytes(4)
    assert linked.conductor.screen == now
    assert (linked.card.opened, linked.card.signed) == ([], [])


def test_the_reader_goes_and_comes_back(linked: Kiosk) -> None:
    linked.card.show(CardState.READER_ABSENT)
    linked.problem("reader.absent")
    linked.card.show(CardState.EMPTY)
    linked.at(Step.WAITING)
    linked.card.show(CardState.SERVICE_ABSENT)
    linked.problem("reader.service")
    linked.card.put()
    linked.at(Step.STATEMENT)
    assert linked.states == [
        CardState.READER_ABSENT,
        CardState.EMPTY,
        CardState.SERVICE_ABSENT,
        CardState.PRESENT,
    ]


def test_a_box_that_can_record_nothing_says_so_before_anybody_begins(linked: Kiosk) -> None:
    linked.faults[:] = ["store.disk_full"]
    assert linked.problem("store.disk_full").stays
    linked.card.put()
    linked.until(lambda screen: screen.card_present)
    assert linked.problem("store.disk_full").stays
    linked.faults.clear()
    linked.at(Step.TAKE_CARD)
    linked.card.take()
    linked.at(Step.WAITING)
    linked.card.put()
    linked.at(Step.STATEMENT)


def test_a_dead_card_service_is_asked_again(linked: Kiosk) -> None:
    linked.card.break_off(CarddAbsentError())
    linked.problem("cardd.absent")
    assert linked.states[-1] is None
    linked.card.take()
    linked.at(Step.WAITING)
    linked.card.put()
    linked.at(Step.STATEMENT)


def test_how_long_a_card_was_left_counts_from_the_end_of_its_visit(linked: Kiosk) -> None:
    linked.card.put()
    linked.at(Step.STATEMENT)
    assert linked.conductor.left_s == 0
    linked.answer(Cancelled())
    linked.at(Step.TAKE_CARD)
    before = linked.conductor.left_s
    time.sleep(0.05)
    assert 0.05 <= linked.conductor.left_s - before < WAIT_S
    linked.card.take()
    linked.at(Step.WAITING)
    assert linked.conductor.left_s == 0


def test_stopping_ends_the_threads_and_lets_go_of_waiting_pages(linked: Kiosk) -> None:
    waiting = threading.Thread(target=lambda: linked.conductor.wait_for_change(linked.conductor.screen.version, 60))
    waiting.start()
    threads = linked.conductor._threads
    assert all(thread.is_alive() for thread in threads)
    linked.conductor.stop()
    linked.card.break_off(CarddAbsentError())
    for thread in (waiting, *threads):
        thread.join(WAIT_S)
        assert not thread.is_alive()
    assert not linked.conductor.alive


@pytest.mark.parametrize("tick_s", [60.0])
def test_a_card_that_lies_there_at_the_start_is_not_taken_for_forgotten(linked: Kiosk) -> None:
    linked.card.put()
    linked.at(Step.STATEMENT)
    linked.conductor.handle(Tick(time.monotonic_ns() // 1_000_000))  # the first one after the start
    assert linked.conductor.screen.step is Step.STATEMENT
