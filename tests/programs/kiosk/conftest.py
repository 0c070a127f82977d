"""A kiosk whose reader does what a test wrote down, in front of a real box."""

import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from appliance.card.files import Progress
from appliance.card.ipc import CarddAbsentError
from appliance.card.key import Key
from appliance.card.service import CardEvent, CardRead, CardState, Tally
from appliance.errors import Field
from appliance.log import EventLog
from appliance.programs.kiosk import conductor as module
from appliance.programs.kiosk.conductor import Conductor
from appliance.programs.kiosk.events import (
    Agreed,
    Cancelled,
    CodeTyped,
    LanguageChosen,
    LastTryAccepted,
)
from appliance.programs.kiosk.flow import Flow, Screen, Step
from appliance.services.check_in import CheckIn
from appliance.services.opening import OpenBox
from appliance.store.cards import CardStore
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.card.pki import Issued, Use

WAIT_S = 10.0
PIN = b"1234"
SECRET = "5566"


class ScriptedCard:
    """A ``CardService`` that does what a test wrote down: errors to raise, in order, before it does its work."""

    def __init__(self, issued: Issued) -> None:
        self.issued = issued
        self.tries: int | None = 3
        self.read_errors: list[Exception] = []
        self.open_errors: list[Exception] = []
        self.opened: list[tuple[bytes, bool]] = []
        self.signed: list[bytes] = []
        self.phone = False
        self.left = threading.Semaphore(0)
        self._events: queue.Queue[CardEvent | Exception] = queue.Queue()
        self._insertion = 0

    def put(self) -> None:
        self._insertion += 1
        self.show(CardState.PRESENT)

    def take(self) -> None:
        self.show(CardState.EMPTY)

    def show(self, state: CardState) -> None:
        self._events.put(CardEvent(state, "Scripted 00", self._insertion))

    def break_off(self, error: Exception) -> None:
        """Ends the current ``watch`` with an error."""
        self._events.put(error)

    def status(self) -> CardEvent:
        return CardEvent(CardState.EMPTY, "Scripted 00", self._insertion)

    def watch(self) -> Iterator[CardEvent]:
        while True:
            event = self._events.get()
            if isinstance(event, Exception):
                raise event
            yield event

    def read(self, progress: Progress | None = None) -> CardRead:
        if self.read_errors:
            raise self.read_errors.pop(0)
        if progress is not None:
            progress(2, 2)
        certificate, kind = (None, "android") if self.phone else (self.issued.der, "card")
        return CardRead(certificate, kind, "Scripted 00", 2, 1500, 20)

    def tries_left(self, _key: Key = Key.AUTHENTICATION) -> int | None:
        return self.tries

    def open(self, secret: bytearray, _key: Key = Key.AUTHENTICATION, last_try: bool = False) -> None:
        self.opened.append((bytes(secret), last_try))
        if self.open_errors:
            raise self.open_errors.pop(0)

    def certificate(self, _key: Key = Key.AUTHENTICATION) -> bytes:
        return self.issued.der

    def sign(self, digest: bytes, _key: Key = Key.AUTHENTICATION) -> bytes:
        self.signed.append(digest)
        key = self.issued.key
        assert isinstance(key, RSAPrivateKey)
        return key.sign(digest, PKCS1v15(), Prehashed(hashes.SHA256()))

    def tally(self) -> Tally:
        return Tally(5, 1800, 20, self.tries)

    def leave(self) -> None:
        self.left.release()


class Noted(EventLog):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__("kiosk")
        self.events: list[tuple[str, dict[str, Field]]] = []

    def _write(self, level: int, event: str, fields: dict[str, Field]) -> None:
        super()._write(level, event, fields)
        self.events.append((event, fields))

    def named(self, event: str) -> list[dict[str, Field]]:
        return [fields for name, fields in self.events if name == event]


@dataclass
class Kiosk:
    """The conductor with everything around it that a test looks at or touches."""

    conductor: Conductor
    card: ScriptedCard
    log: Noted
    states: list[CardState | None]
    statements: list[tuple[str, bool]] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def until(self, seen: Callable[[Screen], bool]) -> Screen:
        """The first screen of which this is true."""
        end, screen = time.monotonic() + WAIT_S, self.conductor.screen
        while not seen(screen):
            assert time.monotonic() < end, f"the kiosk stayed at {screen}"
            screen = self.conductor.wait_for_change(screen.version, 0.2)
        return screen

    def at(self, step: Step) -> Screen:
        return self.until(lambda screen: screen.step is step)

    def answer(self, event: Agreed | Cancelled | CodeTyped | LastTryAccepted | LanguageChosen) -> None:
        self.conductor.handle(event, self.conductor.screen.token)

    def type_pin(self, digits: bytes = PIN) -> bytearray:
        """Types it; the buffer comes back so that a test can see it wiped."""
        pin = bytearray(digits)
        self.conductor.enter_pin(pin, self.conductor.screen.token)
        return pin

    def to_pin(self) -> Screen:
        self.card.put()
        self.at(Step.STATEMENT)
        self.answer(Agreed())
        return self.until(lambda screen: screen.step in (Step.PIN, Step.LAST_TRY, Step.PROBLEM))

    def problem(self, code: str) -> Screen:
        screen = self.at(Step.PROBLEM)
        assert screen.notice is not None
        assert screen.notice.code == code
        return screen


@pytest.fixture
def issued(hierarchy: Hierarchy) -> Issued:
    return hierarchy.issue(Use.AUTHENTICATION)


@pytest.fixture
def tick_s() -> float:
    return 0.01


@pytest.fixture
def kiosk(
    check_in: CheckIn, box: OpenBox, issued: Issued, monkeypatch: pytest.MonkeyPatch, tick_s: float
) -> Iterator[Kiosk]:
    """A kiosk in front of a card that is not linked to anybody."""
    monkeypatch.setattr(module, "TICK_S", tick_s)
    monkeypatch.setattr(module, "RETRY_S", 0.01)
    card, log, states = ScriptedCard(issued), Noted(), list[CardState | None]()
    faults: list[str] = []
    statements: list[tuple[str, bool]] = []

    def lines(language: str, linking: bool, now_ms: int) -> tuple[str, ...]:
        statements.append((language, linking))
        return (f"{language}: ｜来《き》ました。", str(now_ms))

    conductor = Conductor(
        Flow("ja", 60_000, 20_000),
        session=card,
        watcher=card,
        check_in=check_in,
        lines=lines,
        now_ms=box.clock.now_ms,
        log=log,
        on_reader=lambda event: states.append(None if event is None else event.state),
        fault=lambda: next(iter(faults), None),
    )
    conductor.start()
    yield Kiosk(conductor, card, log, states, statements, faults)
    conductor.stop()
    card.break_off(CarddAbsentError())


@pytest.fixture
def linked(kiosk: Kiosk, box: OpenBox, people: object, check_in: CheckIn) -> Kiosk:
    """The same, and the card is the mother's."""
    pseudonym = check_in.recognise(kiosk.card.issued.der).pseudonym
    with box.database.transaction() as transaction:
        CardStore(box.database).link(transaction, pseudonym, "mother", 1, box.clock.now_ms())
    return kiosk
