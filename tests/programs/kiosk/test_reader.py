"""What the kiosk tells the other programs of the reader."""

import queue
import time
from collections.abc import Iterator, Mapping

import pytest

from appliance.card.service import CardState
from appliance.errors import Field
from appliance.log import EventLog
from appliance.programs.kiosk import reader as module
from appliance.programs.kiosk.reader import SIGNAL, ReaderReport
from appliance.services.opening import OpenBox
from appliance.store.database import DiskFullError
from appliance.store.signal import Signal, SignalStore

WAIT_S = 10.0


class Written(SignalStore):
    """Keeps what is written; ``full`` refuses it first, as a full disk does."""

    def __init__(self, box: OpenBox) -> None:
        super().__init__(box.database)
        self.values: queue.Queue[Mapping[str, Field]] = queue.Queue()
        self.full = False

    def write(self, name: str, value: Mapping[str, Field], at_ms: int) -> None:
        if self.full:
            self.full = False
            self.values.put({"refused": True})
            raise DiskFullError()
        super().write(name, value, at_ms)
        self.values.put(value)


@pytest.fixture
def written(box: OpenBox) -> Written:
    return Written(box)


@pytest.fixture
def report(written: Written, box: OpenBox) -> Iterator[ReaderReport]:
    report = ReaderReport(written, box.clock.now_ms, EventLog("kiosk"))
    report.start()
    assert written.values.get(timeout=WAIT_S) == {"state": "service_absent"}
    yield report
    report.stop()
    assert not report.alive


def test_every_change_is_written_at_once(report: ReaderReport, written: Written, box: OpenBox) -> None:
    for state in (CardState.EMPTY, CardState.PRESENT, CardState.READER_ABSENT):
        report.see(state)
        assert written.values.get(timeout=WAIT_S) == {"state": state.value}
    assert written.read(SIGNAL) == Signal({"state": "reader_absent"}, box.clock.now_ms())


def test_what_is_seen_again_is_not_written_again(report: ReaderReport, written: Written) -> None:
    report.see(CardState.EMPTY)
    assert written.values.get(timeout=WAIT_S) == {"state": "empty"}
    report.see(CardState.EMPTY)
    with pytest.raises(queue.Empty):
        written.values.get(timeout=0.1)


@pytest.fixture
def _short_period(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PERIOD_S", 0.02)


@pytest.mark.usefixtures("_short_period")
def test_a_sign_of_life_comes_by_itself(report: ReaderReport, written: Written) -> None:
    assert [written.values.get(timeout=WAIT_S) for _ in range(3)] == [{"state": "service_absent"}] * 3


def test_a_full_disk_does_not_end_it(report: ReaderReport, written: Written) -> None:
    written.full = True
    report.see(CardState.EMPTY)
    assert written.values.get(timeout=WAIT_S) == {"refused": True}
    time.sleep(0.05)
    assert report.alive
    report.see(CardState.PRESENT)
    assert written.values.get(timeout=WAIT_S) == {"state": "present"}
