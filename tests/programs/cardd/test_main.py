"""The real ``cardd`` on real pcscd: what it serves, what it writes, how it ends."""

import hashlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from appliance.card.connection import CardAbsentError
from appliance.card.ipc import CarddAbsentError
from appliance.card.key import WrongPinError
from appliance.card.readers import CardBusyError
from appliance.card.service import CardState
from tests.card.recovery import recovered
from tests.card.table import signed
from tests.card.test_desk import eventually
from tests.programs.cardd.daemon import Daemon, DyingClient
from tests.sim.card.vpcd import VirtualReader
from tests.sim.fixtures import MakeCard
from tests.sim.pcscd import PrivatePcscd

pytestmark = pytest.mark.scenario
DIGEST = hashlib.sha256(b"statement").digest()
PIN = "4719"


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
        with DyingClient(cardd.path, authentication="1234"):
            assert card.verified
            with pytest.raises(CardBusyError):
                client.read()
        eventually(lambda: not card.powered)
        assert card.verified == frozenset()
        recovered(lambda: client.read().exchanges == 2, "the next client")


def test_killed_in_the_middle_it_comes_back(run_directory: Path, reader: VirtualReader, make_card: MakeCard) -> None:
    card = make_card()
    reader.insert(card)
    first = Daemon(run_directory)
    assert first.notified() == "READY=1"
    with first.client() as client:
        first.read_when_there(client)
        first.stop(signal.SIGKILL)
        with pytest.raises(CarddAbsentError):
            signed(client, bytearray(b"1234"), DIGEST)
        assert card.pin_tries == 3
        second = Daemon(run_directory)
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
