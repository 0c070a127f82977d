"""``cardd``'s side of the socket: a client that sends anything, to a desk with a card that may leave any time."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

from appliance.card.desk import Desk, DeskClient
from appliance.card.ipc import ERRORS, CrowdedError
from appliance.card.key import Key
from appliance.card.lines import MAX_LINE_BYTES, LineReader, RequestError, decoded, encoded
from appliance.card.server import FLOOD_REQUESTS, _Conversation
from tests.card.holders import SECRETS, pins_sent
from tests.card.table import READER, Table
from tests.fuzz.conversations import blank
from tests.fuzz.lines import Message
from tests.fuzz.lines import stream as lines_of
from tests.fuzz.tape import Tape
from tests.sim.card import faults

NO_CARD, LAST_TRY, LOCKED, NO_EXTENDED_LE, CHAINED_ANSWERS, BENT = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
REMOVED, SPOILT, SILENT = 1, 2, 3
CODES = frozenset(kind.code for kind in ERRORS)
# One answer holds a certificate in base64 at most, and is told ahead of in a few lines of progress.
MOST_ANSWER_BYTES = 8192
HUNG_S = 10.0
DIGEST = "00" * 48
REQUESTS: tuple[tuple[Message, bytes], ...] = (
    ({"op": "status"}, b""),
    ({"op": "read"}, b""),
    ({"op": "tries_left", "key": "signature"}, b""),
    ({"op": "open", "secret_bytes": 4, "key": "authentication", "last_try": False}, SECRETS[Key.AUTHENTICATION]),
    ({"op": "sign", "digest": DIGEST}, b""),
    ({"op": "tally"}, b""),
    ({"op": "open", "secret_bytes": 6, "key": "signature", "last_try": True}, SECRETS[Key.SIGNATURE]),
    ({"op": "certificate", "key": "signature"}, b""),
    ({"op": "sign", "digest": DIGEST, "key": "signature"}, b""),
    ({"op": "leave"}, b""),
)


class Remembering(DeskClient):
    """Keeps every secret that it was given, to see it wiped."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.secrets: list[bytearray] = []

    def open(self, secret: bytearray, key: Key = Key.AUTHENTICATION, last_try: bool = False) -> None:
        self.secrets.append(secret)
        super().open(secret, key, last_try)


class Ear(threading.Thread):
    """Takes what the server says until it closes."""

    def __init__(self, peer: socket.socket) -> None:
        super().__init__(daemon=True)
        self._peer = peer
        self.heard = bytearray()
        self.start()

    def run(self) -> None:
        with suppress(ConnectionResetError):  # cut off before all that was sent was read
            while part := self._peer.recv(65536):
                self.heard += part


def one(data: bytes) -> None:
    """A byte for the card's state, one for what goes wrong with it, one for the exchange where, then what is sent:
    as it is, or with ``BENT`` as ``lines.stream`` reads it."""
    tape = Tape(data)
    state = tape.byte()
    table = _table(state, tape.byte(), tape.byte())
    card, stream = table.card, lines_of(tape, REQUESTS) if state & BENT else tape.rest()
    desk = Desk(table)
    desk.status()
    # A reader whose abilities are known: with another one a card that left is waited for.
    desk._reader_traits(READER).extended_le = card is None or card.extended_le
    client = Remembering(desk)
    ours, theirs = socket.socketpair()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    theirs.settimeout(HUNG_S)
    with ours:
        ours.sendall(stream)
        ours.shutdown(socket.SHUT_WR)
        ear, lines = Ear(ours), LineReader(theirs)
        with theirs:
            with suppress(RequestError, CrowdedError):  # it is cut off
                _Conversation(desk, client, theirs, lines, threading.Event()).run()
            lines.wipe()
            client.leave()
        ear.join(HUNG_S)
        assert not ear.is_alive()
    _check(bytes(ear.heard), client, stream)
    assert not table.held
    if card is not None:
        assert not card.powered
        assert pins_sent(card) <= len(client.secrets)


def seeds() -> Iterator[bytes]:
    visit = b"".join(encoded(request) + raw for request, raw in REQUESTS)
    whole = bytes(number for at in range(len(REQUESTS)) for number in (at, 0))
    for state in (0, NO_CARD, LAST_TRY, LOCKED, NO_EXTENDED_LE, CHAINED_ANSWERS):
        yield bytes([state, 0, 0]) + visit
        yield bytes([state | BENT, 0, 0]) + whole
    for wrong in (REMOVED, SPOILT, SILENT):
        for at in range(1, 8):
            yield bytes([BENT, wrong, at]) + whole
    half = b'{"op":"open","secret_bytes":4}\n12'
    watch, flood = b'{"op":"watch"}\n', b'{"op":"tally"}\n' * 120
    for line in (
        half,
        b"[]\n",
        b"{}\n",
        b"[" * 600 + b"\n",
        watch,
        watch * 2,
        b"\xff\n",
        flood,
        b"x" * (MAX_LINE_BYTES + 20),
    ):
        yield bytes(3) + line


def words() -> tuple[bytes, ...]:
    """What stands in requests."""
    ops = (b"read", b"tries_left", b"open", b"certificate", b"sign", b"tally", b"leave", b"status", b"watch")
    names = (b"op", b"key", b"digest", b"secret_bytes", b"last_try", b"signature", b"authentication")
    said = (b'{"op":', b"true", b"null", b"1e999", b"[]", b"}\n")
    return (*(b'"%s"' % one for one in (*ops, *names)), *said)


def _table(state: int, wrong: int, where: int) -> Table:
    table, card = Table(), blank(4).make_card()
    if state & NO_CARD:
        return table
    card.pin_tries = 1 if state & LAST_TRY else 3
    card.pin_locked = bool(state & LOCKED)
    card.extended_le = not state & NO_EXTENDED_LE
    card.style_61xx = bool(state & CHAINED_ANSWERS)
    table.put(card)
    at = 1 + where % 32
    if wrong % 4 == REMOVED:
        card.removed_at = at
    elif wrong % 4 == SPOILT:
        card.faults[at] = faults.random_bytes(where)
    elif wrong % 4 == SILENT:
        card.faults[at] = faults.silent()
    return table


def _check(heard: bytes, client: Remembering, stream: bytes) -> None:
    assert len(heard) <= (FLOOD_REQUESTS + 1) * MOST_ANSWER_BYTES
    assert not any(any(secret) for secret in client.secrets), "a secret was not wiped"
    answers = 0
    for line in heard.splitlines():
        message = decoded(line)
        assert len(message) == 1
        (what,) = message
        assert what in {"ok", "error", "progress", "event", "alive"}
        if what == "error":
            assert message["error"]["code"] in CODES
        answers += what in {"ok", "error"}
    assert answers <= min(FLOOD_REQUESTS, stream.count(b"\n"))
