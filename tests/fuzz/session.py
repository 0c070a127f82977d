"""A whole conversation with a card whose every answer is the fuzzer's, through all wrappers of the connection.

A tape says what the session starts with, which calls follow, and what the card answers; see ``one`` and ``Adversary``.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress

from appliance.card.apdu import Instruction, Status, body_of, meaning, tries_in
from appliance.card.connection import (
    ALLOWED_AIDS,
    ALLOWED_COMMANDS,
    MOST_EXCHANGES,
    CardMuteError,
    CardProtocolError,
    CardRemovedError,
    Meter,
    ReaderAbsentError,
    ReaderServiceError,
    conversation,
)
from appliance.card.files import CardTraits, ReaderTraits
from appliance.card.jpki import JpkiSession
from appliance.card.key import Key
from appliance.card.tlv import der_length
from appliance.card.token import Kind
from appliance.errors import MadoguchiError
from tests.fuzz.conversations import cards, visits
from tests.fuzz.der import sequence
from tests.fuzz.tape import Tape

NO_EXTENDED_LE, BY_SELECTION, TRACED, ROUND_AND_ROUND = 0x01, 0x02, 0x04, 0xE0
OTHER_KEY, LAST_TRY, NO_FORM = 0x10, 0x20, 0x40
MOST_CALLS = 8
FAILURE = 0xF0
FAILURES = (CardRemovedError, CardMuteError, CardProtocolError, ReaderAbsentError, ReaderServiceError)
WORDS = (0x9000, 0x6100, 0x6110, 0x6C10, 0x6282, 0x6300, 0x63C0, 0x63C1, 0x63C3, 0x6700, 0x6982, 0x6983, 0x6984,
         0x6A80, 0x6A82, 0x6A86, 0x6A88, 0x6B00, 0x6D00, 0x6F00)  # fmt: skip
ANY_WORD = 0x1F
LIKE_A_CERTIFICATE = sequence(bytes(1449))
NONE, SHORT_DATA, LONG_DATA, WHOLE, HEAD, MIDDLE, FILLER = range(7)
SECRETS = {Key.AUTHENTICATION: b"4711", Key.SIGNATURE: b"XKCD936"}
# SELECT alone passes when a conversation is over: the issuer security domain for leaving, in two forms, each asked
# for anew with the Le that the card named.
PARTING = 4


class Adversary:
    """The raw connection. One answer is a byte (its low bits the status word, its high ones the form of its data), the
    status word for ``ANY_WORD``, and the data with its length before it; from ``FAILURE`` on it is an error instead.

    At the end of the tape the card is gone, or it begins anew. Checks everything that reaches it.
    """

    def __init__(self, answers: Tape, again: bool) -> None:
        self._answers, self._again, self._beginning = answers, again and not answers.ended, answers.copy()
        self.exchanges = 0
        self.pins: list[bytes | bytearray] = []
        self.counter: int | None = None
        """What this card answered when it was last asked for its tries; None for nothing."""
        self.last_try = False

    def transmit(self, command: bytes | bytearray) -> tuple[bytes, int]:
        self.exchanges += 1
        self._check(command)
        data, sw = self._answer()
        if command[1] == Instruction.VERIFY and len(command) == 4:
            self.counter = sw
        return data, sw

    def opening(self, last_try: bool) -> None:
        """What follows belongs to one ``open``."""
        self.pins, self.counter, self.last_try = [], None, last_try

    def _check(self, command: bytes | bytearray) -> None:
        assert (command[0], command[1]) in ALLOWED_COMMANDS
        body = body_of(command)
        if command[1] == Instruction.SELECT:
            by_aid = command[2] == 0x04 and body in ALLOWED_AIDS
            assert by_aid or (command[2] == 0x02 and len(body) == 2), "a SELECT that may not leave the box"
        if command[1] == Instruction.VERIFY and body:
            assert not self.pins, "a secret was sent twice"
            assert self.counter is not None, "a secret was sent before the counter was known"
            assert _may_be_tried(self.counter, self.last_try), f"a secret was sent at {self.counter:04X}"
            self.pins.append(command)

    def _answer(self) -> tuple[bytes, int]:
        if self._answers.ended:
            if not self._again:
                raise CardRemovedError()
            self._answers = self._beginning.copy()
        said = self._answers.byte()
        if said >= FAILURE:
            raise FAILURES[said % len(FAILURES)]()
        at, form = said & 0x1F, said >> 5
        sw = self._answers.word() if at == ANY_WORD else WORDS[at % len(WORDS)]
        return self._data(form), sw

    def _data(self, form: int) -> bytes:
        match form:
            case 1:
                return self._answers.take(self._answers.byte())
            case 2:
                return self._answers.take(self._answers.word())
            case 3:
                return LIKE_A_CERTIFICATE
            case 4:
                return LIKE_A_CERTIFICATE[:256]
            case 5:
                return LIKE_A_CERTIFICATE[256:512]
            case 6:
                return b"\xff" * 300
            case _:
                return b""


def one(data: bytes) -> None:
    """A byte for how the session starts, one for the number of calls, one for each call, then the card's answers."""
    tape = Tape(data)
    start = tape.byte()
    calls = [tape.byte() for _ in range(1 + tape.byte() % MOST_CALLS)]
    again = start & ROUND_AND_ROUND == ROUND_AND_ROUND
    card, meter = Adversary(tape.copy(), again), Meter()
    reader = ReaderTraits(extended_le=False if start & NO_EXTENDED_LE else None)
    traits = CardTraits(by_selection=bool(start & BY_SELECTION))
    trace: list[str] = []
    session = JpkiSession(conversation(card, meter, trace.append if start & TRACED else None), reader, traits)
    for call in calls:
        key = Key.SIGNATURE if call & OTHER_KEY else Key.AUTHENTICATION
        with suppress(MadoguchiError):  # this family and, but for a caller's mistake, nothing else
            CALLS[(call & 0x0F) % len(CALLS)](session, card, key, call)
        assert card.exchanges <= MOST_EXCHANGES + 2 * PARTING * len(calls), f"{card.exchanges} exchanges"
    assert meter.exchanges == card.exchanges
    assert len(trace) == (card.exchanges if start & TRACED else 0)
    assert not any(secret.hex().upper() in line for secret in SECRETS.values() for line in trace), "a secret in a trace"


def seeds() -> Iterator[bytes]:
    """Real conversations with virtual cards of both generations and every habit, and short ones made by hand."""
    for generation, card in cards():
        for key, certificate_first, answers in visits(generation, card):
            calls = [READ, OPEN, SIGN, LEAVE] if certificate_first else [OPEN, READ, SIGN, LEAVE]
            said = [call | (OTHER_KEY if key is Key.SIGNATURE else 0) for call in calls]
            tape = b"".join(written(data, sw) for data, sw in answers)
            yield bytes([NO_EXTENDED_LE if len(answers) > 7 else TRACED, len(said) - 1, *said]) + tape
    for call in range(len(CALLS)):
        for answer in (0x00, 0x01, 0x02, 0x03, 0x14, 0x60, 0x80, FAILURE, FAILURE + 1):
            yield bytes([ROUND_AND_ROUND, 1, call, call | OTHER_KEY, answer])


def written(data: bytes, sw: int) -> bytes:
    """One answer as it stands on a tape."""
    return (
        bytes([ANY_WORD | (LONG_DATA if data else NONE) << 5])
        + sw.to_bytes(2, "big")
        + (len(data).to_bytes(2, "big") + data if data else b"")
    )


def _read(session: JpkiSession, card: Adversary, key: Key, call: int) -> None:
    told: list[tuple[int, int]] = []
    certificate = session.read_certificate(key, lambda done, expected: told.append((done, expected)))
    assert der_length(certificate) == len(certificate)
    assert [done for done, _ in told] == list(range(1, len(told) + 1))
    assert all(done <= expected for done, expected in told)


def _kind(session: JpkiSession, card: Adversary, key: Key, call: int) -> None:
    assert session.kind() in Kind


def _available(session: JpkiSession, card: Adversary, key: Key, call: int) -> None:
    assert session.available() <= set(Key)


def _tries(session: JpkiSession, card: Adversary, key: Key, call: int) -> None:
    card.opening(last_try=False)
    tries = session.tries_left(key)
    assert tries is None or 0 <= tries <= 15
    assert card.pins == []


def _open(session: JpkiSession, card: Adversary, key: Key, call: int) -> None:
    last_try = bool(call & LAST_TRY)
    secret = bytearray(b"4711 and more than fits" if call & NO_FORM else SECRETS[key])
    card.opening(last_try)
    try:
        session.open(secret, key, last_try)
        assert len(card.pins) == 1
    finally:
        assert len(card.pins) <= (0 if call & NO_FORM else 1)
        assert not any(secret), "the secret was not wiped"
        assert not any(any(buffer) for buffer in card.pins), "the command with the secret was not wiped"


def _sign(session: JpkiSession, card: Adversary, key: Key, call: int) -> None:
    asked = card.exchanges
    length = (32, 48, 64, 20)[call >> 5 & 3]
    try:
        assert session.sign(bytes(length), key)
    except ValueError:
        assert length == 20
        assert card.exchanges == asked


def _leave(session: JpkiSession, card: Adversary, key: Key, call: int) -> None:
    assert session.leave() in (True, False)  # and never an error


CALLS: tuple[Callable[[JpkiSession, Adversary, Key, int], None], ...] = (
    _read, _kind, _available, _tries, _open, _sign, _leave,
)  # fmt: skip
READ, KIND, AVAILABLE, TRIES, OPEN, SIGN, LEAVE = range(len(CALLS))


def _may_be_tried(counter: int, last_try: bool) -> bool:
    if meaning(counter) is Status.TRIES_LEFT:
        return tries_in(counter) > (0 if last_try else 1)
    return meaning(counter) in (Status.NO_LIMIT, Status.OK)
