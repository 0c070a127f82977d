"""Other programs of the box run mad at cardd's socket; whoever stands at the window notices nothing."""

import hashlib
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from appliance.card.guests import MAX_CLIENTS
from appliance.card.service import CardState
from tests.card.recovery import recovered
from tests.card.table import signed
from tests.card.test_desk import eventually
from tests.programs.cardd.daemon import Daemon
from tests.programs.cardd.flooder import WAYS
from tests.programs.cardd.upkeep import upkeep
from tests.sim.card.card import VirtualCard
from tests.sim.card.vpcd import VirtualReader
from tests.sim.fixtures import MakeCard
from tests.source import ROOT

pytestmark = pytest.mark.scenario
DIGEST = hashlib.sha256(b"statement").digest()
FLOOD_S = 3.0
VISIT_S = 2.0  # a fortieth of it is usual, also in a flood
GROWTH_KB = 12 * 1024
BESIDES_CLIENTS = 4  # threads: the socket's, the desk's, and room for what Python and pyscard start


@pytest.fixture
def card(reader: VirtualReader, make_card: MakeCard) -> VirtualCard:
    one = make_card()
    reader.insert(one)
    return one


def visit(cardd: Daemon) -> float:
    """A visit over a connection of its own; the seconds it took."""
    began = time.monotonic()
    with cardd.client() as client:
        client.read()
        assert len(signed(client, bytearray(b"1234"), DIGEST)) == 256
        client.leave()
    return time.monotonic() - began


@contextmanager
def flooded(cardd: Daemon, way: str, processes: int = 2) -> Iterator[None]:
    command = [sys.executable, "-m", "tests.programs.cardd.flooder", str(cardd.path), way]
    mad = [subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) for _ in range(processes)]
    try:
        for one in mad:
            assert one.stdout is not None
            assert one.stdout.readline() == b"flooding\n"
        yield
    finally:
        for one in mad:
            with one:
                one.kill()


@pytest.mark.parametrize("way", WAYS)
def test_the_window_goes_on(cardd: Daemon, card: VirtualCard, way: str) -> None:
    pid, seconds, threads = cardd.process.pid, [], []
    with cardd.client() as client:
        eventually(lambda: client.status().state is CardState.PRESENT)
        visit(cardd)
        recovered(lambda: upkeep(pid).threads <= BESIDES_CLIENTS, "threads of the first visit")
        before = upkeep(pid)
        client.read()
        with flooded(cardd, way):
            end = time.monotonic() + FLOOD_S
            assert len(signed(client, bytearray(b"1234"), DIGEST)) == 256  # who was in the middle goes on
            client.leave()
            while time.monotonic() < end:
                seconds.append(visit(cardd))
                threads.append(upkeep(pid).threads)
                time.sleep(0.1)
            during = upkeep(pid)
    assert max(seconds) < VISIT_S, f"the slowest of {len(seconds)} visits took {max(seconds):.2f} s"
    assert max(threads) <= MAX_CLIENTS + BESIDES_CLIENTS
    assert during.resident_kb - before.resident_kb < GROWTH_KB, (before, during)
    recovered(lambda: upkeep(pid).threads <= BESIDES_CLIENTS, "threads after the flood")
    recovered(lambda: (upkeep(pid).files or 0) <= (before.files or 0), "files after the flood")
    assert card.pin_tries == 3
