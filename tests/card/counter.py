"""A running server of cards with its table, for the tests of both its sides."""

import hashlib
import os
import socket
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from appliance.card.desk import Desk
from appliance.card.guests import Peers
from appliance.card.ipc import CardClient
from appliance.card.lines import decoded
from appliance.card.server import CardServer
from appliance.errors import Field
from tests.card.table import Table
from tests.card.test_desk import Log

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


def code_of(message: dict[str, object]) -> object:
    error = message["error"]
    assert isinstance(error, dict)
    return error["code"]
