"""A real Mosquitto with the shipped configuration, and a line to it that can be cut.

Only paths and the port differ from ``firmware-config/mosquitto``. Everything listens on loopback.
"""

import contextlib
import os
import random
import shutil
import socket
import subprocess
import threading
import time
from pathlib import Path
from types import TracebackType

from tests.sim.server import Server

SHIPPED = Path(__file__).parents[2] / "firmware-config" / "mosquitto"
READY_S = 10.0
PIECE_BYTES = 64 * 1024
PORTS = (10_240, 32_000)


class BrokerMissingError(RuntimeError):
    """Mosquitto is not installed; the text names the Debian package."""


class BrokerFailedError(RuntimeError):
    """Mosquitto did not become ready; the text holds the end of what it wrote."""


class Broker(Server):
    """``directory`` is the broker's own; ``authority`` and ``certificate`` are PEM files for all to read, ``key`` the
    broker's private key. Use it as a context manager, or call ``start`` and ``stop``."""

    def __init__(self, directory: Path, authority: Path, certificate: Path, key: Path) -> None:
        super().__init__()
        self.directory = directory.absolute()
        self.port = free_port()
        self._files = {"ca.crt": authority, "broker.crt": certificate, "broker.key": key}

    def start(self) -> None:
        """Returns when it accepts connections; raises ``BrokerMissingError`` or ``BrokerFailedError``."""
        program = shutil.which("mosquitto", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if program is None:
            raise BrokerMissingError("mosquitto is not installed: apt-get install mosquitto")
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o755)
        settings = self.directory / "mosquitto.conf"
        settings.write_text(self._settings(), encoding="utf-8")
        with (self.directory / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(
                [program, "-c", str(settings)], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT
            )
        end = time.monotonic() + READY_S
        while time.monotonic() < end and self.running:
            if accepts(self.port):
                return
            time.sleep(0.02)
        self.stop()
        raise BrokerFailedError(f"mosquitto did not become ready: {self._last_words()}")

    def _settings(self) -> str:
        state = self.directory / "state"
        state.mkdir(exist_ok=True)
        text = (SHIPPED / "madoguchi.conf").read_text(encoding="utf-8")
        text = text.replace("listener 8883", f"listener {self.port} 127.0.0.1")
        text = text.replace("/etc/mosquitto/madoguchi/acl", str(SHIPPED / "acl"))
        text = text.replace("/var/lib/mosquitto/", f"{state}/")
        for name, path in self._files.items():
            for folder in ("/etc/mosquitto/madoguchi/", "/run/credentials/mosquitto.service/"):
                text = text.replace(f"{folder}{name}", str(path.absolute()))
        # Started by root it would change to a user who cannot read here; started by anybody else the line is void.
        return text + "user root\n"

    def _last_words(self) -> str:
        return (self.directory / "mosquitto.log").read_text(errors="replace")[-800:].strip() or "it said nothing"


class Line:
    """A TCP way to ``target_port`` on loopback that a test or the demo can cut; clients connect to ``port``."""

    def __init__(self, target_port: int, port: int = 0) -> None:
        self._target_port = target_port
        self._server: socket.socket | None = None
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._flows_out = threading.Event()
        self._flows_back = threading.Event()
        self._up = True
        self.port = port or free_port()

    def start(self) -> None:
        self._flows_out.set()
        self._flows_back.set()
        self._up = True
        self._listen()

    def stop(self) -> None:
        self.cut()

    @property
    def is_up(self) -> bool:
        return self._up

    def cut(self) -> None:
        """Connections end at once, and new ones are refused."""
        self._up = False
        server, self._server = self._server, None
        if server is not None:
            server.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits in accept
            server.close()
        with self._lock:
            ending, self._open = self._open, set()
        for one in ending:
            _end(one)
        self._flows_out.set()
        self._flows_back.set()

    def restore(self) -> None:
        """Undoes ``cut``, ``silence``, ``hold_outgoing`` and ``hold_incoming``."""
        self._flows_out.set()
        self._flows_back.set()
        if not self._up:
            self._up = True
            self._listen()

    def silence(self) -> None:
        """Nothing passes any more, but no connection ends: what a dead router looks like."""
        self._flows_out.clear()
        self._flows_back.clear()

    def hold_outgoing(self) -> None:
        """What clients send is held back, while they go on hearing the other side."""
        self._flows_out.clear()

    def hold_incoming(self) -> None:
        """What clients would hear is held back, while all that they send arrives."""
        self._flows_back.clear()

    def __enter__(self) -> "Line":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _listen(self) -> None:
        server = socket.create_server(("127.0.0.1", self.port))
        self._server = server
        threading.Thread(target=self._accept, args=(server,), name="line-accept", daemon=True).start()

    def _accept(self, server: socket.socket) -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return  # the line was cut
            try:
                target = socket.create_connection(("127.0.0.1", self._target_port), 5)
            except OSError:
                _end(client)
                continue
            with self._lock:
                cut_meanwhile = not self._up
                if not cut_meanwhile:
                    self._open |= {client, target}
            if cut_meanwhile:
                _end(client)
                _end(target)
                return
            for one in (client, target):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for source, sink, flows in ((client, target, self._flows_out), (target, client, self._flows_back)):
                threading.Thread(target=self._pump, args=(source, sink, flows), name="line-pump", daemon=True).start()

    def _pump(self, source: socket.socket, sink: socket.socket, flows: threading.Event) -> None:
        try:
            source.settimeout(None)
            while piece := source.recv(PIECE_BYTES):
                flows.wait()
                sink.sendall(piece)
        except OSError:
            pass  # one of the two ended; the other one follows
        finally:
            _end(source)
            _end(sink)
            with self._lock:
                self._open -= {source, sink}


def free_port() -> int:
    """A port on loopback that nobody uses at the moment.

    Below those that the system gives to outgoing connections: one of these would take it before a program starts there.
    """
    while True:
        port = random.SystemRandom().randrange(*PORTS)
        with socket.socket() as trial, contextlib.suppress(OSError):
            trial.bind(("127.0.0.1", port))
            return port


def accepts(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def _end(one: socket.socket) -> None:
    # Not only closed: shutting down wakes a thread that waits in recv.
    try:
        one.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    finally:
        one.close()
