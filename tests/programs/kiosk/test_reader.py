"""What the kiosk tells the other programs of the reader."""

import queue
import time
from collections.abc import Callable, Iterator, Mapping

import pytest

from appliance.card.service import CardEvent, CardState
from appliance.errors import Field, MadoguchiError, UnavailableError
from appliance.programs.kiosk import reader as module
from appliance.programs.kiosk.reader import SIGNAL, ReaderReport
from appliance.services.opening import OpenBox
from appliance.store.faults import DiskFullError, ReadOnlyError, StoreBusyError, StoreError
from appliance.store.signal import SignalStore
from tests.sim.clock import ManualClock

WAIT_S = 10.0


class Written(SignalStore):
    """Keeps what is written; a ``refusal`` is given first, as by a full disk."""

    def __init__(self, box: OpenBox) -> None:
        super().__init__(box.database)
        self.values: queue.Queue[Mapping[str, Field]] = queue.Queue()
        self.refusal: MadoguchiError | None = None

    def write(self, name: str, value: Mapping[str, Field], at_ms: int, *, waiting: bool = True) -> None:
        if self.refusal is not None:
            refusal, self.refusal = self.refusal, None
            self.values.put({"refused": True})
            raise refusal
        super().write(name, value, at_ms, waiting=waiting)
        self.values.put(value)


@pytest.fixture
def written(box: OpenBox) -> Written:
    return Written(box)


AWAY: dict[str, Field] = {"state": "cardd_absent", "lasted_s": 0}


class Watch:
    """A clock that only runs when told, and a card that was left there."""

    def __init__(self) -> None:
        self.seconds = 1000.0
        self.left_s = 0.0


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def report(written: Written, box: OpenBox, watch: Watch) -> Iterator[ReaderReport]:
    report = ReaderReport(written, box.room, box.clock.now_ms, lambda: watch.seconds)
    report.start(lambda: watch.left_s)
    assert written.values.get(timeout=WAIT_S) == AWAY
    yield report
    report.stop()
    assert not report.alive


def seen(state: CardState, *readers: str, held: bool = False, insertion: int = 0) -> CardEvent:
    return CardEvent(state, readers[0] if readers else "", insertion, held, readers)


def test_every_change_is_written_at_once(report: ReaderReport, written: Written, clock: ManualClock) -> None:
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
            "lasted_s": 0,
            "left_s": 0,
        }
    report.see(None)
    assert written.values.get(timeout=WAIT_S) == AWAY
    signal = written.read(SIGNAL)
    assert signal is not None
    assert signal.at_ms == begun_ms + 2000


@pytest.mark.usefixtures("_short_period")
def test_how_long_it_lasts_begins_anew_with_the_next_card_and_with_nothing_less(
    report: ReaderReport, written: Written, watch: Watch
) -> None:
    def lasted_s() -> Field:
        while not written.values.empty():
            written.values.get()
        written.values.get(timeout=WAIT_S)  # it may have been on its way
        return written.values.get(timeout=WAIT_S)["lasted_s"]

    for event, expected in (
        (seen(CardState.PRESENT, "A 00 00", insertion=1), 60),
        (seen(CardState.PRESENT, "A 00 00", "B 01 00", insertion=1), 120),  # another reader is no other card
        (seen(CardState.PRESENT, "A 00 00", insertion=2), 60),
        (seen(CardState.MUTE, "A 00 00", insertion=2), 60),
        (seen(CardState.MUTE, "A 00 00", insertion=2, held=True), 60),
        (None, 60),
    ):
        report.see(event)
        watch.seconds += 60
        assert lasted_s() == expected


@pytest.mark.usefixtures("_short_period")
def test_a_card_that_was_left_is_told_with_its_time(report: ReaderReport, written: Written, watch: Watch) -> None:
    report.see(seen(CardState.PRESENT, "A 00 00", insertion=1))
    watch.left_s = 312.7
    while (value := written.values.get(timeout=WAIT_S))["state"] != "present" or not value["left_s"]:
        pass
    assert value["left_s"] == 312


def test_more_readers_than_a_sentence_can_name_are_counted(report: ReaderReport, written: Written) -> None:
    report.see(seen(CardState.EMPTY, *(f"A 0{number} 00" for number in range(5))))
    value = written.values.get(timeout=WAIT_S)
    assert (value["found"], value["many"]) == ("A 00 00 / A 01 00 / A 02 00 / A 03 00", 5)


@pytest.mark.parametrize(
    ("readers", "many"),
    [
        (("Virtual PCD 00 00", "Virtual PCD 00 01"), 1),
        (("Sony FeliCa Port/PaSoRi 4.0 00 00", "Sony FeliCa Port/PaSoRi 4.0 01 00"), 2),
        (("ACS ACR1252 [ACR1252 PICC] 00 00", "ACS ACR1252 [ACR1252 SAM] 01 00"), 1),
        (("ACS ACR1252 [ACR1252 PICC] (A7) 00 00", "ACS ACR1252 [ACR1252 PICC] (A8) 01 00"), 2),
        (("Alpha Reader 00 00", "Beta Reader 01 00"), 2),
    ],
)
def test_slots_and_interfaces_of_one_device_are_one_reader(
    report: ReaderReport, written: Written, readers: tuple[str, ...], many: int
) -> None:
    report.see(seen(CardState.EMPTY, *readers))
    assert written.values.get(timeout=WAIT_S)["many"] == many


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
def test_a_sign_of_life_comes_by_itself(report: ReaderReport, written: Written) -> None:
    assert [written.values.get(timeout=WAIT_S) for _ in range(3)] == [AWAY] * 3


def eventually(seen: Callable[[], bool]) -> None:
    end = time.monotonic() + WAIT_S
    while not seen():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("error", [DiskFullError(), ReadOnlyError(), StoreError(kind="ioerr")])
def test_a_disk_that_takes_nothing_does_not_end_it_and_is_told(
    report: ReaderReport, written: Written, error: UnavailableError
) -> None:
    assert report.fault is None
    written.refusal = error
    report.see(seen(CardState.EMPTY, "A"))
    assert written.values.get(timeout=WAIT_S) == {"refused": True}
    eventually(lambda: report.fault == error.code)
    assert report.alive
    report.see(seen(CardState.PRESENT, "A"))
    assert written.values.get(timeout=WAIT_S)["state"] == "present"
    eventually(lambda: report.fault is None)


def test_somebody_else_who_writes_is_no_fault(report: ReaderReport, written: Written) -> None:
    written.refusal = StoreBusyError()
    report.see(seen(CardState.EMPTY, "A"))
    assert written.values.get(timeout=WAIT_S) == {"refused": True}
    report.see(seen(CardState.PRESENT, "A"))
    written.values.get(timeout=WAIT_S)
    assert report.fault is None


def test_a_reserve_that_is_given_up_is_a_fault_until_it_is_filled_again(
    report: ReaderReport, written: Written, box: OpenBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    box.room.restore()
    assert box.room.reserve.give_up()
    with monkeypatch.context() as full:
        full.setattr("appliance.services.room.Room.restore", lambda _: None)
        report.see(seen(CardState.EMPTY, "A"))
        eventually(lambda: report.fault == "store.disk_full")
    report.see(seen(CardState.PRESENT, "A"))
    eventually(lambda: report.fault is None)
    assert not box.room.reserve.given_up
