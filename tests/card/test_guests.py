"""Who may connect, and how many of one process."""

import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from appliance.card.guests import MAX_CLIENTS, MAX_OF_A_PROCESS, Guests, Peers
from appliance.card.ipc import CrowdedError, PeerError

OURSELVES = Peers(frozenset({os.geteuid()}))
# Connects as often as told, says so, and stays.
OTHER_PROCESS = """
import socket, sys
peers = [socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) for _ in range(int(sys.argv[2]))]
for peer in peers:
    peer.connect(sys.argv[1])
print("connected", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    with tempfile.TemporaryDirectory(prefix="card-") as name, socket.socket(socket.AF_UNIX) as one:
        one.bind(str(Path(name) / "s"))
        one.listen(MAX_CLIENTS)
        yield one


class Door:
    """The connections that arrive at a listener."""

    def __init__(self, listener: socket.socket, held: ExitStack) -> None:
        self._listener, self._held = listener, held

    def ours(self) -> socket.socket:
        """One more from this process, as the server gets it."""
        here = self._held.enter_context(socket.socket(socket.AF_UNIX))
        here.connect(self._listener.getsockname())
        return self._held.enter_context(self._listener.accept()[0])

    def others(self, count: int) -> list[socket.socket]:
        """So many from one new process."""
        process = subprocess.Popen(
            [sys.executable, "-c", OTHER_PROCESS, self._listener.getsockname(), str(count)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._held.enter_context(process)
        self._held.callback(process.kill)
        arrived = [self._held.enter_context(self._listener.accept()[0]) for _ in range(count)]
        assert process.stdout is not None
        assert process.stdout.readline() == b"connected\n"
        return arrived


@pytest.fixture
def door(listener: socket.socket) -> Iterator[Door]:
    with ExitStack() as held:
        yield Door(listener, held)


def test_a_user_or_a_group_is_enough(door: Door) -> None:
    peer = door.ours()
    for allowed in (OURSELVES, Peers(frozenset(), frozenset({os.getegid()}))):
        assert allowed.process(peer) == os.getpid()
    with pytest.raises(PeerError):
        Peers(frozenset({os.geteuid() + 1})).process(peer)


def test_who_cannot_be_told_is_a_stranger() -> None:
    with socket.socket(socket.AF_INET) as peer, pytest.raises(PeerError):
        Peers(frozenset(range(1000))).process(peer)


def test_a_process_has_its_share_and_no_more(door: Door) -> None:
    guests = Guests(OURSELVES)
    ours = [door.ours() for _ in range(MAX_OF_A_PROCESS)]
    for one in ours:
        guests.admit(one)
    with pytest.raises(CrowdedError):
        guests.admit(door.ours())
    other = door.others(1)[0]
    guests.admit(other)
    guests.dismiss(ours[0])
    guests.admit(door.ours())
    assert other in guests.sockets
    assert len(guests.sockets) == MAX_OF_A_PROCESS + 1


def test_all_together_are_no_more_than_there_is_room_for(door: Door) -> None:
    guests = Guests(OURSELVES)
    for _ in range(MAX_CLIENTS // MAX_OF_A_PROCESS):
        for one in door.others(MAX_OF_A_PROCESS):
            guests.admit(one)
    with pytest.raises(CrowdedError) as caught:
        guests.admit(door.ours())
    assert caught.value.fields == {"clients": MAX_CLIENTS}


def test_who_was_never_there_is_dismissed_without_a_word(door: Door) -> None:
    Guests(OURSELVES).dismiss(door.ours())
