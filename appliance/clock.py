"""Time as the box knows it: a wall clock that may be wrong, and a monotonic one that is right within one boot."""

import time
from pathlib import Path
from typing import Protocol

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Clock(Protocol):
    """What everything that needs the time takes as an argument."""

    @property
    def boot_id(self) -> bytes:
        """16 bytes that differ after every boot of the machine."""
        ...

    def now_ms(self) -> int:
        """Milliseconds since 1970-01-01T00:00:00Z by the wall clock; may be wrong and may step backwards."""
        ...

    def monotonic_ms(self) -> int:
        """Milliseconds since the boot that ``boot_id`` names; never steps backwards."""
        ...


class SystemClock:
    """The machine's own clocks."""

    def __init__(self) -> None:
        self.boot_id = bytes.fromhex(BOOT_ID.read_text().strip().replace("-", ""))

    def now_ms(self) -> int:
        return time.time_ns() // 1_000_000

    def monotonic_ms(self) -> int:
        # CLOCK_BOOTTIME counts a suspended machine too, so two programs of one boot agree on it.
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
