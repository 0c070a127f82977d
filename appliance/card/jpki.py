"""The JPKI application of a My Number card: from four digits to a signature, and never a try lost by surprise.

Five exchanges on a reader that takes an extended Le: SELECT the application, READ the certificate, ask the counter,
VERIFY, sign. The session sees only bytes out, bytes and status in; readers and processes are the business of others.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from appliance.card.apdu import (
    EXTENDED_LE_MOST,
    SHORT_LE_MOST,
    Command,
    Instruction,
    Status,
    meaning,
    tries_in,
    wipe,
)
from appliance.card.connection import (
    ISD,
    JPKI_AP,
    CardMuteError,
    CardProtocolError,
    CardRemovedError,
    Connection,
)
from appliance.card.tlv import SEQUENCE, der_length, trim
from appliance.errors import RefusedError, UnavailableError

PIN_DIGITS: Final = 4
PIN_TRIES: Final = 3  # what a right PIN sets the counter back to
DIGEST_BYTES: Final = 32
# RFC 8017 section 9.2, note 1: what stands before a SHA-256 digest in a DigestInfo.
DIGEST_INFO_SHA256: Final = bytes.fromhex("3031300D060960864801650304020105000420")
BY_EF_ID, FIRST_OR_ONLY_NO_FCI, FIRST_OR_ONLY = 0x02, 0x0C, 0x00
SHORT_EF: Final = 0x80
TOKEN_NAME_BYTES: Final = 32

Progress = Callable[[int, int], None]


@unique
class Key(Enum):
    """A key of the application as EF ids: (private key, its PIN, its certificate)."""

    AUTHENTICATION = (0x0017, 0x0018, 0x000A)

    @property
    def key(self) -> int:
        return self.value[0]

    @property
    def pin(self) -> int:
        return self.value[1]

    @property
    def certificate(self) -> int:
        return self.value[2]


EF_TOKEN_INFO: Final = 0x0006


@unique
class Kind(Enum):
    """What carries the application, by the name in its token information (EF 0006)."""

    CARD = "JPKIAPICCTOKEN2"
    JUKI_CARD = "JPKIAPICCTOKEN"
    ANDROID = "JPKIAPGPSETOKEN"
    IPHONE = "JPKIAPIOSTOKEN"
    UNKNOWN = ""


class UnknownCardError(RefusedError):
    """There is no JPKI application: it is some other card."""

    code = "card.unknown"


class NoCertificateError(RefusedError):
    """A card without a certificate for authentication: never issued, or cleared at the municipal counter."""

    code = "card.no_certificate"


class CertificateLockedError(RefusedError):
    """The certificate itself asks for the PIN, as on a telephone; the box wants to check it before any PIN."""

    code = "card.needs_pin"


class PinFormError(RefusedError):
    """Not four digits; the card was not asked."""

    code = "card.pin_form"


class WrongPinError(RefusedError):
    code = "card.wrong_pin"


class LastTryError(RefusedError):
    """One try is left and nobody said yes to risking it; the card was not asked."""

    code = "card.last_try"


class LockedError(RefusedError):
    """No try is left; the municipal counter lifts the lock."""

    code = "card.locked"


@dataclass
class ReaderTraits:
    """What a reader turned out to be able to do; kept as long as the reader is known. None: not yet tried."""

    extended_le: bool | None = None


def check_pin(pin: bytes | bytearray) -> None:
    """Raises ``PinFormError`` unless it is four ASCII digits."""
    if len(pin) != PIN_DIGITS or not all(0x30 <= one <= 0x39 for one in pin):
        raise PinFormError(digits=PIN_DIGITS)


class JpkiSession:
    """One conversation with one card under power. Not for use by two threads at once.

    Any call raises what ``Connection.transmit`` raises, and ``CardProtocolError`` for an answer outside the rules.
    """

    def __init__(self, connection: Connection, traits: ReaderTraits | None = None) -> None:
        self._connection = connection
        self._traits = traits if traits is not None else ReaderTraits()
        self._by_selection = False  # whether this card wants its EFs selected before use
        self.known_tries: int | None = None

    def select(self) -> None:
        """Selects the application. Raises ``UnknownCardError`` if the card has none."""
        status = self._select_application(JPKI_AP)
        if status not in (Status.OK, Status.MORE_DATA):
            raise UnknownCardError()

    def read_certificate(self, progress: Progress | None = None) -> bytes:
        """Selects the application and reads the authentication certificate (DER, trimmed).

        ``progress`` gets (exchanges done, exchanges expected) after each. Raises ``UnknownCardError``,
        ``NoCertificateError`` or ``CertificateLockedError``.
        """
        tell = progress if progress is not None else _quiet
        self.select()
        tell(1, 2)
        data = self._read_file(Key.AUTHENTICATION.certificate, tell)
        if data[:1] != bytes([SEQUENCE]):
            raise NoCertificateError(kind=self.kind().name.lower())
        return trim(data)

    def kind(self) -> Kind:
        """What the token information says; asked only where it decides something."""
        data, sw = self._send(Command(0, Instruction.READ_BINARY, SHORT_EF | EF_TOKEN_INFO, 0, le=TOKEN_NAME_BYTES))
        if meaning(sw) not in (Status.OK, Status.END_OF_FILE):
            return Kind.UNKNOWN
        name = data[:TOKEN_NAME_BYTES].rstrip(b" \x00").decode("ascii", "replace")
        return next((kind for kind in Kind if kind.value == name), Kind.UNKNOWN)

    def tries_left(self) -> int | None:
        """Tries left for the PIN; asking spends none. None where the card sets no limit or is verified already."""
        pin = Key.AUTHENTICATION.pin
        _, sw = self._send(Command(0, Instruction.VERIFY, 0, _short(pin)))
        if meaning(sw) in (Status.WRONG_P1P2, Status.KEY_NOT_FOUND):
            self._by_selection = True
            self._select_ef(pin)
            _, sw = self._send(Command(0, Instruction.VERIFY, 0, self._reference(pin)))
        match meaning(sw):
            case Status.TRIES_LEFT:
                self.known_tries = tries_in(sw)
            case Status.BLOCKED:
                self.known_tries = 0
            case Status.NO_LIMIT | Status.OK:
                self.known_tries = None
            case _:
                raise _unexpected("counter", sw)
        return self.known_tries

    def sign(self, pin: bytearray, digest: bytes, last_try: bool = False) -> bytes:
        """The card's signature over a SHA-256 ``digest`` (32 bytes) by the authentication key; its length is the key's.

        Asks the counter, sends the PIN at most once and wipes it in every case. Raises ``PinFormError``,
        ``LockedError``, ``LastTryError`` (both before the PIN is sent), ``WrongPinError`` with ``tries_left``.
        """
        try:
            if len(digest) != DIGEST_BYTES:
                raise ValueError(f"a digest has {DIGEST_BYTES} bytes, not {len(digest)}")
            check_pin(pin)
            tries = self.tries_left()
            if tries == 0:
                raise LockedError(tries_left=0)
            if tries == 1 and not last_try:
                raise LastTryError(tries_left=1)
            self._verify(pin)
        finally:
            wipe(pin)
        return self._compute_signature(DIGEST_INFO_SHA256 + digest)

    def leave(self) -> bool:
        """Selects the issuer security domain, which ends what the PIN opened. False if the card did not take it.

        Never raises for a card that is gone: whoever holds the reader takes the power away next.
        """
        try:
            return self._select_application(ISD) in (Status.OK, Status.MORE_DATA)
        except (UnavailableError, CardProtocolError):
            return False

    def _verify(self, pin: bytearray) -> None:
        command = Command(0, Instruction.VERIFY, 0, self._reference(Key.AUTHENTICATION.pin), data=pin).encode()
        # Sent once. If the answer is lost nobody knows whether a try is spent, and a second one could be the last.
        try:
            _, sw = self._connection.transmit(command)
        finally:
            wipe(command)
        match meaning(sw):
            case Status.OK | Status.MORE_DATA:
                self.known_tries = None if self.known_tries is None else PIN_TRIES
            case Status.TRIES_LEFT if tries_in(sw) > 0:
                self.known_tries = tries_in(sw)
                raise WrongPinError(tries_left=tries_in(sw))
            case Status.NO_LIMIT:
                raise WrongPinError(tries_left=None)
            case Status.TRIES_LEFT | Status.BLOCKED:
                self.known_tries = 0
                raise LockedError(tries_left=0)
            case _:
                raise _unexpected("verify", sw)

    def _compute_signature(self, digest_info: bytes) -> bytes:
        key = Key.AUTHENTICATION.key
        if self._by_selection:
            self._select_ef(key)
        data, sw = self._send(
            Command(
                0x80,
                Instruction.PERFORM_SECURITY_OPERATION,
                0,
                self._reference(key),
                data=digest_info,
                le=SHORT_LE_MOST,
            )
        )
        if meaning(sw) is not Status.OK or not data:
            raise _unexpected("sign", sw)
        return data

    def _read_file(self, ef: int, tell: Progress) -> bytes:
        data = self._read_start(ef)
        exchanges, part = 2, len(data)
        while True:
            if data[:1] != bytes([SEQUENCE]):
                return data  # filler or nothing: the caller says what that means
            whole = der_length(data)
            if whole is not None and len(data) >= whole:
                tell(exchanges, exchanges)
                return data
            # Before the length is known, ask for a full answer; four bytes always settle it.
            missing = SHORT_LE_MOST if whole is None else min(SHORT_LE_MOST, whole - len(data))
            left = 1 if whole is None else -(-(whole - len(data)) // max(1, min(part, SHORT_LE_MOST)))
            tell(exchanges, exchanges + left)
            offset = len(data)
            more, sw = self._send(Command(0, Instruction.READ_BINARY, offset >> 8, offset & 0xFF, le=missing))
            if meaning(sw) not in (Status.OK, Status.END_OF_FILE) or not more:
                raise _unexpected("read", sw)
            if len(more) > missing:
                raise CardProtocolError(step="read", reason="more than asked for")
            data += more
            exchanges += 1

    def _read_start(self, ef: int) -> bytes:
        """The beginning of a file, all of it if the reader can; leaves the EF selected for reading on."""
        if self._traits.extended_le is not False:
            try:
                data, sw = self._read_by_short_id(ef, EXTENDED_LE_MOST)
            except CardMuteError:
                # Some readers choke on the longer command and reset the card. Nothing was spent by a READ.
                self._traits.extended_le = False
                self.select()
            except CardRemovedError:
                # Others lose the card for a moment. Where it never worked yet, it is not tried on this reader again.
                self._traits.extended_le = self._traits.extended_le or False
                raise
            else:
                self._traits.extended_le = meaning(sw) is not Status.WRONG_LENGTH
                if self._traits.extended_le:
                    return self._start_of(ef, data, sw)
        data, sw = self._read_by_short_id(ef, SHORT_LE_MOST)
        if len(data) > SHORT_LE_MOST:
            raise CardProtocolError(step="read", reason="more than asked for")
        return self._start_of(ef, data, sw)

    def _read_by_short_id(self, ef: int, le: int) -> tuple[bytes, int]:
        return self._send(Command(0, Instruction.READ_BINARY, _short(ef), 0, le=le))

    def _start_of(self, ef: int, data: bytes, sw: int) -> bytes:
        if meaning(sw) in (Status.WRONG_P1P2, Status.WRONG_OFFSET):  # no short EF ids: the classic way
            self._select_ef(ef)
            data, sw = self._send(Command(0, Instruction.READ_BINARY, 0, 0, le=SHORT_LE_MOST))
        match meaning(sw):
            case Status.OK | Status.END_OF_FILE:
                return data
            case Status.PIN_NEEDED:
                raise CertificateLockedError(kind=self.kind().name.lower())
            case Status.NOT_FOUND:
                raise NoCertificateError(kind=self.kind().name.lower())
            case _:
                raise _unexpected("read", sw)

    def _select_application(self, aid: bytes) -> Status:
        status = Status.OTHER
        for p2, le in ((FIRST_OR_ONLY_NO_FCI, None), (FIRST_OR_ONLY, SHORT_LE_MOST)):
            _, sw = self._send(Command(0, Instruction.SELECT, 0x04, p2, data=aid, le=le))
            status = meaning(sw)
            if status is not Status.WRONG_P1P2:  # some cards insist on handing out their control information
                break
        return status

    def _select_ef(self, ef: int) -> None:
        _, sw = self._send(Command(0, Instruction.SELECT, BY_EF_ID, FIRST_OR_ONLY_NO_FCI, data=ef.to_bytes(2, "big")))
        if meaning(sw) is not Status.OK:
            raise _unexpected("select", sw)

    def _reference(self, ef: int) -> int:
        return SHORT_EF if self._by_selection else _short(ef)

    def _send(self, command: Command) -> tuple[bytes, int]:
        return self._connection.transmit(command.encode())


def _short(ef: int) -> int:
    return SHORT_EF | (ef & 0x1F)


def _unexpected(step: str, sw: int) -> CardProtocolError:
    return CardProtocolError(step=step, sw=f"{sw:04X}")


def _quiet(_done: int, _expected: int) -> None:
    """Stands in where nobody watches the progress."""
