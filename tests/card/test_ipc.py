"""The socket protocol: lines, raw bytes, and errors that come out on the other side as they went in."""

import json
import socket
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.card.ipc import (
    ERRORS,
    CardClient,
    CarddAbsentError,
    PeerError,
    error_message,
    event_message,
)
from appliance.card.key import PinFormError, WrongPinError
from appliance.card.lines import MAX_LINE_BYTES, encoded
from appliance.card.service import CardEvent, CardState
from appliance.errors import MadoguchiError
from tests.card.table import signed


@pytest.fixture
def folder() -> Iterator[Path]:
    """Short enough for the name of a Unix socket."""
    with tempfile.TemporaryDirectory(prefix="card-") as name:
        yield Path(name)


def event_line(**changes: object) -> bytes:
    """An answer to ``status``, with something else in it than there should be."""
    event = CardEvent(CardState.PRESENT, "Alpha Reader", 1, held=True, readers=("Alpha Reader", "Beta Reader"))
    return encoded({"ok": event_message(event) | changes})


class Answering:
    """A ``cardd`` that says to each connection what a test wrote down, once it was asked something."""

    def __init__(self, path: Path, *answers: bytes) -> None:
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        self._listener.listen()
        self._answers = answers
        self.heard = b""
        self.hung_up = threading.Semaphore(0)
        self._thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        for answer in self._answers:
            peer, _ = self._listener.accept()
            with peer:
                self.heard += peer.recv(MAX_LINE_BYTES)
                peer.sendall(answer)
            self.hung_up.release()

    def __enter__(self) -> "Answering":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._thread.join(5)
        self._listener.close()


@pytest.mark.parametrize("kind", ERRORS)
def test_every_error_of_the_card_side_crosses_the_socket(kind: type[MadoguchiError], folder: Path) -> None:
    error = kind(tries_left=2, reason="はい")
    with Answering(folder / "s", encoded(error_message(error))), CardClient(folder / "s") as client:
        with pytest.raises(kind) as caught:
            client.tries_left()
        assert caught.value.fields == error.fields


def test_all_error_codes_differ() -> None:
    assert len({kind.code for kind in ERRORS}) == len(ERRORS)


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{}\n",
        b"nonsense\n",
        b'{"ok":3}\n',
        b'{"error":"card.wrong_pin"}\n',
        b'{"error":{"code":"card.invented","fields":{}}}\n',
        b'{"progress":"x"}\n',
        b'{"ok":{}}\n',
        b'{"ok":{"certificate":"!","kind":"card","reader":"","exchanges":1,"bytes":1,"ms":1}}\n',
        b'{"ok":{"certificate":null,"kind":"card","reader":"","exchanges":"1","bytes":1,"ms":1}}\n',
        b'{"ok":{"certificate":7,"kind":"card","reader":"","exchanges":1,"bytes":1,"ms":1}}\n',
        b'{"error":{"code":"card.wrong_pin","fields":{"tries_left":[2]}}}\n',
    ],
)
def test_an_answer_that_makes_no_sense_is_no_cardd(answer: bytes, folder: Path) -> None:
    with Answering(folder / "s", answer), CardClient(folder / "s") as client, pytest.raises(CarddAbsentError):
        client.read()


def test_nobody_at_the_socket(folder: Path) -> None:
    client = CardClient(folder / "none")
    pin = bytearray(b"1234")
    for call in (client.status, client.read, client.tries_left, client.tally, lambda: next(client.watch())):
        with pytest.raises(CarddAbsentError):
            call()
    with pytest.raises(CarddAbsentError):
        signed(client, pin, bytes(32))
    assert pin == bytes(4)
    client.leave()


def test_silence_is_noticed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("appliance.card.ipc.PEER_DEAD_S", 0.05)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(folder / "s"))
        listener.listen()
        with pytest.raises(CarddAbsentError):
            next(CardClient(folder / "s").watch())
        with pytest.raises(CarddAbsentError):
            CardClient(folder / "s", answer_s=0.05).read()


def test_the_next_call_connects_anew(folder: Path) -> None:
    ok = encoded({"ok": {"tries_left": 3}})
    with Answering(folder / "s", b"", ok), CardClient(folder / "s") as client:
        with pytest.raises(CarddAbsentError):
            client.tries_left()
        assert client.tries_left() == 3


@pytest.mark.parametrize(
    ("answer", "ask"),
    [
        (event_line(insertion=1e999), CardClient.status),
        (event_line(state=["present"]), CardClient.status),
        (event_line(held="no"), CardClient.status),
        (event_line(readers="Alpha Reader"), CardClient.status),
        (event_line(readers=["Alpha Reader", 1]), CardClient.status),
        (b'{"ok":{"exchanges":1,"bytes":1,"card_ms":null,"tries_left":3}}\n', CardClient.tally),
    ],
)
def test_what_is_of_another_kind_than_it_should_be_makes_no_sense(
    answer: bytes, ask: Callable[[CardClient], object], folder: Path
) -> None:
    with Answering(folder / "s", answer), CardClient(folder / "s") as client, pytest.raises(CarddAbsentError):
        ask(client)


def test_an_event_arrives_as_it_was_sent(folder: Path) -> None:
    with Answering(folder / "s", event_line()), CardClient(folder / "s") as client:
        assert client.status() == CardEvent(CardState.PRESENT, "Alpha Reader", 1, True, ("Alpha Reader", "Beta Reader"))


def test_a_cardd_that_was_started_anew_since_is_asked_as_if_nothing_had_been(folder: Path) -> None:
    read = encoded({"ok": {"certificate": None, "kind": "card", "reader": "A", "exchanges": 2, "bytes": 9, "ms": 1}})
    with Answering(folder / "s", event_line(), read, event_line()) as cardd, CardClient(folder / "s") as client:
        client.status()
        assert cardd.hung_up.acquire(timeout=5)
        assert client.read().exchanges == 2
        assert cardd.hung_up.acquire(timeout=5)
        assert client.status().insertion == 1


def test_what_belongs_to_a_session_is_not_asked_of_another_cardd(folder: Path) -> None:
    with Answering(folder / "s", event_line(), event_line()) as cardd, CardClient(folder / "s") as client:
        client.status()
        assert cardd.hung_up.acquire(timeout=5)
        pin = bytearray(b"1234")
        with pytest.raises(CarddAbsentError):
            client.open(pin)
        assert pin == bytes(4)
        client.status()


def test_an_answer_that_nobody_waited_for_is_not_taken_for_the_next_one(folder: Path) -> None:
    first = encoded({"progress": [1, 2]}) + encoded({"ok": {"tries_left": 1}})

    def gone(_done: int, _expected: int) -> None:
        raise KeyError("the page that watched")

    with Answering(folder / "s", first, encoded({"ok": {"tries_left": 3}})), CardClient(folder / "s") as client:
        with pytest.raises(KeyError):
            client.read(gone)
        assert client.tries_left() == 3


def test_the_pin_travels_outside_the_json(folder: Path) -> None:
    error = encoded(error_message(WrongPinError(tries_left=2)))
    pin = bytearray(b"4711")
    with Answering(folder / "s", error) as cardd, CardClient(folder / "s") as client, pytest.raises(WrongPinError):
        signed(client, pin, bytes(32), last_try=True)
    line, _, raw = cardd.heard.partition(b"\n")
    assert json.loads(line) == {"op": "open", "key": "authentication", "last_try": True, "secret_bytes": 4}
    assert raw in (b"4711", b"")  # the raw bytes follow in a segment of their own
    assert pin == bytes(4)


def test_what_is_no_pin_does_not_travel(folder: Path) -> None:
    pin = bytearray(b"47111")
    with pytest.raises(PinFormError):
        signed(CardClient(folder / "none"), pin, bytes(32))
    assert pin == bytes(5)


@pytest.mark.parametrize("ask", [lambda client: client.read(), lambda client: next(client.watch())])
def test_who_is_cut_off_at_once_still_hears_why(folder: Path, ask: Callable[[CardClient], object]) -> None:
    path = folder / "s"
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(path))
        door.listen()
        client = CardClient(path)
        connected = client._connected

        def refused() -> socket.socket:
            own = connected()
            peer, _ = door.accept()
            peer.sendall(encoded(error_message(PeerError())))
            peer.close()
            return own

        client._connected = refused  # type: ignore[method-assign]  # the moment between connecting and asking
        with pytest.raises(PeerError):
            ask(client)
        client.close()
