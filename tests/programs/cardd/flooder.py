"""Processes of the box that have gone mad: each abuses cardd's socket in one way, as fast as it can, until killed.

``python -m tests.programs.cardd.flooder SOCKET WAY`` says ``flooding`` once it began.
"""

import os
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final

STATUS: Final = b'{"op":"status"}\n'
CROWD: Final = 1000
AT_ONCE: Final = 20


class Abuser:
    def __init__(self, path: str) -> None:
        self._path = path
        self._kept: list[socket.socket] = []

    def crowd(self) -> None:
        """A thousand connections; those that are cut off are opened anew."""
        while len(self._kept) < CROWD:
            self._kept.append(self._connect())
        for place, peer in enumerate(self._kept):
            if _is_over(peer):
                peer.close()
                self._kept[place] = self._connect()

    def silent(self) -> None:
        """Connects and says nothing, ever."""
        while len(self._kept) < AT_ONCE:
            self._kept.append(self._connect())
        time.sleep(0.05)

    def half_a_line(self) -> None:
        """Begins a request and goes on with it one byte at a time."""
        self.silent()
        for peer in self._kept:
            with suppress(OSError):
                peer.send(b"[")
        self._kept = [peer for peer in self._kept if not _is_over(peer)]

    def requests(self) -> None:
        """A hundred thousand requests, and reads the answers."""
        with self._connect() as peer, suppress(OSError):
            for _ in range(1000):
                peer.sendall(STATUS * 100)
                peer.recv(1 << 16)

    def deaf(self) -> None:
        """Asks and asks, and never reads an answer."""
        self.silent()
        for peer in self._kept:
            peer.setblocking(False)
            with suppress(OSError):
                peer.send(STATUS * 20)
        self._kept = [peer for peer in self._kept if not _is_over(peer, deaf=True)]

    def watch(self) -> None:
        """Watches, with as many connections as it gets, and never reads."""
        if len(self._kept) < AT_ONCE:
            self._kept.append(self._connect())
            with suppress(OSError):
                self._kept[-1].sendall(b'{"op":"watch"}\n')

    def garbage(self) -> None:
        with self._connect() as peer, suppress(OSError):
            peer.sendall(os.urandom(20_000))

    def knock(self) -> None:
        """Connects and leaves at once."""
        self._connect().close()

    def _connect(self) -> socket.socket:
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        with suppress(OSError):
            peer.connect(self._path)
        peer.settimeout(1)
        return peer


def _is_over(peer: socket.socket, deaf: bool = False) -> bool:
    """Whether cardd hung up; ``deaf``: without reading what it said before."""
    peer.setblocking(False)
    try:
        if deaf:
            peer.send(b"")
            return False
        return len(peer.recv(1 << 16)) == 0
    except BlockingIOError:
        return False
    except OSError:
        return True


WAYS: Final = ("crowd", "silent", "half_a_line", "requests", "deaf", "watch", "garbage", "knock")


def main() -> None:
    way: Callable[[], None] = getattr(Abuser(sys.argv[1]), sys.argv[2])
    way()
    sys.stdout.write("flooding\n")
    sys.stdout.flush()
    while True:
        way()


if __name__ == "__main__":
    main()
