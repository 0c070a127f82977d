"""``CardServer`` with real sockets: clients that behave, and clients that do not."""

import os
import socket
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.card import server as server_module
from appliance.card.connection import CardAbsentError, CardRemovedError
from appliance.card.guests import Peers
from appliance.card.ipc import CarddAbsentError, PeerError
from appliance.card.key import LastTryError, WrongPinError
from appliance.card.lines import decoded
from appliance.card.readers import CardBusyError
from appliance.card.service import CardEvent, CardState
from tests.card.counter import DIGEST, Counter, opened
from tests.card.table import READER, signed
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
