"""``appliance doctor`` beside a real kiosk, cardd and pcscd: what is wrong at the reader, in words.

With ``DOCTOR_TRANSCRIPT`` in the environment, all that it says is also written to that file, to be read aloud.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.card.thief import Thief
from tests.school.small import CODE
from tests.sim.broker import free_port
from tests.sim.fixtures import MakeCard
from tests.sim.program import Program
from tests.sim.usb import UsbPcscd

pytestmark = pytest.mark.scenario
ALPHA, BETA = "Alpha Reader 00 00", "Beta Reader 01 00"
TOLD_S = 40.0  # what must last is told after ten seconds, and the kiosk speaks every ten
ALWAYS = "health.not_enrolled"  # this box has no hub
LANGUAGES = {"ja": "ja_JP.UTF-8", "en": "en_GB.UTF-8"}


class Box:
    """A founded box at the readers of a pcscd, with its kiosk and its cardd."""

    def __init__(self, folder: Path, usb: UsbPcscd) -> None:
        self.folder, self.usb = folder, usb
        self.run = Path(tempfile.mkdtemp(prefix="box-"))  # short: sockets lie there
        self._port = free_port()
        self.write_settings("")
        environment = {
            "APPLIANCE_SETTINGS": str(folder / "site.toml"),
            "CREDENTIALS_DIRECTORY": str(folder / "keys"),
            **usb.environment,
        }
        self._environment = environment
        self.command("init", "--school", str(CODE), "--name", "架空小学校", "--credentials", str(folder / "keys"))
        self.cardd = Program("cardd", "appliance.programs.cardd", [], environment, folder / "cardd.log")
        self.kiosk = Program("kiosk", "appliance.programs.kiosk", [], environment, folder / "kiosk.log")

    def write_settings(self, reader: str) -> None:
        (self.folder / "site.toml").write_text(
            f'[box]\nstate_dir = "{self.folder / "state"}"\nrun_dir = "{self.run}"\n'
            f'trust_dir = "{self.folder}"\n[reader]\nname = "{reader}"\n'
            f"[kiosk]\nport = {self._port}\nidle_s = 10\ngrace_s = 5\n"
            f'[staff]\ncertificate = "{self.folder / "staff.crt"}"\n'
        )

    def start(self, reader: str = "") -> None:
        self.write_settings(reader)
        for program, ready in ((self.cardd, "cardd.ready"), (self.kiosk, "kiosk.ready")):
            program.start()
            program.wait_for(ready)

    def stop(self) -> None:
        self.kiosk.stop()
        self.cardd.stop()

    def command(self, *arguments: str, language: str = "en") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "appliance.programs.cli", *arguments],
            env={**os.environ, **self._environment, "LC_ALL": LANGUAGES[language]},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
        )

    def found(self) -> dict[str, dict[str, object]]:
        """What the doctor finds, by code, besides what it always finds here."""
        problems = json.loads(self.command("doctor", "--json").stdout)["problems"]
        return {one["code"]: one for one in problems if one["code"] != ALWAYS}

    def finds(self, code: str, timeout_s: float = TOLD_S) -> dict[str, object]:
        """Waits for this to be the one thing that is found."""
        end = time.monotonic() + timeout_s
        while set(found := self.found()) != {code}:
            assert time.monotonic() < end, f"found {found} instead of {code}"
            time.sleep(0.5)
        self.told(code)
        return found[code]

    def told(self, code: str) -> None:
        """Each language says what it is, what it means and what to do."""
        for language in LANGUAGES:
            done = self.command("doctor", language=language)
            assert done.returncode == 1
            assert f"[{code}]" in done.stdout
            if (transcript := os.environ.get("DOCTOR_TRANSCRIPT")) is not None:
                with Path(transcript).open("a", encoding="utf-8") as file:
                    file.write(f"--- {code} {language}\n{done.stdout}")

    def is_well(self) -> None:
        end = time.monotonic() + TOLD_S
        while found := self.found():
            assert time.monotonic() < end, found
            time.sleep(0.5)


@pytest.fixture(scope="module")
def module_box(module_usb: UsbPcscd, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    box = Box(tmp_path_factory.mktemp("box"), module_usb)
    yield box
    box.stop()
    shutil.rmtree(box.run)


@pytest.fixture
def box(module_box: Box, usb: UsbPcscd) -> Iterator[Box]:
    """Everything runs, alpha is the one reader there is, and the doctor finds nothing."""
    usb.readers[1].unplug()
    module_box.start()
    module_box.is_well()
    yield module_box
    module_box.stop()


def test_the_program_at_the_reader_is_away_and_back(box: Box) -> None:
    box.cardd.kill()
    assert box.finds("health.cardd_absent")["severity"] == "fault"
    box.cardd.start()
    box.is_well()


def test_the_readers_service_is_away_and_back(box: Box, usb: UsbPcscd) -> None:
    usb.kill()
    assert box.finds("health.reader_service")["severity"] == "fault"
    usb.start()
    box.is_well()


def test_cardd_may_not_use_the_readers_service(box: Box, usb: UsbPcscd) -> None:
    box.stop()
    socket = usb.directory / "pcscd.comm"
    socket.rename(socket.with_name("elsewhere"))  # as good as no right to it, for root too
    try:
        box.start()
        box.finds("health.reader_service")
    finally:
        socket.with_name("elsewhere").rename(socket)
    box.is_well()


def test_no_reader_at_all(box: Box, usb: UsbPcscd) -> None:
    usb.readers[0].unplug()
    assert box.finds("health.reader_absent")["severity"] == "fault"
    usb.readers[0].plug()
    box.is_well()


def test_another_reader_than_the_one_in_the_settings(box: Box, usb: UsbPcscd) -> None:
    box.stop()
    box.start("Beta Reader")
    found = box.finds("health.reader_other")
    assert (found["severity"], found["wanted"], found["found"]) == ("fault", "Beta Reader", ALPHA)
    usb.readers[1].plug()
    box.is_well()  # two readers, and it is settled which one counts


def test_two_readers_and_none_in_the_settings(box: Box, usb: UsbPcscd) -> None:
    usb.readers[1].plug()
    found = box.finds("health.reader_several")
    assert (found["severity"], found["reader"], found["found"]) == ("warning", ALPHA, f"{ALPHA} / {BETA}")
    usb.readers[1].unplug()
    box.is_well()


def test_a_card_that_does_not_answer(box: Box, usb: UsbPcscd, make_card: MakeCard) -> None:
    usb.readers[0].insert(make_card(), mute=True)
    assert box.finds("health.card_mute")["severity"] == "warning"
    usb.readers[0].remove()
    box.is_well()


def test_another_program_keeps_the_reader(box: Box, usb: UsbPcscd, make_card: MakeCard) -> None:
    usb.readers[0].insert(make_card())
    assert usb.readers[0].wait_until_seen(5)
    time.sleep(1.0)  # the kiosk itself reads it at once
    with Thief(ALPHA, alone=True):
        assert box.finds("health.reader_held")["reader"] == ALPHA
    box.is_well()
    usb.readers[0].remove()


@pytest.mark.long
@pytest.mark.timeout(900)
def test_a_card_that_was_forgotten(box: Box, usb: UsbPcscd, make_card: MakeCard) -> None:
    usb.readers[0].insert(make_card())
    found = box.finds("health.card_left", timeout_s=500)
    assert (found["severity"], found["minutes"]) == ("warning", 5)
    usb.readers[0].remove()
    box.is_well()
