"""The program's side of the socket: a peer that says anything, to every call of ``CardClient``."""

import socket
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from appliance.card.ipc import ERRORS, CardClient, error_message, event_message
from appliance.card.key import Key, WrongPinError
from appliance.card.lines import encoded
from appliance.card.service import CardEvent, CardRead, CardState, Tally
from appliance.errors import MadoguchiError
from tests.fuzz.lines import SET, Message, stream
from tests.fuzz.tape import Tape

MOST_CALLS, MOST_EVENTS, BENT = 4, 50, 0x80
HUNG_S = 10.0
PLAIN = str | int | None
EVENT = CardEvent(CardState.PRESENT, "Table 00", 3, readers=("Table 00", "Table 01"))

READ_OUT = {"certificate": "MAA=", "kind": "card", "reader": "Table 00", "exchanges": 2, "bytes": 90, "ms": 12}
ANSWERS: tuple[tuple[Message, bytes], ...] = (
    ({"ok": event_message(EVENT)}, b""),
    ({"event": event_message(EVENT)}, b""),
    ({"alive": True}, b""),
    ({"progress": [1, 2]}, b""),
    ({"ok": READ_OUT}, b""),
    ({"ok": READ_OUT | {"certificate": None}}, b""),
    ({"ok": {"tries_left": 3}}, b""),
    ({"ok": {}}, b""),
    ({"ok": {"certificate": "MAA="}}, b""),
    ({"ok": {"signature": "AAAA"}}, b""),
    ({"ok": {"exchanges": 2, "bytes": 90, "card_ms": 12, "tries_left": None}}, b""),
    (error_message(WrongPinError(tries_left=2)), b""),
)
ERROR = len(ANSWERS) - 1


class Fed(CardClient):
    """Finds on every connection what the fuzzer wrote, and the other end closed behind it."""

    def __init__(self, stream: bytes) -> None:
        super().__init__(Path("/nowhere"))
        self._stream = stream
        self._peers: list[socket.socket] = []

    def _connected(self) -> socket.socket:
        ours, theirs = socket.socketpair()
        ours.settimeout(HUNG_S)
        theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        theirs.sendall(self._stream)
        theirs.shutdown(socket.SHUT_WR)
        self._peers.append(theirs)  # still open for what the client asks
        return ours

    def close(self) -> None:
        super().close()
        for peer in self._peers:
            peer.close()
        self._peers.clear()


def one(data: bytes) -> None:
    """A byte for the number of calls, one for each call, then what the peer says: as it is, or bent good answers."""
    tape = Tape(data)
    start = tape.byte()
    calls = [tape.byte() for _ in range(1 + start % MOST_CALLS)]
    with Fed(stream(tape, ANSWERS) if start & BENT else tape.rest()) as client:
        for call in calls:
            error = _error_of(CALLS[call % len(CALLS)], client)
            if error is not None:
                assert type(error) in ERRORS
                assert all(isinstance(value, PLAIN) for value in error.fields.values()), f"fields {error.fields}"
                assert str(error).startswith(error.code)


def seeds() -> Iterator[bytes]:
    for call, answers in TALKS:
        lines = b"".join(encoded(ANSWERS[at][0]) for at in answers)
        yield bytes([0, call]) + lines
        yield bytes([1, call, call]) + lines * 2
        yield bytes([BENT, call]) + bytes(number for at in answers for number in (at, 0))
        yield bytes([BENT, call, answers[-1], 1, SET, 0, 0])
    wrong = ANSWERS[ERROR][0]
    for call in range(len(CALLS)):
        yield bytes([0, call]) + encoded(wrong)
        yield bytes([BENT, call, ERROR, 0])


def words() -> tuple[bytes, ...]:
    """What stands in answers, and what JSON can say and answers do not."""
    names = (b"ok", b"error", b"event", b"alive", b"progress", b"code", b"fields", b"state", b"reader", b"insertion",
             b"certificate", b"signature", b"kind", b"exchanges", b"bytes", b"ms", b"card_ms", b"tries_left",
             b"card.wrong_pin", b"present", b"empty", b"self", b"reason")  # fmt: skip
    said = (b"null", b"true", b"NaN", b"Infinity", b"1e999", b"-1", b"1.5", b"[]", b"{}", b'""', b'"\\ud800"')
    return tuple(b'"%s":' % one for one in names) + said + (b"}\n", b'{"ok":{')


def _error_of(call: Callable[[CardClient], None], client: CardClient) -> MadoguchiError | None:
    try:
        call(client)
    except MadoguchiError as error:
        return error
    return None


def _status(client: CardClient) -> None:
    _check_event(client.status())


def _watch(client: CardClient) -> None:
    for event in islice(client.watch(), MOST_EVENTS):
        _check_event(event)


def _read(client: CardClient) -> None:
    told: list[tuple[int, int]] = []
    read = client.read(lambda done, expected: told.append((done, expected)))
    assert isinstance(read, CardRead)
    assert isinstance(read.certificate, bytes | None)
    assert isinstance(read.kind, str)
    assert isinstance(read.reader, str)
    assert all(isinstance(number, int) for number in (read.exchanges, read.bytes, read.ms)), f"numbers of {read}"
    assert all(isinstance(number, int) for pair in told for number in pair)


def _tries(client: CardClient) -> None:
    assert isinstance(client.tries_left(), int | None)


def _open(client: CardClient) -> None:
    secret = bytearray(b"4711")
    try:
        client.open(secret)
    finally:
        assert not any(secret)


def _certificate(client: CardClient) -> None:
    assert isinstance(client.certificate(Key.SIGNATURE), bytes)


def _sign(client: CardClient) -> None:
    assert isinstance(client.sign(bytes(32)), bytes)


def _tally(client: CardClient) -> None:
    tally = client.tally()
    assert isinstance(tally, Tally)
    assert all(isinstance(number, int) for number in (tally.exchanges, tally.bytes, tally.card_ms)), (
        f"numbers of {tally}"
    )
    assert isinstance(tally.tries_left, int | None)


def _leave(client: CardClient) -> None:
    client.leave()


def _check_event(event: CardEvent) -> None:
    assert event.state in CardState
    assert isinstance(event.reader, str)
    assert isinstance(event.insertion, int)
    assert isinstance(event.held, bool)
    assert all(isinstance(one, str) for one in event.readers)


CALLS: tuple[Callable[[CardClient], None], ...] = (
    _status, _watch, _read, _tries, _open, _certificate, _sign, _tally, _leave,
)  # fmt: skip
STATUS, WATCH, READ, TRIES, OPEN, CERTIFICATE, SIGN, TALLY, LEAVE = range(len(CALLS))
TALKS = (
    (STATUS, [0]), (WATCH, [1, 2, 1]), (READ, [3, 3, 4]), (READ, [5]), (TRIES, [6]), (OPEN, [7]), (OPEN, [ERROR]),
    (CERTIFICATE, [8]), (SIGN, [9]), (TALLY, [10]), (LEAVE, [7]),
)  # fmt: skip
