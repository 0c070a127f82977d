"""Who is connected to ``cardd``, and that no program takes the place of another.

A process of the box needs one or two connections. One that went mad keeps within its own share, and the window, which
is another process, is served.
"""

import socket
import struct
import threading
from collections import Counter
from typing import Final

from appliance.card.ipc import CrowdedError, PeerError

MAX_CLIENTS: Final = 32
MAX_OF_A_PROCESS: Final = 8
SO_PEERGROUPS: Final = 59  # linux/socket.h; Python has no name for it
MOST_OPTION_BYTES: Final = 1024  # Python's own limit: 256 groups, and a process in more of them is refused
CREDENTIALS: Final = struct.Struct("3i")


class Peers:
    """Which processes may connect: those of these users, and those in any of these groups (``SO_PEERCRED``)."""

    def __init__(self, uids: frozenset[int], gids: frozenset[int] = frozenset()) -> None:
        self._uids = uids
        self._gids = gids

    def process(self, peer: socket.socket) -> int:
        """The process at the other end, as it was when it connected. Raises ``PeerError`` for one that may not."""
        try:
            pid, uid, gid = CREDENTIALS.unpack(peer.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, CREDENTIALS.size))
            if uid not in self._uids and not self._gids & {gid, *_groups(peer)}:
                raise PeerError()
        except OSError as error:  # who it is cannot be told
            raise PeerError() from error
        return int(pid)


def _groups(peer: socket.socket) -> list[int]:
    raw = peer.getsockopt(socket.SOL_SOCKET, SO_PEERGROUPS, MOST_OPTION_BYTES)
    return [number for (number,) in struct.iter_unpack("I", raw)]


class Guests:
    """The connections there are, each with its process."""

    def __init__(self, peers: Peers) -> None:
        self._peers = peers
        self._connected: dict[socket.socket, int] = {}
        self._lock = threading.Lock()

    def admit(self, peer: socket.socket) -> None:
        """Raises ``PeerError`` or ``CrowdedError`` for one that is not let in."""
        process = self._peers.process(peer)
        with self._lock:
            if Counter(self._connected.values())[process] >= MAX_OF_A_PROCESS:
                raise CrowdedError(clients=MAX_OF_A_PROCESS, of="one process")
            if len(self._connected) >= MAX_CLIENTS:
                raise CrowdedError(clients=MAX_CLIENTS)
            self._connected[peer] = process

    def dismiss(self, peer: socket.socket) -> None:
        with self._lock:
            self._connected.pop(peer, None)

    @property
    def sockets(self) -> list[socket.socket]:
        with self._lock:
            return list(self._connected)
