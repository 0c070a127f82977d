"""The line as staff see it: measured, recommended, and what became of asking for a measurement."""

import pytest

from appliance.services.line import HISTORY_MS, PATIENCE_MS, PROBE_SIGNAL, WANTED_SIGNAL, Measuring, SchoolLine
from appliance.services.opening import OpenBox
from appliance.store.line import LineSample, LineStore
from appliance.store.people import PeopleStore
from appliance.store.signal import SignalStore
from tests.sim.clock import ManualClock


@pytest.fixture
def signals(box: OpenBox) -> SignalStore:
    return SignalStore(box.database)


@pytest.fixture
def line(box: OpenBox, signals: SignalStore, clock: ManualClock) -> SchoolLine:
    return SchoolLine(LineStore(box.database), PeopleStore(box.database), signals, clock)


def test_a_new_box_knows_nothing_of_its_line(line: SchoolLine) -> None:
    view = line.view()
    assert (view.pupils, view.recommended_bit_s, view.latest, view.share, view.samples) == (0, None, None, None, [])
    assert view.measuring is Measuring.NONE


def test_the_latest_measurement_stands_against_the_recommendation(
    line: SchoolLine, box: OpenBox, clock: ManualClock
) -> None:
    with box.database.transaction() as transaction:
        transaction.run_many(
            "INSERT INTO person VALUES (?, 'pupil', '見本', 'ミホン', '1年1組', 1, 0, 1)",
            [(f"pupil-{number}",) for number in range(120)],
        )
    store = LineStore(box.database)
    store.add(LineSample(clock.ms - HISTORY_MS - 1, 9, 9, 9))
    store.add(LineSample(clock.ms - 5, 54_000_000, 8, 1_000))
    view = line.view()
    assert (view.pupils, view.recommended_bit_s, len(view.samples)) == (120, 216_000_000, 1)
    assert view.share == 0.25


def test_a_measurement_that_was_asked_for_is_followed_to_its_end(
    line: SchoolLine, signals: SignalStore, clock: ManualClock
) -> None:
    line.measure()
    assert line.view().measuring is Measuring.RUNNING
    wanted = signals.read(WANTED_SIGNAL)
    assert wanted is not None
    for state in (Measuring.RUNNING, Measuring.LESSONS, Measuring.DONE):
        signals.write(PROBE_SIGNAL, {"state": state.value, "wanted_ms": wanted.at_ms}, clock.ms)
        assert line.view().measuring is state
    clock.advance(PATIENCE_MS)
    assert line.view().measuring is Measuring.DONE
    line.measure()
    assert line.view().measuring is Measuring.RUNNING


@pytest.mark.parametrize("begun", [False, True])
def test_a_sending_program_that_is_not_there_is_told_as_silent(
    line: SchoolLine, signals: SignalStore, clock: ManualClock, begun: bool
) -> None:
    line.measure()
    if begun:
        signals.write(PROBE_SIGNAL, {"state": "running", "wanted_ms": clock.ms}, clock.ms)
    clock.advance(PATIENCE_MS)
    assert line.view().measuring is Measuring.SILENT
