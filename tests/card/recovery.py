"""How long something took to be well again, for tests that promise it."""

import time
from collections.abc import Callable

PROMISED_S = 2.0
TOLERATED_S = 5.0  # a shared machine may be slow; the benchmark measures against the promise


def recovered(well: Callable[[], object], what: str) -> float:
    """Waits until ``well`` returns something true, and returns the seconds; fails after ``TOLERATED_S``.

    An exception of ``well`` is not yet well.
    """
    began = time.monotonic()
    trouble: Exception | None = None
    while True:
        try:
            if well():
                return time.monotonic() - began
            trouble = None
        except Exception as error:  # noqa: BLE001 - whatever it is, it is told if it lasts
            trouble = error
        took_s = time.monotonic() - began
        assert took_s < TOLERATED_S, f"{what}: not after {took_s:.2f} s ({PROMISED_S:.0f} s are promised; {trouble!r})"
        time.sleep(0.01)
