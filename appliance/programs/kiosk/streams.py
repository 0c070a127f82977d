"""The open event streams of the kiosk's pages.

A reloaded page leaves its stream open until somebody writes to it. So the newest stream always gets a place, and the
oldest one ends for it: the threads are kept for the page that a person looks at.
"""

import threading
import time
from collections.abc import Callable, Iterator

HEARTBEAT_S = 10.0
LOOK_S = 1.0
MOST = 3


class Streams:
    """``wait(version, timeout_s)`` returns the current version as soon as it differs, or after the timeout."""

    def __init__(self, wait: Callable[[int, float], int]) -> None:
        self._wait = wait
        self._open: list[object] = []
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._open)

    def follow(self) -> Iterator[str]:
        """Server-sent events (HTML Living Standard 9.2), one for each version, and a comment as heartbeat."""
        mark = object()
        with self._lock:
            self._open.append(mark)
            del self._open[:-MOST]
        try:
            version, told_s = -1, 0.0
            while mark in self._open:
                now = self._wait(version, LOOK_S)
                if now != version:
                    version, told_s = now, time.monotonic()
                    yield f"data: {version}\n\n"
                elif time.monotonic() - told_s >= HEARTBEAT_S:
                    told_s = time.monotonic()
                    yield ": alive\n\n"
        finally:
            with self._lock:
                if mark in self._open:
                    self._open.remove(mark)
