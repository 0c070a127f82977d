"""The conversation with a guardian, told as stories."""

import pytest

from appliance.programs.kiosk.events import (
    Agreed,
    AskTries,
    Cancelled,
    CardPut,
    CardTaken,
    CheckCode,
    CodeAccepted,
    CodeTyped,
    Command,
    Confirmed,
    Event,
    Failed,
    InOrder,
    LanguageChosen,
    LastTryAccepted,
    Leave,
    NoCard,
    Notice,
    OpenCard,
    OutOfOrder,
    PinFirst,
    PinTyped,
    Progress,
    ReadCard,
    ReaderBack,
    ReaderLost,
    Recognised,
    Recorded,
    SignAndRecord,
    StillHere,
    Tick,
    TriesKnown,
)
from appliance.programs.kiosk.flow import DONE_MS, DONE_WITHOUT_CARD_MS, PROBLEM_MS, SLOW_MS, Flow, Step

IDLE_MS, GRACE_MS = 45_000, 20_000


def flow_after(*story: Event) -> Flow:
    flow = Flow("ja", IDLE_MS, GRACE_MS)
    for event in story:
        flow.handle(event)
    return flow


def step_after(*story: Event) -> Step:
    return flow_after(*story).screen.step


TO_STATEMENT: tuple[Event, ...] = (CardPut(), Recognised(1, True))
TO_PIN: tuple[Event, ...] = (*TO_STATEMENT, Agreed(), TriesKnown(1, 3))
TO_SIGNING: tuple[Event, ...] = (*TO_PIN, PinTyped())
TO_DONE: tuple[Event, ...] = (*TO_SIGNING, Recorded(1, 7))


def test_a_known_guardian_needs_three_screens() -> None:
    flow = Flow("ja", IDLE_MS, GRACE_MS)
    told: list[tuple[list[Command], Step]] = []
    for event in (*TO_DONE, Confirmed(1), CardTaken()):
        told.append((flow.handle(event), flow.screen.step))
    assert told == [
        ([ReadCard(1)], Step.READING),
        ([], Step.STATEMENT),
        ([AskTries(1)], Step.STATEMENT),
        ([], Step.PIN),
        ([SignAndRecord(1, False)], Step.SIGNING),
        ([], Step.DONE),
        ([], Step.DONE),
        ([Leave()], Step.WAITING),
    ]


def test_a_new_card_is_linked_first() -> None:
    flow = flow_after(CardPut(), Recognised(1, False))
    assert (flow.screen.step, flow.screen.linking) == (Step.LINK, True)
    assert flow.handle(CodeTyped("12345671")) == [CheckCode(1, "12345671")]
    flow.handle(Failed(1, Notice("link.code_check")))
    assert (flow.screen.step, flow.screen.notice) == (Step.LINK, Notice("link.code_check"))
    flow.handle(CodeAccepted(1))
    assert (flow.screen.step, flow.screen.notice, flow.screen.linking) == (Step.STATEMENT, None, True)


def test_too_many_codes_end_the_visit() -> None:
    assert step_after(CardPut(), Recognised(1, False), Failed(1, Notice("link.too_many"))) is Step.PROBLEM


def test_a_wrong_pin_says_how_many_tries_are_left() -> None:
    flow = flow_after(*TO_SIGNING, Failed(1, Notice("card.wrong_pin", {"tries_left": 2})))
    assert (flow.screen.step, flow.screen.tries) == (Step.PIN, 2)
    assert flow.screen.notice == Notice("card.wrong_pin", {"tries_left": 2})


def test_the_last_try_is_only_taken_on_a_clear_yes() -> None:
    wrong = (*TO_SIGNING, Failed(1, Notice("card.wrong_pin", {"tries_left": 1})))
    flow = flow_after(*wrong)
    assert flow.screen.step is Step.LAST_TRY
    assert flow.handle(PinTyped()) == []
    flow.handle(LastTryAccepted())
    assert (flow.screen.step, flow.screen.tries) == (Step.PIN, 1)
    assert flow.handle(PinTyped()) == [SignAndRecord(1, True)]
    assert step_after(*wrong, Cancelled()) is Step.TAKE_CARD
    locked = flow_after(*wrong, LastTryAccepted(), PinTyped(), Failed(1, Notice("card.wrong_pin", {"tries_left": 0})))
    assert locked.screen.step is Step.PROBLEM
    assert locked.screen.notice == Notice("card.locked")


def test_a_locked_card_is_never_asked_for_its_pin() -> None:
    flow = flow_after(*TO_STATEMENT, Agreed(), TriesKnown(1, 0))
    assert flow.screen.step is Step.PROBLEM
    assert flow.screen.notice == Notice("card.locked")


def test_a_card_without_limit_gets_the_pad() -> None:
    flow = flow_after(*TO_STATEMENT, Agreed(), TriesKnown(1, None))
    assert (flow.screen.step, flow.screen.tries) == (Step.PIN, None)


@pytest.mark.parametrize("story", [(CardPut(),), (CardPut(), Recognised(1, False)), TO_STATEMENT, TO_PIN])
def test_a_card_pulled_before_the_signature_ends_everything(story: tuple[Event, ...]) -> None:
    flow = flow_after(*story)
    assert flow.handle(CardTaken()) == [Leave()]
    assert (flow.screen.step, flow.screen.notice) == (Step.PROBLEM, Notice("card.removed"))
    assert flow.handle(CardPut()) == [ReadCard(flow.screen.visit)]


def test_a_card_pulled_while_signing_is_told_what_became_of_it() -> None:
    lost = flow_after(*TO_SIGNING, CardTaken(), Failed(1, Notice("card.removed")))
    assert (lost.screen.step, lost.screen.notice) == (Step.PROBLEM, Notice("card.removed"))
    kept = (*TO_SIGNING, CardTaken(), Recorded(1, 7), Tick(0))
    assert step_after(*kept) is Step.DONE
    assert step_after(*kept, Tick(DONE_WITHOUT_CARD_MS)) is Step.WAITING


def test_answers_for_an_earlier_visit_change_nothing() -> None:
    flow = flow_after(*TO_PIN, CardTaken(), CardPut())
    before = flow.screen
    for late in (Recognised(1, True), Recorded(1, 7), Failed(1, Notice("card.mute")), TriesKnown(1, 2), Confirmed(1)):
        assert flow.handle(late) == []
    assert flow.screen == before


def test_nothing_of_a_visit_is_left_behind() -> None:
    flow = flow_after(*TO_DONE, CardTaken())
    assert (flow.screen.entry, flow.screen.tries, flow.screen.notice, flow.screen.linking) == (None, None, None, False)
    assert flow.screen.visit > 1


def test_an_idle_screen_asks_and_then_wipes() -> None:
    flow = flow_after(Tick(0), *TO_PIN)
    warned = []
    for event in (Tick(IDLE_MS - 1), Tick(IDLE_MS), StillHere(), Tick(2 * IDLE_MS)):
        flow.handle(event)
        warned.append(flow.screen.warning)
    assert warned == [False, True, False, True]
    assert flow.handle(Tick(2 * IDLE_MS + GRACE_MS)) == [Leave()]
    assert flow.screen.step is Step.TAKE_CARD


def test_a_forgotten_card_is_asked_for_and_can_start_again() -> None:
    flow = flow_after(Tick(0), *TO_DONE, Tick(DONE_MS))
    assert flow.screen.step is Step.TAKE_CARD
    assert flow.handle(Cancelled()) == [ReadCard(flow.screen.visit)]
    assert step_after(Tick(0), *TO_DONE, Tick(DONE_MS), CardTaken()) is Step.WAITING


def test_a_problem_goes_by_itself() -> None:
    story = (Tick(0), CardPut(), Failed(1, Notice("card.unknown")))
    assert step_after(*story, Tick(PROBLEM_MS - 1)) is Step.PROBLEM
    assert step_after(*story, CardTaken(), Tick(PROBLEM_MS)) is Step.WAITING
    assert step_after(*story, Tick(PROBLEM_MS)) is Step.TAKE_CARD


@pytest.mark.parametrize("code", ["reader.absent", "reader.service", "cardd.absent"])
def test_a_missing_reader_stays_on_the_screen_until_it_is_back(code: str) -> None:
    flow = flow_after(Tick(0), ReaderLost(code), Tick(10 * PROBLEM_MS))
    assert flow.screen.notice == Notice(code)
    flow.handle(Cancelled())
    assert flow.screen.notice == Notice(code)
    flow.handle(ReaderBack())
    assert flow.screen.step is Step.WAITING


@pytest.mark.parametrize("before", [(), (NoCard(),), (*TO_DONE, CardTaken()), (*TO_DONE, Tick(DONE_MS))])
def test_nobody_begins_at_a_box_that_could_record_nothing(before: tuple[Event, ...]) -> None:
    flow = flow_after(Tick(0), *before, OutOfOrder("store.disk_full"))
    for event in (Tick(10 * PROBLEM_MS), Cancelled(), CardTaken(), CardPut(), ReaderBack(), Cancelled()):
        assert ReadCard not in map(type, flow.handle(event))
        assert (flow.screen.step, flow.screen.notice) == (Step.PROBLEM, Notice("store.disk_full"))
        assert flow.screen.stays
    assert flow.handle(OutOfOrder("store.fault")) == [Leave()]
    assert flow.screen.notice == Notice("store.fault")
    flow.handle(InOrder())
    assert flow.screen.step is Step.TAKE_CARD
    assert flow.handle(Cancelled()) == [ReadCard(flow.screen.visit)]
    assert not flow.screen.stays


def test_who_is_being_served_learns_it_from_the_record() -> None:
    flow = flow_after(Tick(0), *TO_SIGNING, OutOfOrder("store.fault"))
    assert (flow.screen.step, flow.screen.stays) == (Step.SIGNING, False)
    flow.handle(Failed(1, Notice("store.fault")))
    flow.handle(Tick(10 * PROBLEM_MS))
    assert (flow.screen.step, flow.screen.stays) == (Step.PROBLEM, True)
    flow.handle(InOrder())
    assert flow.screen.step is Step.TAKE_CARD


def test_a_record_that_failed_first_stays_once_it_is_known_why() -> None:
    flow = flow_after(Tick(0), *TO_SIGNING, Failed(1, Notice("store.fault")))
    seen = [flow.screen.stays]
    flow.handle(OutOfOrder("store.fault"))
    assert [*seen, flow.screen.stays] == [False, True]
    assert flow_after(Tick(0), *TO_SIGNING, OutOfOrder("store.fault"), Recorded(1, 7)).screen.step is Step.DONE


def test_a_reader_that_is_missing_as_well_is_told_when_the_rest_is_in_order() -> None:
    flow = flow_after(Tick(0), ReaderLost("reader.absent"), OutOfOrder("store.fault"))
    flow.handle(InOrder())
    assert flow.screen.notice == Notice("reader.absent")
    flow.handle(ReaderBack())
    assert flow.screen.step is Step.WAITING


def test_what_was_recorded_stays_on_the_screen_when_the_reader_goes() -> None:
    assert step_after(*TO_DONE, ReaderLost("reader.absent")) is Step.DONE


def test_the_language_lasts_for_one_person() -> None:
    flow = flow_after(Tick(0), LanguageChosen("en"), *TO_STATEMENT)
    assert flow.screen.language == "en"
    flow.handle(CardTaken())
    flow.handle(Cancelled())
    assert flow.screen.language == "ja"
    waiting = flow_after(Tick(0), LanguageChosen("en"), Tick(IDLE_MS))
    assert waiting.screen.language == "ja"


def test_every_change_has_a_new_version() -> None:
    flow = Flow("ja", IDLE_MS, GRACE_MS)
    versions = [flow.screen.version]
    for event in (*TO_DONE, Confirmed(1), CardTaken()):
        before = flow.screen
        flow.handle(event)
        if flow.screen != before:
            versions.append(flow.screen.version)
    assert versions == sorted(set(versions))


def test_progress_is_shown_while_reading_only() -> None:
    assert flow_after(CardPut(), Progress(1, 1, 2)).screen.progress == (1, 2)
    assert flow_after(*TO_STATEMENT, Progress(1, 2, 2)).screen.progress == (0, 0)


def test_a_reader_that_goes_while_signing_does_not_deny_what_was_recorded() -> None:
    flow = flow_after(*TO_SIGNING, ReaderLost("cardd.absent"))
    assert flow.screen.step is Step.SIGNING
    assert flow.handle(Recorded(1, 7)) == []
    assert (flow.screen.step, flow.screen.entry) == (Step.DONE, 7)


def test_a_reader_that_goes_before_the_signature_ends_the_visit_by_the_commands_own_error() -> None:
    flow = flow_after(*TO_SIGNING, ReaderLost("reader.service"))
    assert flow.handle(Failed(1, Notice("reader.service"))) == [Leave()]
    assert (flow.screen.step, flow.screen.notice) == (Step.PROBLEM, Notice("reader.service"))
    assert flow.handle(ReaderBack()) == [Leave()]
    assert flow.screen.step is Step.WAITING


def test_what_went_wrong_stays_on_the_screen_when_the_empty_reader_is_seen() -> None:
    flow = flow_after(*TO_SIGNING, Failed(1, Notice("card.removed")), ReaderBack(), CardTaken())
    assert (flow.screen.step, flow.screen.notice) == (Step.PROBLEM, Notice("card.removed"))
    flow.handle(ReaderBack())
    flow.handle(CardPut())
    assert flow.screen.step is Step.READING


def test_who_has_no_card_is_told_where_to_go() -> None:
    assert step_after(Tick(0), NoCard()) is Step.NO_CARD
    assert step_after(Tick(0), NoCard(), Cancelled()) is Step.WAITING
    assert step_after(Tick(0), NoCard(), Tick(IDLE_MS + GRACE_MS)) is Step.WAITING
    assert step_after(Tick(0), NoCard(), CardPut()) is Step.READING
    assert step_after(*TO_PIN, NoCard()) is Step.PIN


TELEPHONE_TO_PIN: tuple[Event, ...] = (CardPut(), PinFirst(1), TriesKnown(1, 3))
TELEPHONE_TO_OPENING: tuple[Event, ...] = (*TELEPHONE_TO_PIN, PinTyped())


def test_a_telephone_is_opened_before_anybody_knows_whose_it_is() -> None:
    flow = Flow("ja", IDLE_MS, GRACE_MS)
    told: list[tuple[list[Command], Step]] = []
    for event in (*TELEPHONE_TO_OPENING, Recognised(1, True), Agreed(), Recorded(1, 7)):
        told.append((flow.handle(event), flow.screen.step))
    assert told == [
        ([ReadCard(1)], Step.READING),
        ([AskTries(1)], Step.READING),
        ([], Step.PIN),
        ([OpenCard(1, False)], Step.OPENING),
        ([], Step.STATEMENT),
        ([SignAndRecord(1, False, opened=True)], Step.SIGNING),
        ([], Step.DONE),
    ]


def test_an_unknown_telephone_is_linked_without_a_second_pin() -> None:
    flow = flow_after(*TELEPHONE_TO_OPENING, Recognised(1, False))
    assert (flow.screen.step, flow.screen.opened) == (Step.LINK, True)
    flow.handle(CodeTyped("12345671"))
    flow.handle(CodeAccepted(1))
    assert flow.handle(Agreed()) == [SignAndRecord(1, False, opened=True)]


def test_a_wrong_pin_for_a_telephone_asks_again() -> None:
    flow = flow_after(*TELEPHONE_TO_OPENING, Failed(1, Notice("card.wrong_pin", {"tries_left": 2})))
    assert (flow.screen.step, flow.screen.tries, flow.screen.pin_first) == (Step.PIN, 2, True)
    flow.handle(PinTyped())
    flow.handle(Failed(1, Notice("card.wrong_pin", {"tries_left": 1})))
    assert flow.screen.step is Step.LAST_TRY
    flow.handle(LastTryAccepted())
    assert flow.handle(PinTyped()) == [OpenCard(1, True)]


def test_a_locked_telephone_is_told_at_once() -> None:
    flow = flow_after(CardPut(), PinFirst(1), TriesKnown(1, 0))
    assert (flow.screen.step, flow.screen.notice) == (Step.PROBLEM, Notice("card.locked"))


@pytest.mark.parametrize("story", [TELEPHONE_TO_PIN, TELEPHONE_TO_OPENING])
def test_a_telephone_taken_away_wipes_everything(story: tuple[Event, ...]) -> None:
    flow = flow_after(*story)
    assert flow.handle(CardTaken()) == [Leave()]
    assert flow.screen.notice == Notice("card.removed")
    flow.handle(Recognised(1, True))
    assert flow.screen.step is Step.PROBLEM


def test_the_next_card_is_no_telephone() -> None:
    flow = flow_after(*TELEPHONE_TO_OPENING, Recognised(1, True), CardTaken(), CardPut())
    assert (flow.screen.pin_first, flow.screen.opened) == (False, False)


def test_progress_is_shown_while_the_card_signs() -> None:
    flow = flow_after(*TO_SIGNING)
    assert flow.screen.progress == (0, 0)
    flow.handle(Progress(1, 2, 3))
    assert flow.screen.progress == (2, 3)
    assert flow_after(*TO_PIN, Progress(1, 2, 3)).screen.progress == (0, 0)


def test_signing_that_takes_long_says_that_it_goes_on() -> None:
    signing = (*TO_SIGNING, Progress(1, 2, 3))
    before = flow_after(*signing, Tick(SLOW_MS - 1)).screen
    slow = flow_after(*signing, Tick(SLOW_MS - 1), Tick(SLOW_MS)).screen
    assert (before.slow, slow.slow, slow.version) == (False, True, before.version + 1)
    # Nobody is asked whether they are still there: the record decides.
    later = flow_after(*signing, Tick(SLOW_MS), Tick(100 * SLOW_MS)).screen
    assert (later.step, later.warning) == (Step.SIGNING, False)
    done = flow_after(*signing, Tick(SLOW_MS), Recorded(1, 7)).screen
    assert (done.step, done.slow) == (Step.DONE, False)


@pytest.mark.parametrize("event", [CardTaken(), ReaderLost("reader.absent")])
def test_a_card_that_is_taken_from_a_slow_signing_changes_nothing(event: Event) -> None:
    flow = flow_after(*TO_SIGNING, Tick(SLOW_MS), event)
    assert (flow.screen.step, flow.screen.slow) == (Step.SIGNING, True)
    flow.handle(Failed(1, Notice("store.busy")))
    assert (flow.screen.step, flow.screen.slow) == (Step.PROBLEM, False)


@pytest.mark.parametrize("story", [TO_PIN, TO_STATEMENT, TO_DONE])
def test_only_signing_is_slow(story: tuple[Event, ...]) -> None:
    assert not flow_after(*story, Tick(SLOW_MS)).screen.slow
