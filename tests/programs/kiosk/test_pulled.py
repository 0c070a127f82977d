"""The card is taken away at each exchange of each flow, in turn.

The kiosk, a desk and the virtual card, nothing between them: what the person reads, what was recorded, what it cost,
and whether the next tap works.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from appliance.card.desk import Desk
from appliance.ledger.entry import EntryType
from appliance.programs.kiosk import conductor as module
from appliance.programs.kiosk.conductor import Conductor
from appliance.programs.kiosk.events import Agreed, CodeTyped, LastTryAccepted
from appliance.programs.kiosk.flow import Flow, Screen, Step
from appliance.services.check_in import CheckIn
from appliance.services.link_codes import LinkCodes
from appliance.services.opening import OpenBox
from appliance.store.cards import CardStore
from tests.card.table import Table
from tests.programs.kiosk.conftest import Noted
from tests.sim.card.card import VirtualCard
from tests.sim.card.files import Kind
from tests.sim.fixtures import MakeCard

WAIT_S = 10.0
GUARDIAN = "mother"
RIGHT = b"1234"


@dataclass
class Window:
    """A kiosk with a card's owner in front of it, who does what the screens ask until they say something else."""

    conductor: Conductor
    table: Table
    card: VirtualCard
    code: Callable[[], str]
    pins: list[bytes]

    def tap(self) -> Screen:
        """Puts the card on and goes on to the end, whichever it is."""
        before = self.conductor.screen.visit
        self.table.put(self.card)
        return self._follow(self._until(lambda screen: screen.visit > before), list(self.pins))

    def leave(self) -> None:
        self.table.take()
        self._until(lambda screen: screen.step in (Step.WAITING, Step.PROBLEM) and not screen.card_present)

    def _follow(self, screen: Screen, pins: list[bytes]) -> Screen:
        while screen.step not in (Step.DONE, Step.PROBLEM):
            token = screen.token
            match screen.step:
                case Step.LINK:
                    self.conductor.handle(CodeTyped(self.code()), token)
                case Step.STATEMENT:
                    self.conductor.handle(Agreed(), token)
                case Step.LAST_TRY:
                    self.conductor.handle(LastTryAccepted(), token)
                case Step.PIN:
                    self.conductor.enter_pin(bytearray(pins.pop(0)), token)
                case _:
                    pass
            screen = self._next(screen)
        return screen

    def _next(self, screen: Screen) -> Screen:
        """The next screen that asks for something else, or the same step with a notice."""
        before = (screen.step, screen.visit, screen.notice)
        return self._until(lambda seen: (seen.step, seen.visit, seen.notice) != before)

    def _until(self, seen: Callable[[Screen], bool]) -> Screen:
        end, screen = time.monotonic() + WAIT_S, self.conductor.screen
        while not seen(screen):
            assert time.monotonic() < end, f"the kiosk stayed at {screen}"
            screen = self.conductor.wait_for_change(screen.version, 0.1)
        return screen


@dataclass(frozen=True)
class Story:
    """A flow: how the card comes, what is typed, and how many exchanges the way to the signature takes."""

    name: str
    exchanges: int
    kind: Kind = Kind.CARD
    linked: bool = True
    pins: tuple[bytes, ...] = (RIGHT,)
    tries: int = 3
    generation: int = 3


# SELECT, READ, counter for the screen, counter before the PIN, VERIFY, sign; and leaving.
STORIES = (
    Story("visit", 6),
    Story("coming card", 6, generation=4),
    Story("linking", 6, linked=False),
    Story("wrong PIN first", 8, pins=(b"9999", RIGHT)),
    Story("last try", 6, tries=1),
    Story("telephone", 8, kind=Kind.ANDROID),
)
CUTS = [
    (story, number, after) for story in STORIES for number in range(1, story.exchanges + 1) for after in (False, True)
]


@pytest.fixture
def story(request: pytest.FixtureRequest) -> Story:
    found = request.param
    assert isinstance(found, Story)
    return found


@pytest.fixture
def window(
    story: Story,
    make_card: MakeCard,
    check_in: CheckIn,
    box: OpenBox,
    link_codes: LinkCodes,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Window]:
    monkeypatch.setattr(module, "TICK_S", 0.01)
    card = make_card(kind=story.kind, generation=story.generation)
    card.pin_tries = story.tries
    if story.linked:
        pseudonym = check_in.recognise(card.contents.authentication or b"").pseudonym
        with box.database.transaction() as transaction:
            CardStore(box.database).link(transaction, pseudonym, GUARDIAN, 1, box.clock.now_ms())
    table = Table()
    with Desk(table) as desk:
        conductor = Conductor(
            Flow("ja", 60_000, 20_000),
            session=desk.client(),
            watcher=desk.client(),
            check_in=check_in,
            lines=lambda language, _linking, now_ms: (f"{language}: ｜来《き》ました。", str(now_ms)),
            now_ms=box.clock.now_ms,
            log=Noted(),
            on_reader=lambda _: None,
        )
        conductor.start()
        yield Window(conductor, table, card, lambda: link_codes.issue(GUARDIAN, "staff").code.digits, list(story.pins))
        conductor.stop()


def visits(box: OpenBox) -> int:
    entries = (box.ledger.entry(index) for index in range(box.ledger.head().size))
    return sum(entry.type == EntryType.GUARDIAN_AUTHENTICATED.number for entry in entries)


@pytest.mark.parametrize("story", STORIES, ids=lambda story: story.name, indirect=True)
def test_undisturbed(window: Window, story: Story, box: OpenBox) -> None:
    assert window.tap().step is Step.DONE
    assert visits(box) == 1
    window.leave()
    assert [one.command[2:4] for one in window.card.exchanges].count("2A") == 1
    # What was exchanged up to the signature, the two for leaving aside.
    signed_at = next(number for number, one in enumerate(window.card.exchanges, 1) if one.command[2:4] == "2A")
    assert signed_at == story.exchanges


@pytest.mark.parametrize(
    ("story", "number", "after"),
    CUTS,
    ids=lambda value: value.name if isinstance(value, Story) else str(value),
    indirect=["story"],
)
def test_pulled(window: Window, story: Story, number: int, after: bool, box: OpenBox) -> None:
    card = window.card
    card.removed_at, card.removed_after_command = number, after
    screen = window.tap()
    # The very last answer may be lost with the signature in it: without it there is nothing to record.
    assert screen.step is Step.PROBLEM
    assert screen.notice is not None
    assert screen.notice.code == "card.removed"
    assert visits(box) == 0
    # A wrong PIN that was sent is the person's own try; a right one costs nothing, however its answer fares.
    sent = sum("<pin>" in one.command for one in card.exchanges)
    own = 1 if story.pins[0] != RIGHT and sent else 0
    assert card.pin_tries >= story.tries - own
    window.leave()
    window.pins = [RIGHT]
    assert window.tap().step is Step.DONE
    assert visits(box) == 1
    assert card.pin_tries == 3
