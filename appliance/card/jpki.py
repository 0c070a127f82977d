"""The JPKI application of a My Number card: from four digits to a signature, and never a try lost by surprise.

Five exchanges on a reader that takes an extended Le: SELECT the application, READ the certificate, ask the counter,
VERIFY, sign. The session sees only bytes out, bytes and status in; readers and processes are the business of others.
"""

from functools import partial
from typing import Final

from appliance.card.apdu import SHORT_LE_MOST, Command, Instruction, Status, meaning, tries_in, wipe
from appliance.card.connection import ISD, JPKI_AP, CardProtocolError, Connection
from appliance.card.files import (
    FIRST_OR_ONLY,
    FIRST_OR_ONLY_NO_FCI,
    NOT_BY_SHORT_ID,
    SHORT_EF,
    CardTraits,
    Files,
    Progress,
    ReaderTraits,
    short,
    unexpected,
)
from appliance.card.key import Key
from appliance.card.tlv import SEQUENCE, trim
from appliance.card.token import (
    AVAILABILITY_BYTES,
    EF_AVAILABILITY,
    EF_TOKEN_INFO,
    NAME_BYTES,
    Kind,
    available_in,
    kind_in,
)
from appliance.errors import RefusedError, UnavailableError

# RFC 8017 section 9.2, note 1: what stands before a digest in a DigestInfo, by the digest's length.
DIGEST_INFO: Final = {
    32: bytes.fromhex("3031300D060960864801650304020105000420"),  # SHA-256
    48: bytes.fromhex("3041300D060960864801650304020205000430"),  # SHA-384
    64: bytes.fromhex("3051300D060960864801650304020305000440"),  # SHA-512
}
SHA256_BYTES: Final = 32
OTHER_FORM = frozenset({Status.WRONG_DATA, Status.WRONG_LENGTH})


class UnknownCardError(RefusedError):
    """There is no JPKI application: it is some other card."""

    code = "card.unknown"


class NoCertificateError(RefusedError):
    """A card without a certificate for authentication: never issued, or cleared at the municipal counter."""

    code = "card.no_certificate"


class NoSignatureCertificateError(RefusedError):
    """A card without a certificate for signatures: children under 15 have none, and others may have declined it."""

    code = "card.no_signature_certificate"


class CertificateLockedError(RefusedError):
    """The certificate is behind its secret: the one for signatures always is, on a telephone both are."""

    code = "card.needs_pin"


class NotOpenedError(RefusedError):
    """The card does not sign: its PIN was not given, or it forgot."""

    code = "card.not_opened"


class JpkiSession:
    """One conversation with one card under power. Not for use by two threads at once.

    Any call raises what ``Connection.transmit`` raises, and ``CardProtocolError`` for an answer outside the rules.
    Every call selects the application first if that was not done yet, and then raises ``UnknownCardError`` for a card
    that has none.
    """

    def __init__(
        self, connection: Connection, reader: ReaderTraits | None = None, card: CardTraits | None = None
    ) -> None:
        self._connection = connection
        self._card = card if card is not None else CardTraits()
        # Not a method of this session, which would then hold itself in memory until the collector comes by.
        reselect = partial(_select_jpki, connection)
        self._files = Files(connection, reader if reader is not None else ReaderTraits(), self._card, reselect)
        self._selected = False
        self._opened: set[Key] = set()
        self.known_tries: int | None = None
        """What the card last said of the key that was asked for last."""

    def read_certificate(self, key: Key = Key.AUTHENTICATION, progress: Progress | None = None) -> bytes:
        """The key's certificate (DER, trimmed).

        ``progress`` gets (exchanges done, exchanges expected) after each. Raises ``NoCertificateError``,
        ``NoSignatureCertificateError``, or ``CertificateLockedError`` for one that waits for ``open``.
        """
        tell = progress if progress is not None else _quiet
        self._begin()
        tell(1, 2)
        data, status = self._files.certificate(key.certificate, tell)
        if status is Status.PIN_NEEDED:
            raise CertificateLockedError(kind=self.kind().name.lower())
        if data[:1] != bytes([SEQUENCE]):
            raise self._absent(key)
        return trim(data)

    def kind(self) -> Kind:
        """What the token information says. Asked only where it decides something, and once an insertion."""
        if self._card.kind is None:
            self._begin()
            self._card.kind = kind_in(self._files.head(EF_TOKEN_INFO, NAME_BYTES) or b"")
        return self._card.kind

    def available(self) -> frozenset[Key]:
        """The keys that the card says it has certificates for; all of them if it does not say. Once an insertion."""
        if self._card.available is None:
            self._begin()
            said = available_in(self._files.head(EF_AVAILABILITY, AVAILABILITY_BYTES) or b"")
            self._card.available = frozenset(Key) if said is None else said
        return self._card.available

    def tries_left(self, key: Key = Key.AUTHENTICATION) -> int | None:
        """Tries left for the key's secret; asking spends none. None where the card sets no limit or is open already."""
        self._begin()
        sw = self._ask_counter(key)
        if meaning(sw) is Status.OK and key not in self._opened:
            # Another program left the card open. What it forgets now, it will also count again.
            self.leave()
            self._begin()
            sw = self._ask_counter(key)
        match meaning(sw):
            case Status.TRIES_LEFT:
                self.known_tries = tries_in(sw)
            case Status.BLOCKED:
                self.known_tries = 0
            case Status.NO_LIMIT | Status.OK:
                self.known_tries = None
            case _:
                raise unexpected("counter", sw)
        return self.known_tries

    def open(self, secret: bytearray, key: Key = Key.AUTHENTICATION, last_try: bool = False) -> None:
        """Opens the key until ``leave``: asks the counter, sends the secret at most once, and wipes it in every case.

        Before it is sent come ``PinFormError`` or ``PasswordFormError``, ``NoSignatureCertificateError``, the key's
        error for a locked one, and its error for a last try without ``last_try``; after it the one for a wrong one,
        with ``tries_left``, or for one locked now.
        """
        try:
            key.secret.ready(secret)
            if key is Key.SIGNATURE and key not in self.available():
                raise self._absent(key)
            tries = self.tries_left(key)
            if tries == 0:
                raise key.secret.locked(tries_left=0)
            if tries == 1 and not last_try:
                raise key.secret.last_try(tries_left=1)
            self._verify(key, secret)
        finally:
            wipe(secret)

    def sign(self, digest: bytes, key: Key = Key.AUTHENTICATION) -> bytes:
        """The card's signature over a digest of SHA-256, SHA-384 or SHA-512; its form and length are the key's.

        Raises ``NotOpenedError`` without ``open`` before it, and ``ValueError`` for a digest of another length.
        """
        if len(digest) not in DIGEST_INFO:
            raise ValueError(f"no digest has {len(digest)} bytes")
        self._begin()
        if self._card.by_selection:
            self._files.select(key.key)
        # A card pads a DigestInfo for RSA; how one signs a longer digest with an elliptic curve is not published. A
        # signature costs no try, so the form that it does not take is followed by the other.
        forms = [DIGEST_INFO[len(digest)] + digest, digest]
        data, sw = b"", 0
        for form in forms if len(digest) == SHA256_BYTES else reversed(forms):
            data, sw = self._compute_signature(key, form)
            if meaning(sw) not in OTHER_FORM:
                break
        if meaning(sw) is Status.PIN_NEEDED:
            raise NotOpenedError()
        if meaning(sw) is not Status.OK or not data:
            raise unexpected("sign", sw)
        return data

    def leave(self) -> bool:
        """Selects the issuer security domain, which ends what the PIN opened. False if the card did not take it.

        Never raises for a card that is gone: whoever holds the reader takes the power away next.
        """
        self._selected = False
        self._opened.clear()
        try:
            return _select_application(self._connection, ISD) in (Status.OK, Status.MORE_DATA)
        except (UnavailableError, CardProtocolError):
            return False

    def _begin(self) -> None:
        if not self._selected:
            _select_jpki(self._connection)
            self._selected = True

    def _absent(self, key: Key) -> RefusedError:
        absent = NoCertificateError if key is Key.AUTHENTICATION else NoSignatureCertificateError
        return absent(kind=self.kind().name.lower())

    def _ask_counter(self, key: Key) -> int:
        if not self._card.by_selection:
            _, sw = self._send(Command(0, Instruction.VERIFY, 0, short(key.pin)))
            if meaning(sw) not in NOT_BY_SHORT_ID:
                return sw
            self._card.by_selection = True
        self._files.select(key.pin)
        _, sw = self._send(Command(0, Instruction.VERIFY, 0, SHORT_EF))
        return sw

    def _verify(self, key: Key, secret: bytearray) -> None:
        command = Command(0, Instruction.VERIFY, 0, self._reference(key.pin), data=secret).encode()
        # Sent once. If the answer is lost nobody knows whether a try is spent, and a second one could be the last.
        try:
            _, sw = self._connection.transmit(command)
        finally:
            wipe(command)
        match meaning(sw):
            case Status.OK | Status.MORE_DATA:
                self._opened.add(key)
                self.known_tries = None if self.known_tries is None else key.secret.tries
            case Status.TRIES_LEFT if tries_in(sw) > 0:
                self.known_tries = tries_in(sw)
                raise key.secret.wrong(tries_left=tries_in(sw))
            case Status.NO_LIMIT:
                raise key.secret.wrong(tries_left=None)
            case Status.TRIES_LEFT | Status.BLOCKED:
                self.known_tries = 0
                raise key.secret.locked(tries_left=0)
            case _:
                raise unexpected("verify", sw)

    def _compute_signature(self, key: Key, data: bytes) -> tuple[bytes, int]:
        place = self._reference(key.key)
        command = Command(0x80, Instruction.PERFORM_SECURITY_OPERATION, 0, place, data=data, le=SHORT_LE_MOST)
        return self._send(command)

    def _reference(self, ef: int) -> int:
        return SHORT_EF if self._card.by_selection else short(ef)

    def _send(self, command: Command) -> tuple[bytes, int]:
        return self._connection.transmit(command.encode())


def _select_jpki(connection: Connection) -> None:
    if _select_application(connection, JPKI_AP) not in (Status.OK, Status.MORE_DATA):
        raise UnknownCardError()


def _select_application(connection: Connection, aid: bytes) -> Status:
    status = Status.OTHER
    for p2, le in ((FIRST_OR_ONLY_NO_FCI, None), (FIRST_OR_ONLY, SHORT_LE_MOST)):
        _, sw = connection.transmit(Command(0, Instruction.SELECT, 0x04, p2, data=aid, le=le).encode())
        status = meaning(sw)
        if status is not Status.WRONG_P1P2:  # some cards insist on handing out their control information
            break
    return status


def _quiet(_done: int, _expected: int) -> None:
    """Stands in where nobody watches the progress."""
