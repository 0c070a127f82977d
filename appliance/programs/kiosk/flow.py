"""The conversation with a guardian, without any I/O: events in, the screen to show and commands out.

One card, one visit, one thing per screen. Whatever happens ends in a screen that says what was recorded and what was
not; when the card goes, everything personal goes with it.
"""

from dataclasses import dataclass, replace
from enum import Enum, unique

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
    Tick,
    TriesKnown,
)

PROBLEM_MS = 30_000
DONE_MS = 90_000
DONE_WITHOUT_CARD_MS = 15_000
SLOW_MS = 4_000
"""After so long without any progress in signing, the screen says that it goes on."""


@unique
class Step(Enum):
    WAITING = "waiting"
    NO_CARD = "no_card"
    READING = "reading"
    LINK = "link"
    STATEMENT = "statement"
    PIN = "pin"
    LAST_TRY = "last_try"
    OPENING = "opening"
    SIGNING = "signing"
    DONE = "done"
    TAKE_CARD = "take_card"
    PROBLEM = "problem"


@dataclass(frozen=True)
class Screen:
    """All that a page needs to know; the rest of a visit (certificate, statement) stays with the conductor.

    ``visit`` counts visits since the start, ``version`` every change. ``tries`` is None when the card has no limit or
    was not asked. ``warning`` asks whether somebody is still there. ``slow`` while signing takes unusually long:
    another program may be writing all records anew. ``stays`` for a problem that ends when its reason does, and that
    nobody in front of the screen can end. ``pin_first`` for a telephone, which is opened before it says who
    it belongs to; ``opened`` once it was.
    """

    step: Step = Step.WAITING
    language: str = "ja"
    visit: int = 0
    version: int = 0
    progress: tuple[int, int] = (0, 0)
    linking: bool = False
    pin_first: bool = False
    opened: bool = False
    tries: int | None = None
    notice: Notice | None = None
    entry: int | None = None
    confirmed: bool = False
    warning: bool = False
    slow: bool = False
    stays: bool = False
    card_present: bool = False

    @property
    def token(self) -> str:
        """Sent back with every form: an answer to a screen that is gone is not taken for one to this screen."""
        return f"{self.visit}.{self.step.value}"


QUIET = frozenset({Step.WAITING, Step.READING, Step.OPENING, Step.SIGNING})
PERSONAL = frozenset({Step.READING, Step.LINK, Step.STATEMENT, Step.PIN, Step.LAST_TRY, Step.OPENING})
AT_WORK = frozenset({Step.READING, Step.OPENING, Step.SIGNING})


class Flow:
    """Feed it events with ``handle``; ``screen`` is what to show afterwards."""

    def __init__(self, language: str, idle_ms: int, grace_ms: int) -> None:
        self.screen = Screen(language=language)
        self._default_language = language
        self._idle_ms, self._grace_ms = idle_ms, grace_ms
        self._now_ms = 0
        self._touched_ms = 0
        self._last_try = False
        self._reader_fault: str | None = None
        self._disorder: str | None = None

    def handle(self, event: Event) -> list[Command]:
        """Applies an event; returns what to do now. An event of an earlier visit changes nothing."""
        visit = getattr(event, "visit", self.screen.visit)
        if visit != self.screen.visit:
            return []
        if not isinstance(event, Tick | CardPut | CardTaken | ReaderLost | ReaderBack | OutOfOrder | InOrder):
            self._touched_ms = self._now_ms
            if self.screen.warning or self.screen.slow:
                self._show(warning=False, slow=False)
        return self._apply(event)

    def _apply(self, event: Event) -> list[Command]:
        step = self.screen.step
        match event:
            case CardPut():
                return self._card_put()
            case CardTaken():
                return self._card_taken()
            case ReaderLost(code):
                self._reader_fault = code
                self._show(card_present=False)
                # What was signed may be on its way into the ledger: the command's own end decides.
                return self._fail(Notice(code)) if step not in (Step.SIGNING, Step.DONE) else []
            case ReaderBack():
                return self._reader_back()
            case OutOfOrder(code):
                return self._out_of_order(code)
            case InOrder():
                return self._in_order()
            case Progress(_, done, total) if step in AT_WORK:
                self._show(progress=(done, total))
            case PinFirst() if step is Step.READING:
                self._show(pin_first=True)
                return [AskTries(self.screen.visit)]
            case Recognised(_, linked) if step in (Step.READING, Step.OPENING):
                next_step = Step.STATEMENT if linked else Step.LINK
                self._show(step=next_step, linking=not linked, opened=step is Step.OPENING, notice=None)
            case NoCard() if step is Step.WAITING:
                self._show(step=Step.NO_CARD)
            case CodeTyped(text) if step is Step.LINK:
                return [CheckCode(self.screen.visit, text)]
            case CodeAccepted() if step is Step.LINK:
                self._show(step=Step.STATEMENT, notice=None)
            case Agreed() if step is Step.STATEMENT and self.screen.opened:
                return self._sign()
            case Agreed() if step is Step.STATEMENT:
                return [AskTries(self.screen.visit)]
            case TriesKnown(_, tries) if step in (Step.READING, Step.STATEMENT):
                return self._ask_pin(tries, None)
            case LastTryAccepted() if step is Step.LAST_TRY:
                self._last_try = True
                self._show(step=Step.PIN, notice=None)
            case PinTyped() if step is Step.PIN and self.screen.pin_first:
                self._show(step=Step.OPENING, notice=None, progress=(0, 0))
                return [OpenCard(self.screen.visit, self._last_try)]
            case PinTyped() if step is Step.PIN:
                return self._sign()
            case Recorded(_, entry) if step is Step.SIGNING:
                self._show(step=Step.DONE, entry=entry, notice=None)
            case Confirmed() if step is Step.DONE:
                self._show(confirmed=True)
            case Failed(_, notice):
                return self._failed(notice)
            case Cancelled() if step is not Step.SIGNING:
                return self._again() if step is Step.TAKE_CARD else self._rest()
            case LanguageChosen(language):
                self._show(language=language)
            case Tick(now_ms):
                return self._tick(now_ms)
            case _:
                pass
        return []

    def _sign(self) -> list[Command]:
        self._show(step=Step.SIGNING, notice=None, progress=(0, 0))
        return [SignAndRecord(self.screen.visit, self._last_try, self.screen.opened)]

    def _reader_back(self) -> list[Command]:
        fault, self._reader_fault = self._reader_fault, None
        # Every other problem stays to be read: that the reader is well is said with each card put on or pulled.
        return self._rest() if self._explains(fault) else []

    def _out_of_order(self, code: str) -> list[Command]:
        before, self._disorder = self._disorder, code
        if self.screen.step in (Step.WAITING, Step.NO_CARD, Step.TAKE_CARD) or self._explains(before):
            return self._rest()
        if self._explains(code):
            self._show(stays=True)
        return []

    def _in_order(self) -> list[Command]:
        before, self._disorder = self._disorder, None
        return self._rest() if self._explains(before) else []

    def _explains(self, code: str | None) -> bool:
        notice = self.screen.notice
        return self.screen.step is Step.PROBLEM and notice is not None and notice.code == code

    def _card_put(self) -> list[Command]:
        self._show(card_present=True)
        if self.screen.step in (Step.WAITING, Step.NO_CARD, Step.PROBLEM, Step.TAKE_CARD, Step.DONE):
            return self._again()
        return []

    def _again(self) -> list[Command]:
        if self._disorder is not None:
            return self._rest()
        self._last_try = False
        self._touched_ms = self._now_ms
        self._show(
            step=Step.READING,
            visit=self.screen.visit + 1,
            progress=(0, 0),
            linking=False,
            pin_first=False,
            opened=False,
            tries=None,
            notice=None,
            entry=None,
            confirmed=False,
            stays=False,
        )
        return [ReadCard(self.screen.visit)]

    def _card_taken(self) -> list[Command]:
        self._show(card_present=False)
        if self.screen.step in PERSONAL:
            return self._fail(Notice("card.removed"))
        if self.screen.step in (Step.DONE, Step.TAKE_CARD):
            return self._rest()
        # While signing, the card's own answer decides whether the visit was recorded.
        return []

    def _ask_pin(self, tries: int | None, notice: Notice | None) -> list[Command]:
        if tries == 0:
            return self._fail(Notice("card.locked"))
        self._last_try = False
        self._show(step=Step.LAST_TRY if tries == 1 else Step.PIN, tries=tries, notice=notice)
        return []

    def _failed(self, notice: Notice) -> list[Command]:
        step = self.screen.step
        if notice.code.startswith("link.") and step in (Step.LINK, Step.STATEMENT, Step.SIGNING):
            if notice.code == "link.too_many":
                return self._fail(notice)
            self._show(step=Step.LINK, notice=notice)
            return []
        tries = notice.fields.get("tries_left")
        if notice.code == "card.wrong_pin" and step in (Step.SIGNING, Step.OPENING) and isinstance(tries, int):
            return self._ask_pin(tries, notice)
        if notice.code == "card.last_try" and step in (Step.SIGNING, Step.OPENING):
            return self._ask_pin(1, None)
        if step in PERSONAL or step is Step.SIGNING:
            return self._fail(notice)
        return []

    def _fail(self, notice: Notice) -> list[Command]:
        self._touched_ms = self._now_ms
        stays = notice.code in (self._reader_fault, self._disorder)
        visit = self.screen.visit + 1
        self._show(step=Step.PROBLEM, visit=visit, notice=notice, stays=stays, tries=None, entry=None, warning=False)
        return [Leave()]

    def _rest(self) -> list[Command]:
        """Back to the beginning: nothing of the visit stays, neither on the screen nor in memory."""
        fault = self._disorder or self._reader_fault
        if fault is not None:
            step, notice = Step.PROBLEM, Notice(fault)
        else:
            step, notice = (Step.TAKE_CARD if self.screen.card_present else Step.WAITING), None
        before = self.screen
        self.screen = Screen(
            step=step,
            notice=notice,
            stays=notice is not None,
            language=before.language if before.card_present else self._default_language,
            visit=before.visit + 1,
            version=before.version + 1,
            card_present=before.card_present,
        )
        self._touched_ms = self._now_ms
        return [Leave()]

    def _tick(self, now_ms: int) -> list[Command]:
        self._now_ms = now_ms
        idle_ms, step = now_ms - self._touched_ms, self.screen.step
        if step is Step.PROBLEM:
            return [] if self.screen.stays or idle_ms < PROBLEM_MS else self._rest()
        if step is Step.DONE:
            # Who pulled the card while it signed still reads that the visit was recorded.
            return [] if idle_ms < (DONE_MS if self.screen.card_present else DONE_WITHOUT_CARD_MS) else self._rest()
        if step is Step.WAITING and self.screen.language != self._default_language and idle_ms >= self._idle_ms:
            self._show(language=self._default_language)
        if step is Step.SIGNING and idle_ms >= SLOW_MS:
            self._show(slow=True)
        if step is Step.TAKE_CARD or step in QUIET:
            return []
        if idle_ms >= self._idle_ms + self._grace_ms:
            return self._rest()
        if idle_ms >= self._idle_ms and not self.screen.warning:
            self._show(warning=True)
        return []

    def _show(self, **changes: object) -> None:
        changed = replace(self.screen, **changes)  # type: ignore[arg-type]  # each caller names fields of Screen
        if changed != self.screen:
            self.screen = replace(changed, version=self.screen.version + 1)
