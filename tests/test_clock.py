"""The machine's clocks, and the one that tests set."""

import time

from appliance.clock import BOOT_ID, Clock, SystemClock
from tests.sim.clock import ManualClock


def test_the_boot_is_named_by_sixteen_bytes() -> None:
    first, second = SystemClock(), SystemClock()
    assert len(first.boot_id) == 16
    assert first.boot_id == second.boot_id
    assert first.boot_id.hex() == BOOT_ID.read_text().strip().replace("-", "")


def test_the_wall_clock_counts_milliseconds_since_1970() -> None:
    before = time.time()
    now_ms = SystemClock().now_ms()
    assert before * 1000 - 1 <= now_ms <= time.time() * 1000 + 1


def test_the_monotonic_clock_is_the_time_since_boot() -> None:
    clock = SystemClock()
    readings = [clock.monotonic_ms() for _ in range(1000)]
    assert readings == sorted(readings)
    assert abs(readings[-1] - time.clock_gettime(time.CLOCK_BOOTTIME) * 1000) < 1000


def test_a_set_clock_is_a_clock() -> None:
    clock = ManualClock(ms=5_000)
    shown: Clock = clock
    clock.advance(10)
    assert (shown.now_ms(), shown.monotonic_ms()) == (5_010, 1_010)
    clock.reboot(b"\x02" * 16)
    assert (shown.now_ms(), shown.monotonic_ms(), shown.boot_id) == (5_010, 0, b"\x02" * 16)
