"""A server of cards among clients that say nonsense, too much, or nothing: whoever means well is served."""

import resource
import socket
import time
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.card import server as server_module
from appliance.card.guests import MAX_OF_A_PROCESS
from appliance.card.lines import decoded
from appliance.card.service import CardState
from tests.card.counter import DIGEST, Counter, code_of, opened
from tests.card.table import quietly, signed
from tests.card.test_desk import eventually
from tests.sim.card.card import VirtualCard
from tests.sim.fixtures import MakeCard


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
