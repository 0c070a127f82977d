"""What happens too often is told now and then, with how often."""

import threading
import time
from collections.abc import Callable
from typing import Final

from appliance.errors import Field

QUIET_S: Final = 10.0


class Throttled:
    """Passes each kind of event on at once, and then every ``QUIET_S`` at most; a log's method or whatever takes its
    place.

    A kind is an event with its ``code``. Where some were swallowed, the next one says with ``times`` how many it
    stands for, itself included.
    """

    def __init__(self, observe: Callable[..., None]) -> None:
        self._observe = observe
        self._told: dict[tuple[str, Field], float] = {}
        self._swallowed: dict[tuple[str, Field], int] = {}
        self._lock = threading.Lock()

    def __call__(self, event: str, **fields: Field) -> None:
        kind, now = (event, fields.get("code")), time.monotonic()
        with self._lock:
            told = self._told.get(kind)
            if told is not None and now - told < QUIET_S:
                self._swallowed[kind] = self._swallowed.get(kind, 0) + 1
                return
            self._told[kind] = now
            times = 1 + self._swallowed.pop(kind, 0)
        self._observe(event, **fields, **({"times": times} if times > 1 else {}))
