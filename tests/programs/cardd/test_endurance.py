"""Thousands of sessions through the real ``cardd``: at the end it takes no more of the machine than before."""

import hashlib
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.card.key import WrongPinError
from appliance.card.service import CardState
from tests.card.recovery import recovered
from tests.card.table import signed
from tests.card.test_desk import eventually
from tests.programs.cardd.daemon import Daemon
from tests.programs.cardd.upkeep import upkeep
from tests.sim.card.vpcd import VirtualReader
from tests.sim.fixtures import MakeCard
from tests.sim.pcscd import PrivatePcscd

pytestmark = pytest.mark.scenario
DIGEST = hashlib.sha256(b"statement").digest()
WARMED_UP = 100
GROWTH_KB = 1024  # what Python and the C library keep for themselves varies; 10,000 sessions of 100 bytes would show


@pytest.fixture
def cardd(pcscd: PrivatePcscd, run_directory: Path) -> Iterator[Daemon]:
    """As in a school: without a line for each exchange in its log."""
    daemon = Daemon(run_directory, level="info")
    try:
        assert daemon.notified() == "READY=1"
        yield daemon
    finally:
        daemon.stop()


def session(cardd: Daemon, number: int) -> None:
    """A visit over a connection of its own; now and then with a wrong PIN, or with a client that just hangs up."""
    with cardd.client() as client:
        assert client.read().exchanges == 2
        if number % 50 == 7:
            with pytest.raises(WrongPinError):
                client.open(bytearray(b"9999"))
        assert len(signed(client, bytearray(b"1234"), DIGEST)) == 256
        if number % 10:
            client.leave()
    if not number % 10:  # the session of one that hung up ends a moment later
        with cardd.client() as client:
            recovered(lambda: client.read().exchanges == 2, "the next client")
            client.leave()


@pytest.mark.parametrize(
    "sessions",
    [300, pytest.param(10_000, marks=[pytest.mark.long, pytest.mark.timeout(3600)])],
)
def test_sessions_leave_nothing_behind(
    cardd: Daemon, reader: VirtualReader, make_card: MakeCard, sessions: int
) -> None:
    card, pid = make_card(), cardd.process.pid
    reader.insert(card)
    with cardd.client() as client:
        eventually(lambda: client.status().state is CardState.PRESENT)
    for number in range(WARMED_UP):
        session(cardd, number)
    recovered(lambda: upkeep(pid).threads == 2, "threads of the warm-up")
    before, began = upkeep(pid), time.monotonic()
    for number in range(sessions):
        session(cardd, number)
        card.exchanges.clear()  # the card's own memory is no part of this
    took_s = time.monotonic() - began
    recovered(lambda: upkeep(pid).threads == before.threads, "threads at the end")
    recovered(lambda: upkeep(pid).files == before.files, "files at the end")
    grown_kb = upkeep(pid).resident_kb - before.resident_kb
    assert grown_kb < GROWTH_KB, f"{grown_kb} kB more after {sessions} sessions in {took_s:.0f} s; before: {before}"
    assert card.pin_tries == 3
