"""The one reader of the box and who may use it: one session at a time, owned by one client."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TypeVar

from appliance.card.apdu import wipe
from appliance.card.clearing import Clearing
from appliance.card.connection import (
    CardAbsentError,
    CardMuteError,
    CardProtocolError,
    CardRemovedError,
    ForbiddenCommandError,
    Meter,
    ReaderAbsentError,
    ReaderServiceError,
    conversation,
)
from appliance.card.events import HOLDING, CardEvents
from appliance.card.files import CardTraits, Progress, ReaderTraits
from appliance.card.jpki import CertificateLockedError, JpkiSession
from appliance.card.key import Key
from appliance.card.readers import CardBusyError, Observe, PoweredCard, Readers, Sighting
from appliance.card.service import CardEvent, CardRead, CardState, Tally
from appliance.card.token import Kind
from appliance.errors import Field, MadoguchiError, RefusedError

T = TypeVar("T")
LOOK_S = 1.0
SESSION_IDLE_S = 180.0  # longer than the screen waits for a person, so only a stuck client meets it
RETURN_S = 1.0
# No reader takes this long for a call. PC/SC knows no way to break an exchange off: only a new process gets out of it.
STUCK_S = 60.0
# After these the card, or what is known about it, is lost, and with it the session.
ENDING = (
    CardRemovedError,
    CardMuteError,
    CardProtocolError,
    ReaderAbsentError,
    ReaderServiceError,
    ForbiddenCommandError,
)


class SessionOverError(RefusedError):
    """The session ended because nobody used it for ``SESSION_IDLE_S`` seconds; the card can be read again."""

    code = "card.session_over"


def unobserved(event: str, **fields: Field) -> None:
    """Stands in where nobody keeps a log."""


class Desk:
    """Watches the reader in a thread of its own once ``start`` was called, and hands out clients."""

    def __init__(
        self, readers: Readers, observe: Observe = unobserved, trace: Callable[[str], None] | None = None
    ) -> None:
        self._readers = readers
        self._observe = observe
        self._trace = trace
        self._readers_traits: dict[str, ReaderTraits] = {}
        self._card_traits: tuple[tuple[str, int], CardTraits] = (("", 0), CardTraits())
        self._owner: DeskClient | None = None
        self._owning = threading.Lock()
        self._events = CardEvents()
        self._ending = threading.Event()
        self._watcher: threading.Thread | None = None
        self._clearing = Clearing(readers, observe)

    def start(self) -> None:
        """Looks once, so that a state is known on return, and goes on looking. A card that lies there is cleared."""
        self._clearing.begin()
        self._note(self._readers.wait(0))
        self._watcher = threading.Thread(target=self._look_on, name="desk", daemon=True)
        self._watcher.start()

    def close(self) -> None:
        """Ends the session, if there is one, and the watching."""
        self._ending.set()
        self._events.end()
        with self._owning:
            owner = self._owner
        if owner is not None:
            owner.leave()
        if self._watcher is not None:
            self._readers.wake()
            self._watcher.join()
        self._readers.close()

    def __enter__(self) -> "Desk":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def client(self) -> "DeskClient":
        """A new client, without a session."""
        return DeskClient(self)

    @property
    def alive(self) -> bool:
        """Whether the reader is being watched and no exchange with a card hangs (see ``STUCK_S``)."""
        with self._owning:
            owner = self._owner
        stuck = owner is not None and owner.stuck
        return self._watcher is not None and self._watcher.is_alive() and not stuck

    def status(self) -> CardEvent:
        """What lies at the window; looks itself where ``start`` was not called."""
        if self._watcher is None:
            self._note(self._readers.wait(0))
        event = self._events.last
        if event is None:
            raise ReaderServiceError(reason="nobody looked yet")
        return event

    def next_event(self, after: int, timeout_s: float) -> tuple[int, CardEvent] | None:
        """As ``CardEvents.next``."""
        return self._events.next(after, timeout_s)

    # What follows is for ``DeskClient``.

    def _claim(self, client: "DeskClient", reader: str = "") -> PoweredCard:
        """The card on this reader; without a name, the one that was told of last, or else whatever is there."""
        with self._owning:
            if self._owner not in (None, client):
                raise CardBusyError(by="another client")
            self._owner = client
        last = self._events.last
        if not reader and self._watcher is not None and last is not None and last.state in HOLDING:
            reader = last.reader
        try:
            with self._clearing.opening:
                return self._readers.open(reader)
        except MadoguchiError:
            self._give_back(client)
            raise

    def _give_back(self, client: "DeskClient") -> None:
        with self._owning:
            if self._owner is client:
                self._owner = None

    def _reader_traits(self, reader: str) -> ReaderTraits:
        return self._readers_traits.setdefault(reader, ReaderTraits())

    def _traits_of_card(self, reader: str) -> CardTraits:
        """What is known of the card on a reader since it was put there; nothing where nobody watches the reader."""
        last = self._events.last
        insertion = (reader, 0 if last is None else last.insertion)
        with self._owning:
            if self._watcher is None or self._card_traits[0] != insertion:
                self._card_traits = (insertion, CardTraits())
            return self._card_traits[1]

    def _look_on(self) -> None:
        while not self._ending.is_set():
            began = time.monotonic()
            self._note(self._readers.wait(LOOK_S))
            with self._owning:
                owner = self._owner
            if owner is not None:
                owner.end_if_over(self.status(), began)

    def _note(self, sighting: Sighting) -> None:
        self._clearing.look(sighting, in_session=self._owner is not None)
        name, event = self._events.note(sighting), self._events.last
        if name is not None and event is not None:
            self._observe(name, reader=event.reader, insertion=event.insertion)


@dataclass
class _Session:
    """A card under power and the conversation with it."""

    card: PoweredCard
    jpki: JpkiSession
    traits: CardTraits
    meter: Meter
    begun: float
    used: float


class DeskClient:
    """One client of the desk. Implements ``CardService``; calls from several threads wait for each other."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._lock = threading.Lock()
        self._session: _Session | None = None
        self._why_over: MadoguchiError | None = None
        self._last = Tally(0, 0, 0, None)
        self._busy_since: float | None = None

    @property
    def stuck(self) -> bool:
        """Whether a call has been waiting for the card longer than ``STUCK_S``."""
        since = self._busy_since
        return since is not None and time.monotonic() - since > STUCK_S

    def status(self) -> CardEvent:
        return self._desk.status()

    def watch(self) -> Iterator[CardEvent]:
        number = 0
        while not self._desk._ending.is_set():
            found = self._desk.next_event(number, LOOK_S)
            if found is not None:
                number, event = found
                yield event

    def read(self, progress: Progress | None = None) -> CardRead:
        with self._at_work():
            self._end(None)
            self._last = Tally(0, 0, 0, None)
            started = time.perf_counter_ns()
            session = self._begin(self._desk._claim(self))
            traits = self._desk._reader_traits(session.card.reader)
            untried = traits.extended_le is None
            try:
                certificate = self._certificate(session, progress)
            except CardRemovedError:
                # Taken away, or lost for a moment to a command that this reader cannot take: then it comes back.
                returned = self._returned(session.card.reader) if untried and traits.extended_le is False else None
                if returned is None:
                    raise
                self._why_over, session = None, self._begin(returned)
                certificate = self._certificate(session, progress)
            ms = (time.perf_counter_ns() - started) // 1_000_000
            meter, kind = session.meter, session.traits.kind or Kind.CARD
            self._desk._observe("card.read", exchanges=meter.exchanges, bytes=meter.bytes, ms=ms)
            return CardRead(certificate, kind.name.lower(), session.card.reader, meter.exchanges, meter.bytes, ms)

    def tries_left(self, key: Key = Key.AUTHENTICATION) -> int | None:
        with self._at_work():
            return self._in_session(lambda session: session.jpki.tries_left(key))

    def open(self, secret: bytearray, key: Key = Key.AUTHENTICATION, last_try: bool = False) -> None:
        try:
            with self._at_work():
                self._in_session(lambda session: session.jpki.open(secret, key, last_try))
        finally:
            wipe(secret)

    def certificate(self, key: Key = Key.AUTHENTICATION) -> bytes:
        with self._at_work():
            return self._in_session(lambda session: session.jpki.read_certificate(key))

    def sign(self, digest: bytes, key: Key = Key.AUTHENTICATION) -> bytes:
        with self._at_work():
            signature = self._in_session(lambda session: session.jpki.sign(digest, key))
        tally = self.tally()
        self._desk._observe("card.signed", exchanges=tally.exchanges, bytes=tally.bytes, ms=tally.card_ms)
        return signature

    def tally(self) -> Tally:
        session = self._session
        return self._last if session is None else _tally(session)

    def leave(self) -> None:
        with self._at_work():
            self._end(None)

    def end_if_over(self, event: CardEvent, since: float) -> None:
        """Ends a session whose card went away or that nobody used for long, unless it is at work: then it finds out.

        ``since`` (``time.monotonic``) is when the look began that showed this: of a later session it says nothing.
        """
        if not self._lock.acquire(blocking=False):
            return
        try:
            session = self._session
            if session is None or session.begun > since:
                return
            gone = _gone(session.card.reader, event)
            if gone is not None:
                self._end(gone)
            elif time.monotonic() - session.used > SESSION_IDLE_S:
                self._end(SessionOverError())
        finally:
            self._lock.release()

    @contextmanager
    def _at_work(self) -> Iterator[None]:
        with self._lock:
            self._busy_since = time.monotonic()
            try:
                yield
            finally:
                self._busy_since = None

    def _begin(self, card: PoweredCard) -> _Session:
        meter = Meter()
        reader, traits = self._desk._reader_traits(card.reader), self._desk._traits_of_card(card.reader)
        jpki = JpkiSession(conversation(card, meter, self._desk._trace), reader, traits)
        now = time.monotonic()
        self._session = _Session(card, jpki, traits, meter, begun=now, used=now)
        return self._session

    def _certificate(self, session: _Session, progress: Progress | None) -> bytes | None:
        try:
            return session.jpki.read_certificate(progress=progress)
        except CertificateLockedError:
            return None  # a telephone: it comes after the PIN
        except MadoguchiError as error:
            self._end(error)
            raise
        except BaseException:  # a progress that raises must not leave a card under power
            self._end(None)
            raise

    def _returned(self, reader: str) -> PoweredCard | None:
        end = time.monotonic() + RETURN_S
        while time.monotonic() < end:
            with suppress(CardAbsentError, CardMuteError):
                return self._desk._claim(self, reader)
            time.sleep(RETURN_S / 10)
        return None

    def _in_session(self, work: Callable[[_Session], T]) -> T:
        session = self._session
        if session is None:
            raise self._why_over if self._why_over is not None else CardAbsentError(reason="no session")
        session.used = time.monotonic()
        try:
            return work(session)
        except ENDING as error:
            self._end(error)
            raise

    def _end(self, why: MadoguchiError | None) -> None:
        session, self._session, self._why_over = self._session, None, why
        if session is None:
            return
        self._last = _tally(session)
        try:
            session.jpki.leave()
        finally:
            session.card.close()
            self._desk._give_back(self)
        self._desk._observe("card.left", reason=None if why is None else why.code)


def _gone(reader: str, event: CardEvent) -> MadoguchiError | None:
    """Why the card of a session on this reader is not there any more."""
    match event.state:
        case CardState.SERVICE_ABSENT:
            return ReaderServiceError()
        case CardState.READER_ABSENT:
            return ReaderAbsentError(reader=reader)
        case CardState.EMPTY:
            return CardRemovedError()
        case _:
            return None if event.reader == reader else CardRemovedError()


def _tally(session: _Session) -> Tally:
    meter = session.meter
    return Tally(meter.exchanges, meter.bytes, meter.card_ns // 1_000_000, session.jpki.known_tries)
