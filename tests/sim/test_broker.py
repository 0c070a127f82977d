"""The line between boxes and broker does what a test asks of it."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.sim.broker import Line, accepts, free_port

BRIEF_S = 0.3


@contextmanager
def echo() -> Iterator[int]:
    """A server that sends back what it gets; its port."""
    server = socket.create_server(("127.0.0.1", 0))

    def talk(client: socket.socket) -> None:
        with client:
            while piece := client.recv(1000):
                client.sendall(piece)

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            threading.Thread(target=talk, args=(client,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    yield int(server.getsockname()[1])
    server.shutdown(socket.SHUT_RDWR)
    server.close()


@pytest.fixture
def line() -> Iterator[Line]:
    with echo() as port, Line(port) as line:
        yield line


def connect(line: Line) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", line.port), 5)
    client.settimeout(5)
    return client


def says(client: socket.socket, text: bytes) -> bytes:
    client.sendall(text)
    return client.recv(1000)


def test_a_good_line_carries_both_ways(line: Line) -> None:
    with connect(line) as client:
        assert says(client, b"hello") == b"hello"
    assert line.is_up


def test_a_cut_line_ends_connections_and_takes_no_new_ones(line: Line) -> None:
    with connect(line) as client:
        says(client, b"hello")
        line.cut()
        assert client.recv(1000) == b""
    assert not accepts(line.port)
    line.restore()
    with connect(line) as client:
        assert says(client, b"again") == b"again"


@pytest.mark.parametrize("how", ["silence", "hold_outgoing"])
def test_a_silent_line_holds_everything_back_until_it_is_restored(line: Line, how: str) -> None:
    with connect(line) as client:
        says(client, b"hello")
        getattr(line, how)()
        client.settimeout(BRIEF_S)
        with pytest.raises(TimeoutError):
            says(client, b"late")
        line.restore()
        client.settimeout(5)
        assert client.recv(1000) == b"late"


def test_a_line_to_nobody_ends_at_once() -> None:
    with Line(free_port()) as line, connect(line) as client:
        assert client.recv(1000) == b""
