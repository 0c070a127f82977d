"""Measurements are kept in their order, and for two years."""

from appliance.services.opening import OpenBox
from appliance.store.line import KEPT_MS, LineSample, LineStore


def test_measurements_come_back_in_order_and_the_oldest_go(box: OpenBox) -> None:
    line = LineStore(box.database)
    assert (line.latest(), line.since(0)) == (None, [])
    first, second = LineSample(1_000, 20_000_000, 8, 5_000), LineSample(2_000, 30_000_000, 7, 6_000)
    line.add(second)
    line.add(first)
    assert (line.latest(), line.since(0), line.since(1_001)) == (second, [first, second], [second])
    late = LineSample(1_001 + KEPT_MS, 1, 1, 1)
    line.add(late)
    assert line.since(0) == [second, late]


def test_a_measurement_of_the_same_moment_takes_the_place_of_the_one_before(box: OpenBox) -> None:
    line = LineStore(box.database)
    line.add(LineSample(5, 1, 1, 1))
    line.add(LineSample(5, 2, 2, 2))
    assert line.since(0) == [LineSample(5, 2, 2, 2)]
