"""The real ``cardd`` as a process, and a client of it that dies."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from types import TracebackType

from appliance.card.ipc import CardClient
from appliance.card.service import CardRead, CardState
from tests.card.test_desk import eventually

# Opens keys and signs with each, then waits to be killed: what a crash looks like from outside.
DYING = """
import json, pathlib, sys
from appliance.card.ipc import CardClient
from appliance.card.key import Key
client = CardClient(pathlib.Path(sys.argv[1]))
client.read()
for name, secret in json.loads(sys.stdin.readline()).items():
    client.open(bytearray(secret.encode()), Key[name])
    client.sign(bytes(32), Key[name])
print("signed", flush=True)
sys.stdin.read()
"""


class Daemon:
    """A running ``cardd`` with its run directory and the systemd it believes in."""

    def __init__(self, folder: Path, level: str = "debug", reader: str = "") -> None:
        """``reader`` is the name in the settings."""
        self.path = folder / "card.sock"
        self.log_file = folder / "cardd.log"
        settings = folder / "box.toml"
        settings.write_text(f'[box]\nrun_dir = "{folder}"\nlog_level = "{level}"\n[reader]\nname = "{reader}"\n')
        (folder / "notify").unlink(missing_ok=True)  # of one that ran here before
        self.systemd = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.systemd.bind(str(folder / "notify"))
        self.systemd.settimeout(10)
        with self.log_file.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "appliance.programs.cardd"],
                env={**os.environ, "APPLIANCE_SETTINGS": str(settings), "NOTIFY_SOCKET": str(folder / "notify")},
                stderr=log,
            )

    def notified(self) -> str:
        return self.systemd.recv(100).decode()

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.process.poll() is None:
            self.process.send_signal(number)
        code = self.process.wait(10)
        self.systemd.close()
        return code

    @property
    def events(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.log_file.read_text().splitlines()]

    def client(self) -> CardClient:
        return CardClient(self.path, answer_s=10)

    def read_when_there(self, client: CardClient) -> CardRead:
        eventually(lambda: client.status().state is CardState.PRESENT)
        return client.read()


class DyingClient:
    """A process that has opened the card and signed with it when the ``with`` begins, and is killed at its end.

    Secrets by the names of their keys in small letters.
    """

    def __init__(self, path: Path, **secrets: str) -> None:
        self._secrets = json.dumps({name.upper(): secret for name, secret in secrets.items()}).encode() + b"\n"
        self._process = subprocess.Popen(
            [sys.executable, "-c", DYING, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def __enter__(self) -> "DyingClient":
        stdin, stdout = self._process.stdin, self._process.stdout
        assert stdin is not None
        assert stdout is not None
        stdin.write(self._secrets)
        stdin.flush()
        assert stdout.readline() == b"signed\n"
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._process as process:  # closes its pipes and waits for its end
            process.kill()


class BusyClient:
    """A process that begins a whole visit; killed at the end of a ``with``, wherever it is by then."""

    def __init__(self, path: Path, pin: str) -> None:
        self._pin = json.dumps({"AUTHENTICATION": pin}).encode() + b"\n"
        self._process = subprocess.Popen([sys.executable, "-c", DYING, str(path)], stdin=subprocess.PIPE)

    def __enter__(self) -> "BusyClient":
        assert self._process.stdin is not None
        self._process.stdin.write(self._pin)
        self._process.stdin.flush()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        with self._process as process:
            process.kill()
