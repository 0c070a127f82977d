"""The real ``cardd`` on real pcscd: what it serves, what it writes, how it ends."""

import hashlib
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.card.connection import CardAbsentError
from appliance.card.ipc import CardClient, CarddAbsentError
from appliance.card.key import WrongPinError
from appliance.card.readers import CardBusyError
from appliance.card.service import CardRead, CardState
from tests.card.table import signed
from tests.card.test_desk import eventually
from tests.sim.card.vpcd import VirtualReader
from tests.sim.fixtures import MakeCard
from tests.sim.pcscd import PrivatePcscd

pytestmark = pytest.mark.scenario
DIGEST = hashlib.sha256(b"statement").digest()
PIN = "4719"
# Ends without a word as soon as it has read the card and signed with it: what a crash looks like from outside.
DYING_CLIENT = """
import os, pathlib, sys
from appliance.card.ipc import CardClient
client = CardClient(pathlib.Path(sys.argv[1]))
client.read()
client.open(bytearray(sys.argv[2].encode()))
client.sign(bytes(32))
print("signed", flush=True)
sys.stdin.read()
"""


class Daemon:
    """A running ``cardd`` with its run directory and the systemd it believes in."""

    def __init__(self, folder: Path, level: str = "debug") -> None:
        self.path = folder / "card.sock"
        self.log_file = folder / "cardd.log"
        settings = folder / "box.toml"
        settings.write_text(f'[box]\nrun_dir = "{folder}"\nlog_level = "{level}"\n')
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


@pytest.fixture
def cardd(pcscd: PrivatePcscd, pcscd_directory: Path, request: pytest.FixtureRequest) -> Iterator[Daemon]:
    folder = pcscd_directory / f"run-{time.monotonic_ns()}"
    folder.mkdir()
    daemon = Daemon(folder)
    try:
        assert daemon.notified() == "READY=1"
        yield daemon
    finally:
        daemon.stop()


def test_a_visit_and_its_log(cardd: Daemon, reader: VirtualReader, make_card: MakeCard) -> None:
    card = make_card(pin=PIN)
    with cardd.client() as client:
        with pytest.raises(CardAbsentError):
            client.read()
        reader.insert(card)
        cardd.read_when_there(client)
        with pytest.raises(WrongPinError):
            signed(client, bytearray(b"0000"), DIGEST)
        signed(client, bytearray(PIN.encode()), DIGEST)
        client.leave()
    assert cardd.stop() == 0
    names = [event["event"] for event in cardd.events]
    for name in ("cardd.ready", "card.seen", "card.read", "card.signed", "card.left", "cardd.ended"):
        assert name in names
    read = next(event for event in cardd.events if event["event"] == "card.read")
    assert (read["exchanges"], read["bytes"]) == (2, 1479)


def test_nothing_personal_is_written_even_at_debug(cardd: Daemon, reader: VirtualReader, make_card: MakeCard) -> None:
    card = make_card(pin=PIN)
    reader.insert(card)
    with cardd.client() as client:
        certificate = cardd.read_when_there(client).certificate
        assert certificate is not None
        signed(client, bytearray(PIN.encode()), DIGEST)
    cardd.stop()
    written = cardd.log_file.read_text().upper()
    assert "<PIN>" in written
    assert PIN not in written
    assert PIN.encode().hex().upper() not in written
    for start in range(0, len(certificate) - 12, 12):
        assert certificate[start : start + 12].hex().upper() not in written


def test_ready_alive_and_stopping_are_told(cardd: Daemon) -> None:
    assert cardd.notified() == "WATCHDOG=1"
    cardd.process.terminate()
    while (told := cardd.notified()) == "WATCHDOG=1":
        pass
    assert told == "STOPPING=1"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_cleanly_and_at_once(
    cardd: Daemon, reader: VirtualReader, make_card: MakeCard, number: signal.Signals
) -> None:
    card = make_card()
    reader.insert(card)
    client, watching = cardd.client(), cardd.client().watch()
    next(watching)
    cardd.read_when_there(client)
    signed(client, bytearray(b"1234"), DIGEST)
    before = time.monotonic()
    assert cardd.stop(number) == 0
    assert time.monotonic() - before < 5
    assert not cardd.path.exists()
    assert card.verified == frozenset()
    with pytest.raises(CarddAbsentError):
        list(watching)
    client.close()


def test_a_client_that_dies_leaves_no_open_card(cardd: Daemon, reader: VirtualReader, make_card: MakeCard) -> None:
    card = make_card()
    reader.insert(card)
    with cardd.client() as client:
        eventually(lambda: client.status().state is CardState.PRESENT)
        dying = subprocess.Popen(
            [sys.executable, "-c", DYING_CLIENT, str(cardd.path), "1234"], stdout=subprocess.PIPE, stdin=subprocess.PIPE
        )
        with dying:
            assert dying.stdout is not None
            assert dying.stdout.readline() == b"signed\n"
            assert card.verified
            with pytest.raises(CardBusyError):
                client.read()
            dying.kill()
        eventually(lambda: not card.powered)
        assert card.verified == frozenset()
        assert client.read().exchanges == 2


def test_killed_in_the_middle_it_comes_back(pcscd_directory: Path, reader: VirtualReader, make_card: MakeCard) -> None:
    card = make_card()
    reader.insert(card)
    folder = pcscd_directory / f"run-{time.monotonic_ns()}"
    folder.mkdir()
    first = Daemon(folder)
    assert first.notified() == "READY=1"
    with first.client() as client:
        first.read_when_there(client)
        first.stop(signal.SIGKILL)
        with pytest.raises(CarddAbsentError):
            signed(client, bytearray(b"1234"), DIGEST)
        assert card.pin_tries == 3
        (folder / "notify").unlink()
        second = Daemon(folder)
        try:
            assert second.notified() == "READY=1"
            second.read_when_there(client)
            assert len(signed(client, bytearray(b"1234"), DIGEST)) == 256
        finally:
            client.close()
            second.stop()


def test_the_pin_does_not_stay_in_its_memory(cardd: Daemon, reader: VirtualReader, make_card: MakeCard) -> None:
    card = make_card(pin=PIN)
    reader.insert(card)
    with cardd.client() as client:
        cardd.read_when_there(client)
        signed(client, bytearray(PIN.encode()), DIGEST)
        command = bytes.fromhex("0020009804") + PIN.encode()
        assert memory_contains(cardd.process.pid, DIGEST)  # the search itself works
        assert not memory_contains(cardd.process.pid, command)


def memory_contains(pid: int, wanted: bytes) -> bool:
    """Searches all writable memory of a process; for root only, since the process is not dumpable."""
    if os.geteuid() != 0:
        pytest.skip("only root can read the memory of a process that is not dumpable")
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            span, rights = line.split()[:2]
            if not rights.startswith("rw"):
                continue
            start, end = (int(part, 16) for part in span.split("-"))
            memory.seek(start)
            if wanted in memory.read(end - start):
                return True
    return False


def test_wrong_settings_are_named(tmp_path: Path) -> None:
    settings = tmp_path / "box.toml"
    settings.write_text("[reader]\nnam = 1\n")
    ran = subprocess.run(
        [sys.executable, "-m", "appliance.programs.cardd"],
        env={**os.environ, "APPLIANCE_SETTINGS": str(settings)},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert ran.returncode == 2
    assert "config.unknown" in ran.stderr
    assert "reader.nam" in ran.stderr


def test_a_run_directory_that_is_not_there_is_named(pcscd: PrivatePcscd, tmp_path: Path) -> None:
    settings = tmp_path / "box.toml"
    settings.write_text(f'[box]\nrun_dir = "{tmp_path}/none"\n')
    ran = subprocess.run(
        [sys.executable, "-m", "appliance.programs.cardd"],
        env={**os.environ, "APPLIANCE_SETTINGS": str(settings)},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert ran.returncode == 2
    assert "config.run_dir" in ran.stderr
