"""``CardServer`` with real sockets: clients that behave, and clients that do not."""

import hashlib
import os
import resource
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.card import server as server_module
from appliance.card.connection import CardAbsentError, CardRemovedError
from appliance.card.desk import Desk
from appliance.card.guests import MAX_OF_A_PROCESS, Peers
from appliance.card.ipc import CardClient, CarddAbsentError, PeerError
from appliance.card.key import LastTryError, WrongPinError
from appliance.card.lines import decoded
from appliance.card.readers import CardBusyError
from appliance.card.server import CardServer
from appliance.card.service import CardEvent, CardState
from appliance.errors import Field
from tests.card.table import READER, Table, quietly, signed
from tests.card.test_desk import Log, eventually
from tests.sim.card.card import VirtualCard
from tests.sim.fixtures import MakeCard

DIGEST = hashlib.sha256(b"statement").digest()
OURSELVES = Peers(frozenset({os.geteuid()}))


class Counter:
    """A running server with its table."""

    def __init__(self, path: Path, peers: Peers = OURSELVES) -> None:
        self.table = Table()
        self.log = Log()
        self.path = path
        self.desk = Desk(self.table, self.log)
        self.desk.start()
        self.ticks = 0
        self._clients: list[CardClient] = []
        self.server = CardServer(self.desk, path, peers, self.log)
        self._thread = threading.Thread(target=self.server.serve, args=(self._tick,))
        self._thread.start()

    def _tick(self) -> None:
        self.ticks += 1

    def stop(self) -> None:
        self.server.stop()
        self._thread.join(5)
        assert not self._thread.is_alive()
        self.server.close()
        self.desk.close()
        for client in self._clients:
            client.close()

    def client(self) -> CardClient:
        self._clients.append(CardClient(self.path, answer_s=5))
        return self._clients[-1]

    @property
    def refusals(self) -> list[tuple[str, Field]]:
        """Names of events with their reason."""
        return [(name, fields.get("reason")) for name, fields in self.log.events]

    def connect(self) -> socket.socket:
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        peer.settimeout(5)
        peer.connect(str(self.path))
        return peer

    def answers(self, sent: bytes) -> list[dict[str, object]]:
        """All that comes back for these bytes until the server, or then the test, closes."""
        with self.connect() as peer:
            try:
                peer.sendall(sent)
                peer.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # cut off before all was said
            heard = b""
            try:
                while part := peer.recv(65536):
                    heard += part
            except ConnectionResetError:
                pass
        return [decoded(line) for line in heard.splitlines()]


@contextmanager
def opened(peers: Peers = OURSELVES) -> Iterator[Counter]:
    with tempfile.TemporaryDirectory(prefix="card-") as name:
        one = Counter(Path(name) / "card.sock", peers)
        try:
            yield one
        finally:
            one.stop()


@pytest.fixture(autouse=True)
def _no_penalty(monkeypatch: pytest.MonkeyPatch) -> None:
    """All clients here are of one process, which must not pay for what a test before did."""
    monkeypatch.setattr(server_module, "PENALTY_S", 0.0)


@pytest.fixture
def counter() -> Iterator[Counter]:
    with opened() as one:
        yield one


@pytest.fixture
def card(make_card: MakeCard) -> VirtualCard:
    return make_card()


def code_of(message: dict[str, object]) -> object:
    error = message["error"]
    assert isinstance(error, dict)
    return error["code"]


def test_a_visit_through_the_socket(counter: Counter, card: VirtualCard) -> None:
    counter.table.put(card)
    told: list[tuple[int, int]] = []
    with counter.client() as client:
        read = client.read(lambda done, of: told.append((done, of)))
        assert (read.kind, read.reader, read.exchanges, len(read.certificate or b"")) == ("card", READER, 2, 1453)
        assert told == [(1, 2), (2, 2)]
        assert client.tries_left() == 3
        with pytest.raises(WrongPinError) as caught:
            signed(client, bytearray(b"9999"), DIGEST)
        assert caught.value.fields == {"tries_left": 2}
        pin = bytearray(b"1234")
        assert len(signed(client, pin, DIGEST)) == 256
        assert pin == bytes(4)
        assert client.tally().tries_left == 3
        client.leave()
    assert not card.powered


def test_the_last_try_needs_its_yes(counter: Counter, card: VirtualCard) -> None:
    card.pin_tries = 1
    counter.table.put(card)
    with counter.client() as client:
        client.read()
        with pytest.raises(LastTryError):
            signed(client, bytearray(b"1234"), DIGEST)
        assert len(signed(client, bytearray(b"1234"), DIGEST, last_try=True)) == 256


def test_watching_through_the_socket(counter: Counter, card: VirtualCard) -> None:
    watching = counter.client().watch()
    assert next(watching) == CardEvent(CardState.EMPTY, READER, 0, readers=(READER,))
    counter.table.put(card)
    assert next(watching) == CardEvent(CardState.PRESENT, READER, 1, readers=(READER,))
    counter.table.take()
    assert next(watching) == CardEvent(CardState.EMPTY, READER, 1, readers=(READER,))
    assert counter.client().status().state is CardState.EMPTY


def test_a_heartbeat_keeps_a_quiet_watch_alive(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "HEARTBEAT_S", 0.05)
    with counter.connect() as peer:
        peer.sendall(b'{"op":"watch"}\n')
        heard = b""
        while b"alive" not in heard:
            heard += peer.recv(4096)
    assert decoded(heard.splitlines()[1]) == {"alive": True}


def test_a_client_that_dies_gives_the_card_back(counter: Counter, card: VirtualCard) -> None:
    counter.table.put(card)
    dying, next_one = counter.client(), counter.client()
    dying.read()
    with pytest.raises(CardBusyError):
        next_one.read()
    signed(dying, bytearray(b"1234"), DIGEST)
    assert card.verified
    dying.close()
    eventually(lambda: not card.powered)
    assert card.verified == frozenset()
    assert next_one.read().exchanges == 2
    next_one.close()


def test_a_client_that_dies_while_the_card_is_read(counter: Counter, card: VirtualCard) -> None:
    card.delay_ms = {0xB0: 50.0}
    card.extended_le = False
    counter.table.put(card)
    with counter.connect() as peer:
        peer.sendall(b'{"op":"read"}\n')
        peer.recv(10)
    eventually(lambda: not card.powered and not counter.table.held)
    with counter.client() as client:
        assert client.read().exchanges == 7


def test_a_card_pulled_between_read_and_pin(counter: Counter, card: VirtualCard) -> None:
    counter.table.put(card)
    with counter.client() as client:
        client.read()
        counter.table.take()
        with pytest.raises(CardRemovedError):
            signed(client, bytearray(b"1234"), DIGEST)


@pytest.mark.parametrize(
    ("sent", "reason"),
    [
        (b"hello\n", "not JSON"),
        (b"[]\n", "not an object"),
        (b"{}\n", "unknown op"),
        (b'{"op":["read"]}\n', "unknown op"),
        (b'{"op":"fly"}\n', "unknown op"),
        (b"x" * 5000, "line too long"),
        (b"[" * 4000 + b"\n", "not JSON"),
        (b'{"op":"open"}\n', "secret_bytes"),
        (b'{"op":"open","secret_bytes":true}\n', "secret_bytes"),
        (b'{"op":"open","secret_bytes":17}\n', "secret_bytes"),
        (b'{"op":"open","secret_bytes":4,"last_try":1}\n1234', "last_try"),
        (b'{"op":"open","secret_bytes":4,"key":"master"}\n1234', "key"),
        (b'{"op":"open","secret_bytes":4}\n12', "closed before the secret"),
        (b'{"op":"sign"}\n', "digest"),
        (b'{"op":"sign","digest":"00"}\n', "digest"),
        (b'{"op":"sign","digest":"zz"}\n', "digest"),
        (b'{"op":"sign","digest":"' + b"00" * 32 + b'","key":0}\n', "key"),
        (b'{"op":"certificate","key":["signature"]}\n', "key"),
        (b'{"op":"watch"}\n{"op":"read"}\n', "a watching client has nothing to say"),
    ],
)
def test_a_line_that_is_no_request_is_answered_and_cut_off(counter: Counter, sent: bytes, reason: str) -> None:
    last = counter.answers(sent)[-1]
    assert last == {"error": {"code": "cardd.request", "fields": {"reason": reason}}}
    assert counter.client().status().state is CardState.EMPTY


def test_a_flood_is_cut_off(counter: Counter) -> None:
    answers = counter.answers(b'{"op":"tally"}\n' * 500)
    assert len(answers) == server_module.FLOOD_REQUESTS + 1
    assert code_of(answers[-1]) == "cardd.crowded"
    assert counter.client().status().state is CardState.EMPTY


def test_a_crowd_is_turned_away_and_the_first_ones_stay(counter: Counter, card: VirtualCard) -> None:
    counter.table.put(card)
    with counter.client() as client:
        client.read()
        crowd = [counter.connect() for _ in range(MAX_OF_A_PROCESS + 5)]
        refused = decoded(crowd[-1].recv(4096).splitlines()[0])
        assert code_of(refused) == "cardd.crowded"
        assert len(signed(client, bytearray(b"1234"), DIGEST)) == 256
        for one in crowd:
            one.close()
    eventually(lambda: not counter.server._guests.sockets)
    assert counter.client().status().state is CardState.PRESENT


def test_a_request_that_never_ends_is_given_up(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "LINE_S", 0.05)
    with counter.connect() as peer:
        peer.sendall(b'{"op":')
        assert peer.recv(100) == b""
    assert "client.lost" in counter.log.names


def test_a_request_in_small_parts_is_given_up(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "LINE_S", 0.2)
    before = time.monotonic()
    with counter.connect() as peer:

        def drip() -> None:
            while time.monotonic() - before < 5:
                peer.sendall(b"[")
                time.sleep(0.01)

        with pytest.raises(ConnectionError):
            drip()
    assert time.monotonic() - before < 2


def test_who_connects_and_says_nothing_is_let_go(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "LINE_S", 0.05)
    with counter.connect() as peer:
        assert peer.recv(100) == b""


def test_who_said_something_may_be_silent_for_long(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "LINE_S", 0.05)
    with counter.client() as client:
        client.status()
        time.sleep(0.3)
        assert client.tally().exchanges == 0  # over the same connection: this call makes no new one on its own


def test_who_was_cut_off_keeps_its_place_for_a_while(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server_module, "PENALTY_S", 0.3)
    for _ in range(MAX_OF_A_PROCESS):
        assert code_of(counter.answers(b"nonsense\n")[-1]) == "cardd.request"
    assert code_of(counter.answers(b'{"op":"status"}\n')[-1]) == "cardd.crowded"
    eventually(lambda: not counter.server._guests.sockets)
    assert counter.client().status().state is CardState.EMPTY


def test_where_no_file_can_be_opened_the_clients_there_are_go_on(
    counter: Counter, card: VirtualCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    counter.table.put(card)
    with counter.client() as client:
        client.read()
        monkeypatch.setattr(server_module, "AGAIN_S", 0.01)
        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with peer:
            resource.setrlimit(resource.RLIMIT_NOFILE, (peer.fileno() + 1, hard))
            try:
                peer.connect(str(counter.path))
                eventually(lambda: ("client.refused", "OSError") in counter.refusals)
                assert len(signed(client, bytearray(b"1234"), DIGEST)) == 256
            finally:
                resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
            peer.settimeout(5)
            peer.sendall(b'{"op":"status"}\n')
            assert b'"ok"' in peer.recv(4096)


def test_a_flood_is_not_written_to_the_log_line_by_line(counter: Counter) -> None:
    for _ in range(20):
        counter.answers(b"nonsense\n")
    assert counter.log.names.count("client.cut_off") == 1


def test_strangers_are_refused(card: VirtualCard) -> None:
    with opened(Peers(frozenset({os.geteuid() + 1}))) as counter:
        counter.table.put(card)
        with counter.client() as client, pytest.raises(PeerError):
            client.read()
        assert ("client.refused", {"code": "cardd.peer"}) in counter.log.events
    assert card.exchanges == []


def test_members_of_the_group_are_let_in() -> None:
    for gid in {os.getegid(), *os.getgroups()}:
        with opened(Peers(frozenset(), frozenset({gid}))) as counter, pytest.raises(CardAbsentError):
            counter.client().read()


def test_a_socket_left_behind_is_replaced_and_ours_is_taken_away() -> None:
    with tempfile.TemporaryDirectory(prefix="card-") as name:
        path = Path(name) / "card.sock"
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as dead:
            dead.bind(str(path))
        counter = Counter(path)
        assert path.stat().st_mode & 0o777 == server_module.SOCKET_MODE
        with counter.client() as client:
            assert client.status().state is CardState.EMPTY
        counter.stop()
        counter.server.stop()  # a late signal
        assert not path.exists()


def test_stopping_cuts_everybody_off_and_leaves_the_card(card: VirtualCard) -> None:
    with opened() as counter:
        counter.table.put(card)
        client, watching = counter.client(), counter.client().watch()
        next(watching)
        client.read()
        signed(client, bytearray(b"1234"), DIGEST)
        before = time.monotonic()
    assert time.monotonic() - before < 3
    assert not card.powered
    with pytest.raises(CarddAbsentError):
        client.tries_left()
    with pytest.raises(CarddAbsentError):
        list(watching)


def test_it_ticks_for_the_watchdog(counter: Counter) -> None:
    eventually(lambda: counter.ticks >= 2)


@pytest.fixture(scope="module")
def shared() -> Iterator[Counter]:
    with opened() as one:
        yield one


PARTS = st.one_of(st.binary(max_size=120), st.sampled_from([b'{"op":"open","secret_bytes":4}\n', b"\n"]))


@quietly
@given(st.lists(PARTS, max_size=6))
def test_whatever_a_client_sends_the_next_one_is_served(shared: Counter, parts: list[bytes]) -> None:
    for message in shared.answers(b"".join(parts)):
        assert "ok" in message or code_of(message) in {"cardd.request", "card.absent"}
    with shared.client() as client:
        assert client.status().state is CardState.EMPTY
