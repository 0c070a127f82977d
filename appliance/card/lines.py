"""Lines of JSON and raw bytes over one stream socket, both ways."""

import json
import socket
import time
from collections.abc import Mapping
from typing import Any, Final

from appliance.card.apdu import wipe
from appliance.card.key import MOST_PASSWORD
from appliance.errors import RefusedError

MAX_LINE_BYTES: Final = 4096
MAX_SECRET_BYTES: Final = MOST_PASSWORD
SHORTEST_S: Final = 0.001  # a timeout of nothing would be a socket that never waits


class RequestError(RefusedError):
    """A line that is no request; the peer is cut off."""

    code = "cardd.request"


class LineReader:
    """Reads lines and raw bytes from a socket through one buffer, which is wiped behind what was taken."""

    def __init__(self, peer: socket.socket, max_line_bytes: int = MAX_LINE_BYTES) -> None:
        self._peer = peer
        self._buffer = bytearray(max_line_bytes + MAX_SECRET_BYTES)
        self._max_line_bytes = max_line_bytes
        self._filled = 0

    @property
    def waiting(self) -> bool:
        """Whether bytes arrived that nobody took yet."""
        return self._filled > 0

    def line(self, within_s: float | None = None) -> bytes | None:
        """One line without its end; None when the peer closed. Raises ``RequestError`` for one that is too long.

        Raises ``OSError`` as the socket does, ``TimeoutError`` among them: where ``within_s`` is given, also for a
        line that comes in small parts and is not whole by then.
        """
        end_at = None if within_s is None else time.monotonic() + within_s
        looked = 0
        while True:
            end = self._buffer.find(b"\n", looked, self._filled)
            if end >= self._max_line_bytes or (end < 0 and self._filled >= self._max_line_bytes):
                raise RequestError(reason="line too long")
            if end >= 0:
                line = bytes(self._buffer[:end])
                self._drop(end + 1)
                return line
            looked = self._filled
            if not self._fill(end_at):
                return None

    def take(self, count: int, within_s: float | None = None) -> bytearray | None:
        """``count`` raw bytes, at most ``MAX_SECRET_BYTES``; None when the peer closed before them. As ``line``."""
        end_at = None if within_s is None else time.monotonic() + within_s
        while self._filled < count:
            if not self._fill(end_at):
                return None
        taken = bytearray(count)
        for place in range(count):
            taken[place] = self._buffer[place]
        self._drop(count)
        return taken

    def wipe(self) -> None:
        wipe(self._buffer)

    def _fill(self, end_at: float | None) -> bool:
        usual_s = self._peer.gettimeout()
        if end_at is not None:
            self._peer.settimeout(max(end_at - time.monotonic(), SHORTEST_S))
        try:
            with memoryview(self._buffer) as view, view[self._filled :] as free:
                received = self._peer.recv_into(free)
        finally:
            self._peer.settimeout(usual_s)
        self._filled += received
        return received > 0

    def _drop(self, count: int) -> None:
        left = self._filled - count
        with memoryview(self._buffer) as view:
            view[:left] = view[count : self._filled]
            view[left : self._filled] = bytes(count)
        self._filled = left


def encoded(message: Mapping[str, object]) -> bytes:
    """One message as a line."""
    return json.dumps(message, ensure_ascii=True, separators=(",", ":")).encode() + b"\n"


def decoded(line: bytes) -> dict[str, Any]:
    """The object on a line. Raises ``RequestError``."""
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:  # RecursionError: a line of nothing but brackets
        raise RequestError(reason="not JSON") from error
    if not isinstance(message, dict):
        raise RequestError(reason="not an object")
    return message
