"""When the line is measured, and when it is left alone."""

from datetime import datetime, timedelta

import pytest

from appliance.log import EventLog
from appliance.programs.syncd.probing import AGAIN_MS, EVERY_MS, LOOK_MS, NIGHT_MINUTES, Probing
from appliance.services.line import PATIENCE_MS, PROBE_SIGNAL, WANTED_SIGNAL, Measuring
from appliance.services.opening import OpenBox
from appliance.store.line import LineStore
from appliance.store.signal import SignalStore
from appliance.sync.governor import Governor
from appliance.sync.probe import LATE_MS, LONG_MS
from tests.sim.clock import ManualClock
from tests.sim.paper_line import PaperLine

CODE = "B113299900018"


def local(hour: int, minute: int = 0, day: int = 13) -> int:
    """Milliseconds of that hour of a day in July 2026; the 13th is a Monday."""
    return int(datetime(2026, 7, day, hour, minute).astimezone().timestamp() * 1000)


class Box:
    def __init__(self, box: OpenBox, clock: ManualClock) -> None:
        self.line, self.clock, self.signals = PaperLine(), clock, SignalStore(box.database)
        self.store = LineStore(box.database)
        governor = Governor(("08:30-12:30",), (1, 2, 3, 4, 5), 0)
        self.probing = Probing(
            box.database, CODE, line=self.line, governor=governor, clock=clock, log=EventLog("syncd")
        )

    def look(self, *, connected: bool = True, pending: int = 0, after_ms: int = LOOK_MS) -> bool:
        """Whether anything was sent."""
        self.clock.advance(after_ms)
        self.probing.look(connected=connected, pending=pending)
        sent, self.sent = bool(self.line.filler), list(self.line.filler)
        self.line.filler.clear()
        return sent

    def measure(self) -> None:
        """The line gives everything back, 20 ms later, until the measurement is over."""
        for _ in range((LONG_MS + LATE_MS) // 20):
            self.clock.advance(20)
            for payload in self.sent:
                self.probing.arrived(payload)
            self.look(after_ms=0)

    def said(self) -> Measuring | None:
        found = self.signals.read(PROBE_SIGNAL)
        return None if found is None else Measuring(found.value["state"])

    def ask(self) -> None:
        self.signals.write(WANTED_SIGNAL, {}, self.clock.ms)


@pytest.fixture
def measured(box: OpenBox, clock: ManualClock) -> Box:
    clock.ms = local(15)
    return Box(box, clock)


def test_by_day_nothing_is_measured_unless_somebody_asks(measured: Box) -> None:
    assert not measured.look()
    measured.ask()
    assert measured.look()
    assert (measured.said(), measured.line.listened) == (Measuring.RUNNING, [f"madoguchi/1/{CODE}/probe"])
    measured.measure()
    assert measured.said() is Measuring.DONE
    sample = measured.store.latest()
    assert sample is not None
    assert (sample.rtt_ms, sample.bit_s > 1_000_000) == (20, True)
    assert not measured.look()  # asked once, measured once


@pytest.mark.parametrize(
    ("hour", "connected", "pending", "answer"),
    [
        (9, True, 0, Measuring.LESSONS),
        (15, False, 0, Measuring.OFFLINE),
        (15, True, 3, Measuring.BUSY),
    ],
)
def test_why_there_is_no_measurement_now_is_said(
    measured: Box, hour: int, connected: bool, pending: int, answer: Measuring
) -> None:
    measured.clock.ms = local(hour)
    measured.ask()
    assert not measured.look(connected=connected, pending=pending)
    assert measured.said() is answer


def test_a_wish_that_is_too_old_is_passed_over(measured: Box) -> None:
    measured.ask()
    measured.clock.advance(PATIENCE_MS)
    assert not measured.look()
    assert measured.said() is None


def test_one_night_in_the_week_it_is_measured_at_the_schools_own_minute(measured: Box) -> None:
    began = []
    for minute in range(0, 24 * 60, 5):
        measured.clock.ms = local(0, 0) + minute * 60_000
        if measured.look():
            began.append(minute)
            measured.measure()
    assert len(began) == 1
    assert began[0] <= NIGHT_MINUTES
    days = [day for day in range(1, 8) if _night(measured, day)]
    assert days == [7]
    assert timedelta(days=7).total_seconds() * 1000 > EVERY_MS


def _night(measured: Box, day: int) -> bool:
    measured.clock.uptime_ms += 86_400_000
    measured.clock.ms = local(4, 59) + day * 86_400_000
    return measured.look()


def test_a_night_without_an_answer_is_tried_again_and_not_at_once(measured: Box) -> None:
    measured.clock.ms = local(4, 0)
    assert measured.look()
    measured.look(after_ms=LATE_MS)
    assert measured.said() is Measuring.FAILED
    assert not measured.look()
    measured.clock.ms -= AGAIN_MS
    assert measured.look(after_ms=AGAIN_MS)


def test_a_line_that_goes_down_in_the_middle_ends_it_without_a_figure(measured: Box) -> None:
    measured.ask()
    measured.look()
    assert not measured.look(connected=False)
    assert (measured.said(), measured.store.latest()) == (Measuring.OFFLINE, None)


def test_what_comes_back_without_a_measurement_is_passed_over(measured: Box) -> None:
    measured.probing.arrived(b"anything")
    assert not measured.look()
