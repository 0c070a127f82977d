"""A reader with its cable: what pcscd and its clients see of it."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sim import usb as module
from tests.sim.fixtures import MakeCard
from tests.sim.test_pcscd import readers
from tests.sim.usb import CompilerMissingError, UsbPcscd

pytestmark = pytest.mark.scenario
ALPHA, BETA = "Alpha Reader 00 00", "Beta Reader 01 00"


@pytest.fixture
def directory() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pcscd-") as name:
        yield Path(name)


def test_readers_come_and_go(directory: Path) -> None:
    with UsbPcscd(directory) as daemon:
        alpha, beta = daemon.readers
        assert readers(daemon) == ""
        alpha.plug()
        assert readers(daemon) == ALPHA
        beta.plug()
        assert readers(daemon) == f"{ALPHA}, {BETA}"
        alpha.unplug()
        assert readers(daemon) == BETA
        alpha.plug()
        assert readers(daemon) == f"{ALPHA}, {BETA}"


def test_a_card_lies_on_it_through_all_of_that(directory: Path, make_card: MakeCard) -> None:
    card = make_card()
    with UsbPcscd(directory) as daemon:
        alpha = daemon.readers[0]
        alpha.plug()
        alpha.insert(card)
        assert alpha.wait_until_seen(5)
        alpha.unplug()
        assert not card.powered
        alpha.plug()
        assert alpha.wait_until_seen(5)
        daemon.restart()
        assert alpha.wait_until_seen(5)
        assert readers(daemon) == ALPHA
        alpha.remove()


def test_a_mute_card_is_there_and_has_no_power(directory: Path, make_card: MakeCard) -> None:
    with UsbPcscd(directory) as daemon:
        alpha = daemon.readers[0]
        alpha.plug()
        for mute in (True, False, True):
            alpha.insert(make_card(), mute=mute)
            assert alpha.wait_until_seen(0.8) != mute
        alpha.remove()


def test_what_is_missing_to_build_them_is_named(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/usr/sbin:/sbin")
    monkeypatch.setattr(shutil, "which", lambda *_, **__: "somewhere")
    with pytest.raises(CompilerMissingError, match="apt-get install gcc"):
        UsbPcscd(directory).start()


def test_what_the_compiler_said_is_shown(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source = directory / "broken.c"
    source.write_text("no C at all\n")
    monkeypatch.setattr(module, "SOURCE", source)
    with pytest.raises(CompilerMissingError, match=r"broken\.c"):
        UsbPcscd(directory / "pcscd").start()
