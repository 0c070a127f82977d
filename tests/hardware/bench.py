"""The reader with the declared card on it, and everything that is said to either."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, Protocol

from smartcard import scard

from appliance.card.apdu import EXTENDED_LE_MOST
from appliance.card.connection import CardMuteError, Meter, conversation
from appliance.card.desk import Desk
from appliance.card.files import CardTraits, Files, ReaderTraits
from appliance.card.jpki import CertificateLockedError, JpkiSession, NoCertificateError, UnknownCardError
from appliance.card.key import Key
from appliance.card.pcsc import PROTOCOLS, PcscCard, PcscReaders
from appliance.card.service import CardRead, CardService, CardState, Tally
from appliance.card.tlv import trim
from appliance.errors import MadoguchiError
from appliance.trust.anchors import Anchor, parse_anchors
from appliance.trust.chain import AuthenticationCertificate, verify
from appliance.trust.policy import installer_policy
from appliance.trust.signature import digest_for, verify_signature
from tests.hardware.declaration import Declaration
from tests.hardware.given_pin import GivenPin
from tests.hardware.recorded import RecordedCard, RecordedReaders
from tests.hardware.refusal import RefusalError
from tests.hardware.report import Report
from tests.hardware.wrong_secret import LEAST_TRIES

EF_AUTHENTICATION_CA: Final = 0x000B
MESSAGE: Final = b"Madoguchi: trying out a reader and a card"
WAIT_S: Final = 30.0
SHORT: Final = ReaderTraits(extended_le=False)  # every reader can, so nothing has to be tried first


class AskPin(Protocol):
    """Gives the person's PIN, the same object each time; asks when it is first needed."""

    def __call__(self) -> GivenPin: ...


@dataclass(frozen=True)
class Visit:
    """What one visit took. ``own_ms`` is our own time, without that of the card."""

    certificate: bytes = field(repr=False)
    signature: bytes = field(repr=False)
    took: Tally
    own_ms: int


class Bench:
    """Use it as a context manager. ``anchors`` as the person gave them; without, the CA on the card stands in.

    Every method that says something to the card first makes sure that it is the declared one, in the same session, and
    raises ``RefusalError`` for any other. ``pin`` gives the person's PIN, which can be had for one VERIFY at a time.
    """

    def __init__(
        self, name: str, declaration: Declaration | None, anchors: Sequence[Anchor], ask_pin: AskPin, report: Report
    ) -> None:
        self.report = report
        self.readers = RecordedReaders(PcscReaders(name), report)
        self.desk = Desk(self.readers)
        self._declaration = declaration
        self._anchors = tuple(anchors)
        self.pin = ask_pin

    def __enter__(self) -> "Bench":
        self.desk.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.desk.close()

    def waited(self, wanted: Callable[[CardState], bool], timeout_s: float = WAIT_S) -> bool:
        """Whether the reader got into such a state in time."""
        end = time.monotonic() + timeout_s
        while not wanted(self.desk.status().state):
            if time.monotonic() > end:
                return False
            time.sleep(0.05)
        return True

    @property
    def reader(self) -> str:
        return self.desk.status().reader

    @property
    def traits(self) -> ReaderTraits:
        """What the desk has learned of the reader by now."""
        return self.desk._reader_traits(self.reader)

    def names(self) -> list[str]:
        """The names of all readers there, empty also without the service."""
        _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        try:
            return list(scard.SCardListReaders(context, [])[1])
        finally:
            scard.SCardReleaseContext(context)

    def atr(self) -> str:
        """The answer to reset that PC/SC keeps of the card, in hexadecimal; costs no exchange."""
        _, context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        try:
            _, states = scard.SCardGetStatusChange(context, 0, [(self.reader, scard.SCARD_STATE_UNAWARE)])
            return bytes(states[0][2]).hex().upper()
        finally:
            scard.SCardReleaseContext(context)

    def begin(self, service: CardService) -> tuple[CardRead, bytes]:
        """Begins a session with the declared card; also gives its certificate (DER)."""
        try:
            with only_jpki():
                read = service.read()
            return read, self._declared(read.certificate)
        except RefusalError:
            service.leave()
            raise

    def open(self, service: CardService) -> None:
        """Sends the PIN in a session that ``begin`` began.

        Refuses to while fewer than three tries are left, and ends the run if the card does not take it: a PIN that was
        mistyped has cost one try then, and is not sent again.
        """
        tries = service.tries_left()
        if tries is None or tries < LEAST_TRIES:
            raise RefusalError(f"the counter shows {tries} tries, and it must be {LEAST_TRIES}: no PIN was sent")
        with self.pin().once() as pin:
            try:
                service.open(pin)
            except MadoguchiError as error:
                raise RefusalError(f"the card did not take the PIN ({error}); it is not sent again") from None

    def visit(self) -> Visit:
        """One visit as at the window, measured; the right PIN and a full counter were made sure of before."""
        self.anchors()
        with self.session() as service:
            self.open(service)
        service = self.desk.client()
        began = time.perf_counter()
        try:
            _, certificate = self.begin(service)
            with self.pin().once() as pin:
                service.open(pin)
            signature = service.sign(digest_for(self.believed(certificate), MESSAGE))
            took = service.tally()
            own_ms = round((time.perf_counter() - began) * 1000) - took.card_ms
            return Visit(certificate, signature, took, max(0, own_ms))
        finally:
            service.leave()

    @contextmanager
    def session(self) -> Iterator[CardService]:
        """A client in a session with the declared card; it has left at the end."""
        service = self.desk.client()
        try:
            self.begin(service)
            yield service
        finally:
            service.leave()

    @contextmanager
    def powered(self) -> Iterator[RecordedCard]:
        """The declared card without a desk around it. It loses its power at the end."""
        card = self.readers.open()
        try:
            with only_jpki():
                certificate = JpkiSession(conversation(card, Meter()), SHORT).read_certificate()
            self._declared(certificate)
            yield card
        finally:
            card.close()

    def head(self, ef: int, length: int) -> bytes:
        """The first bytes of a file that everybody may read; empty if there is none."""
        with self.powered() as card:
            return selected(card).head(ef, length) or b""

    def certificate(self, ef: int = Key.AUTHENTICATION.certificate) -> bytes:
        """A certificate that everybody may read (DER)."""
        with self.powered() as card:
            return trim(selected(card).certificate(ef, lambda *_: None)[0])

    def whole(self, ef: int) -> bytes | None:
        """The whole file with what lies behind its certificate; None where it does not come in one exchange."""
        if not self.traits.extended_le:
            return None
        with self.powered() as card:
            return selected(card, ReaderTraits(extended_le=True)).head(ef, EXTENDED_LE_MOST)

    def anchors(self) -> tuple[Anchor, ...]:
        """What the person gave, or else the CA certificate that the card itself carries.

        The latter only shows that the parts of the card match; it says nothing about who issued it.
        """
        if not self._anchors:
            self._anchors = parse_anchors(self.certificate(EF_AUTHENTICATION_CA))
        return self._anchors

    def believed(self, certificate: bytes) -> AuthenticationCertificate:
        """Raises the errors of ``appliance.trust``."""
        return verify(certificate, self._anchors, datetime.now(UTC), installer_policy())

    def verify(self, visit: Visit) -> None:
        """Raises the errors of ``appliance.trust`` unless the card's key signed ``MESSAGE``."""
        verify_signature(self.believed(visit.certificate), MESSAGE, visit.signature)

    def tries_left(self, key: Key) -> int | None:
        with self.session() as service:
            return service.tries_left(key)

    def _declared(self, certificate: bytes | None) -> bytes:
        if self._declaration is None:
            raise RefusalError("no card is declared: --test-card FILE says which one may be tried out")
        if certificate is None:
            raise RefusalError("a telephone shows its certificate behind the PIN only: nothing was sent to this one")
        if not self._declaration.names(certificate):
            raise RefusalError("this card is not the declared one: its certificate was read, no PIN was sent")
        return certificate


@contextmanager
def only_jpki() -> Iterator[None]:
    """Turns the errors of a card that cannot be tried out into the end of the run."""
    try:
        yield
    except (UnknownCardError, NoCertificateError, CertificateLockedError) as error:
        raise RefusalError(f"this is no card with a certificate that everybody may read ({error.code})") from None


def selected(card: RecordedCard, traits: ReaderTraits | None = None) -> Files:
    """The files of the JPKI application, selected on a card under power."""
    line = conversation(card, Meter())
    JpkiSession(line).tries_left()  # selects it; asking spends none
    return Files(line, traits or SHORT, CardTraits(), lambda: None)


def warm_reset(card: RecordedCard) -> None:
    """Resets the card without taking its power, as PC/SC does when a client dies."""
    under = card.card
    if not isinstance(under, PcscCard):
        raise TypeError("only a card on PC/SC can be reset")
    share, how = scard.SCARD_SHARE_EXCLUSIVE, scard.SCARD_RESET_CARD
    code, _ = scard.SCardReconnect(under._card, share, PROTOCOLS, how)
    if code != scard.SCARD_S_SUCCESS:
        raise CardMuteError(reason=f"{code & 0xFFFFFFFF:08X}")
