"""What the kiosk tells the other programs of the reader."""

import queue
import time
from collections.abc import Iterator, Mapping

import pytest

from appliance.card.service import CardEvent, CardState
from appliance.errors import Field
from appliance.log import EventLog
from appliance.programs.kiosk import reader as module
from appliance.programs.kiosk.reader import SIGNAL, ReaderReport
from appliance.services.opening import OpenBox
from appliance.store.database import DiskFullError
from appliance.store.signal import SignalStore
from tests.sim.clock import ManualClock

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
def away(box: OpenBox) -> dict[str, Field]:
    return {"state": "cardd_absent", "since_ms": box.clock.now_ms()}


@pytest.fixture
def report(written: Written, box: OpenBox, away: dict[str, Field]) -> Iterator[ReaderReport]:
    report = ReaderReport(written, box.clock.now_ms, EventLog("kiosk"))
    report.start()
    assert written.values.get(timeout=WAIT_S) == away
    yield report
    report.stop()
    assert not report.alive


def seen(state: CardState, *readers: str, held: bool = False, insertion: int = 0) -> CardEvent:
    return CardEvent(state, readers[0] if readers else "", insertion, held, readers)


def test_every_change_is_written_at_once(
    report: ReaderReport, written: Written, clock: ManualClock, away: dict[str, Field]
) -> None:
    begun_ms = clock.ms
    for event in (seen(CardState.EMPTY, "A 00 00", "B 01 00"), seen(CardState.EMPTY, "A 00 00", "B 01 00", held=True)):
        clock.advance(1000)
        report.see(event)
        assert written.values.get(timeout=WAIT_S) == {
            "state": "empty",
            "reader": "A 00 00",
            "found": "A 00 00 / B 01 00",
            "many": 2,
            "held": event.held,
            "since_ms": clock.ms,
        }
    report.see(None)
    assert written.values.get(timeout=WAIT_S) == away | {"since_ms": begun_ms + 2000}
    signal = written.read(SIGNAL)
    assert signal is not None
    assert signal.at_ms == begun_ms + 2000


def test_the_next_card_begins_anew_and_the_same_one_does_not(
    report: ReaderReport, written: Written, clock: ManualClock
) -> None:
    for insertion in (1, 1, 2):
        clock.advance(1000)
        report.see(seen(CardState.PRESENT, "A", insertion=insertion))
    first, last = written.values.get(timeout=WAIT_S), clock.ms
    latest = first
    while latest["since_ms"] != last:
        latest = written.values.get(timeout=WAIT_S)
    assert latest["state"] == "present"


def test_more_readers_than_a_sentence_can_name_are_counted(report: ReaderReport, written: Written) -> None:
    report.see(seen(CardState.EMPTY, *(f"A 0{number} 00" for number in range(5))))
    value = written.values.get(timeout=WAIT_S)
    assert (value["found"], value["many"]) == ("A 00 00 / A 01 00 / A 02 00 / A 03 00", 5)


def test_two_slots_of_one_device_are_one_reader(report: ReaderReport, written: Written) -> None:
    report.see(seen(CardState.EMPTY, "A 00 00", "A 00 01"))
    assert written.values.get(timeout=WAIT_S)["many"] == 1


def test_what_is_seen_again_is_not_written_again(report: ReaderReport, written: Written) -> None:
    report.see(seen(CardState.EMPTY, "A"))
    assert written.values.get(timeout=WAIT_S)["state"] == "empty"
    report.see(seen(CardState.EMPTY, "A"))
    with pytest.raises(queue.Empty):
        written.values.get(timeout=0.1)


@pytest.fixture
def _short_period(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PERIOD_S", 0.02)


@pytest.mark.usefixtures("_short_period")
def test_a_sign_of_life_comes_by_itself(report: ReaderReport, written: Written, away: dict[str, Field]) -> None:
    assert [written.values.get(timeout=WAIT_S) for _ in range(3)] == [away] * 3


def test_a_full_disk_does_not_end_it(report: ReaderReport, written: Written) -> None:
    written.full = True
    report.see(seen(CardState.EMPTY, "A"))
    assert written.values.get(timeout=WAIT_S) == {"refused": True}
    time.sleep(0.05)
    assert report.alive
    report.see(seen(CardState.PRESENT, "A"))
    assert written.values.get(timeout=WAIT_S)["state"] == "present"
