"""Carries out what the flow asks for, and feeds it what happens: the card, the ledger, the clock.

One thread follows the reader, one executes commands in order, one ticks. All of a visit that is personal lives in one
``Visit`` and is dropped with it.
"""

import contextlib
import queue
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from appliance.card.service import CardEvent, CardService, CardState
from appliance.errors import MadoguchiError
from appliance.log import EventLog, place
from appliance.programs.kiosk import events
from appliance.programs.kiosk.events import (
    AskTries,
    CheckCode,
    Command,
    Event,
    Leave,
    Notice,
    OpenCard,
    ReadCard,
    SignAndRecord,
)
from appliance.programs.kiosk.flow import Flow, Screen, Step
from appliance.school.statement import Statement
from appliance.services.check_in import CheckIn, KnownCard, Linking
from appliance.trust.signature import digest_for
from appliance.web.catalogue import plain

TICK_S = 0.1
SIGNING_PARTS = 3  # PIN, signature, record
RETRY_S = 0.5
END_S = 10.0  # an exchange with a slow card
LOST = {CardState.READER_ABSENT: "reader.absent", CardState.SERVICE_ABSENT: "reader.service"}
Lines = Callable[[str, bool, int], tuple[str, ...]]
Watch = Callable[[CardEvent | None], None]


@dataclass
class Visit:
    """What is known of the person at the window, and for how long it took: never written anywhere from here."""

    number: int
    seen_ms: int
    card: KnownCard | None = None
    linking: Linking | None = None
    wrong_codes: int = 0
    statement: Statement | None = None
    lines: tuple[str, ...] = ()
    pin: bytearray = field(default_factory=bytearray, repr=False)

    def wipe(self) -> None:
        self.pin[:] = bytes(len(self.pin))
        self.card = self.linking = self.statement = None
        self.lines = ()


class Conductor:
    """``lines`` gives the sentences of a statement (language, linking, time in ms since 1970) as they are shown;
    ``fault`` the code of what keeps anything from being recorded, None if nothing does."""

    def __init__(
        self,
        flow: Flow,
        session: CardService,
        watcher: CardService,
        check_in: CheckIn,
        lines: Lines,
        now_ms: Callable[[], int],
        log: EventLog,
        on_reader: Watch,
        fault: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._flow, self._session, self._watcher, self._check_in = flow, session, watcher, check_in
        self._lines, self._now_ms, self._log, self._on_reader = lines, now_ms, log, on_reader
        self._fault = fault
        self._told: str | None = None
        self._changed = threading.Condition()
        self._commands: queue.SimpleQueue[Command | None] = queue.SimpleQueue()
        self._visit = Visit(0, 0)
        self._step_began = time.monotonic()
        self._ending = threading.Event()
        self._threads = [
            threading.Thread(target=target, name=f"kiosk-{target.__name__}", daemon=True)
            for target in (self._follow_reader, self._execute, self._tick)
        ]

    def start(self) -> None:
        """Starts the threads; the flow knows the time before the first event, or it would seem long idle."""
        self.handle(events.Tick(time.monotonic_ns() // 1_000_000))
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends when no command is carried out any more: what they use may be closed then."""
        self._ending.set()
        self._commands.put(None)
        with self._changed:
            self._changed.notify_all()
        for thread in self._threads[1:]:  # the one that follows the reader may wait for it as long as it likes
            thread.join(END_S)

    @property
    def alive(self) -> bool:
        return all(thread.is_alive() for thread in self._threads)

    @property
    def screen(self) -> Screen:
        with self._changed:
            return self._flow.screen

    @property
    def left_s(self) -> float:
        """For how long a card has been lying there although all is over; 0 while anybody is served."""
        with self._changed:
            return time.monotonic() - self._step_began if self._flow.screen.step is Step.TAKE_CARD else 0.0

    @property
    def lines(self) -> tuple[str, ...]:
        """The sentences that the person is asked to agree to, with their readings."""
        with self._changed:
            return self._visit.lines

    def wait_for_change(self, version: int, timeout_s: float) -> Screen:
        """The screen as soon as it is not this version any more, or after the timeout."""
        with self._changed:
            self._changed.wait_for(lambda: self._flow.screen.version != version or self._ending.is_set(), timeout_s)
            return self._flow.screen

    def handle(self, event: Event, token: str | None = None) -> None:
        """An event from the page carries the token of the screen it answers; a late answer changes nothing."""
        with self._changed:
            if token is not None and token != self._flow.screen.token:
                return
            before = self._flow.screen
            commands = self._flow.handle(event)
            if self._flow.screen.visit != before.visit:
                self._visit.wipe()
                self._visit = Visit(self._flow.screen.visit, time.monotonic_ns() // 1_000_000)
            self._prepare_statement(before)
            for command in commands:
                self._commands.put(command)
            if self._flow.screen.step is not before.step:
                self._step_began = time.monotonic()
            if self._flow.screen.version != before.version:
                self._tell(before)
                self._changed.notify_all()

    def enter_pin(self, pin: bytearray, token: str) -> None:
        """Takes over the digits; they are wiped after the one exchange that they are for."""
        with self._changed:
            if token == self._flow.screen.token and self._flow.screen.step is Step.PIN:
                self._visit.pin = pin
                self.handle(events.PinTyped(), token)
            else:
                pin[:] = bytes(len(pin))

    def _prepare_statement(self, before: Screen) -> None:
        screen = self._flow.screen
        if screen.step is Step.STATEMENT and (before.step, before.language) != (screen.step, screen.language):
            self._visit.lines = self._lines(screen.language, screen.linking, self._now_ms())
            words = tuple(plain(line) for line in self._visit.lines)
            self._visit.statement = self._check_in.statement(words, screen.language)

    def _tell(self, before: Screen) -> None:
        screen = self._flow.screen
        if screen.step is before.step and screen.visit == before.visit:
            if screen.confirmed and not before.confirmed:
                self._note("visit.receipted", entry=screen.entry)
            return
        if screen.step is Step.PIN:
            self._note("visit.pin_asked", tries=screen.tries)
        elif screen.step is Step.PROBLEM and screen.notice is not None:
            self._log.warning("visit.problem", code=screen.notice.code, step=before.step.value)
        elif screen.step is Step.READING:
            self._note("visit.begun")

    def _note(self, event: str, **fields: str | int | None) -> None:
        ms = time.monotonic_ns() // 1_000_000 - self._visit.seen_ms
        self._log.info(event, visit=self._visit.number, ms=ms, **fields)

    def _follow_reader(self) -> None:
        while not self._ending.is_set():
            insertion = 0
            with contextlib.suppress(MadoguchiError):
                for event in self._watcher.watch():
                    self._on_reader(event)
                    insertion = self._reader_says(event.state, event.insertion, insertion)
                    if self._ending.is_set():
                        return
            self._on_reader(None)
            self.handle(events.ReaderLost("cardd.absent"))
            self._ending.wait(RETRY_S)

    def _reader_says(self, state: CardState, insertion: int, before: int) -> int:
        if state in LOST:
            self.handle(events.ReaderLost(LOST[state]))
            return before
        self.handle(events.ReaderBack())
        if state is CardState.EMPTY:
            self.handle(events.CardTaken())
        elif insertion != before:
            # Another card, or the same put anew faster than the empty reader was reported.
            self.handle(events.CardTaken())
            self.handle(events.CardPut())
        return insertion

    def _execute(self) -> None:
        while (command := self._commands.get()) is not None:
            visit = getattr(command, "visit", None)
            with self._changed:
                current = self._visit
            if visit is not None and visit != current.number:
                continue
            try:
                self._carry_out(command, current)
            except MadoguchiError as error:
                self._failed(current, Notice(error.code, dict(error.fields)))
            except Exception as error:  # noqa: BLE001 - a fault must end in a screen; its text may quote the card
                self._log.error(
                    "kiosk.fault", fault=type(error).__name__, place=place(error), command=type(command).__name__
                )
                self._failed(current, Notice("box.error"))

    def _failed(self, visit: Visit, notice: Notice) -> None:
        if notice.code == "link.code_unknown":
            visit.wrong_codes += 1
        self.handle(events.Failed(visit.number, notice))

    def _carry_out(self, command: Command, visit: Visit) -> None:
        match command:
            case ReadCard():
                self._read(visit)
            case CheckCode(_, text):
                visit.linking = self._check_in.accept_code(text, visit.wrong_codes)
                self.handle(events.CodeAccepted(visit.number))
            case AskTries():
                self.handle(events.TriesKnown(visit.number, self._session.tries_left()))
            case OpenCard(_, last_try):
                self._open(visit, last_try)
                self._recognise(visit, self._session.certificate())
            case SignAndRecord(_, last_try, opened):
                if not opened:
                    self._open(visit, last_try)
                self._sign(visit)
            case Leave():
                self._session.leave()

    def _read(self, visit: Visit) -> None:
        def progress(done: int, total: int) -> None:
            self.handle(events.Progress(visit.number, done, total))

        read = self._session.read(progress)
        self._note("card.read", kind=read.kind, exchanges=read.exchanges)
        if read.certificate is None:
            self.handle(events.PinFirst(visit.number))
        else:
            self._recognise(visit, read.certificate)

    def _recognise(self, visit: Visit, certificate: bytes) -> None:
        visit.card = self._check_in.recognise(certificate)
        self._note("visit.recognised", linked=visit.card.guardian is not None)
        self.handle(events.Recognised(visit.number, visit.card.guardian is not None))

    def _open(self, visit: Visit, last_try: bool) -> None:
        try:
            self._session.open(visit.pin, last_try=last_try)
        finally:
            visit.pin[:] = bytes(len(visit.pin))
        self.handle(events.Progress(visit.number, 1, SIGNING_PARTS))

    def _sign(self, visit: Visit) -> None:
        card, statement = visit.card, visit.statement
        if card is None or statement is None:
            return  # the visit was wiped while this waited
        message = statement.canonical()
        signature = self._session.sign(digest_for(card.certificate, message))
        self.handle(events.Progress(visit.number, 2, SIGNING_PARTS))
        self._note("visit.signed")
        entry = self._check_in.record(card, visit.linking, statement, signature)
        self._note("visit.committed", entry=entry)
        self.handle(events.Recorded(visit.number, entry))

    def _look_for_fault(self) -> None:
        fault = self._fault()
        if fault != self._told:
            self._told = fault
            self.handle(events.InOrder() if fault is None else events.OutOfOrder(fault))

    def _tick(self) -> None:
        while not self._ending.wait(TICK_S):
            self.handle(events.Tick(time.monotonic_ns() // 1_000_000))
            self._check_in.end_old_epoch()
            self._look_for_fault()
            screen = self.screen
            if screen.step is Step.DONE and not screen.confirmed and screen.entry is not None:
                with contextlib.suppress(MadoguchiError):  # asked again at the next tick
                    if self._check_in.confirmation(screen.entry) is not None:
                        self.handle(events.Confirmed(screen.visit))
