"""The picture of the line stands on its feet: inside its frame, in order, with round numbers beside it."""

import pytest

from appliance.programs.staff.line_picture import BOTTOM, HEIGHT, LEFT, RIGHT, TOP, WIDTH, draw, mbit
from appliance.services.line import LineView, Measuring
from appliance.store.line import LineSample

NOW = 1_790_000_000_000
DAY = 86_400_000


def view(*bit_s: int, recommended: int | None = 216_000_000) -> LineView:
    samples = [LineSample(NOW - 7 * DAY * (len(bit_s) - 1 - at), one, 8, 1) for at, one in enumerate(bit_s)]
    return LineView(NOW, 120, recommended, samples, Measuring.NONE)


def test_without_a_measurement_there_is_no_picture() -> None:
    assert draw(view()) is None


@pytest.mark.parametrize("bit_s", [(0,), (1,), (54_000_000,), (900_000_000, 1_000_000), tuple(range(0, 52_000, 1_000))])
@pytest.mark.parametrize("recommended", [None, 2_000_000, 957_000_000])
def test_every_point_lies_in_the_frame_and_in_its_order(bit_s: tuple[int, ...], recommended: int | None) -> None:
    picture = draw(view(*bit_s, recommended=recommended))
    assert picture is not None
    places = [(one.x, one.y) for one in picture.points]
    assert places == sorted(places, key=lambda place: place[0])
    assert all(LEFT <= x <= WIDTH - RIGHT and TOP <= y <= HEIGHT - BOTTOM for x, y in places)
    assert len(picture.rows) <= 6
    assert picture.path.count(",") == len(bit_s)


def test_a_faster_measurement_stands_higher_and_the_recommendation_in_its_place() -> None:
    picture = draw(view(50_000_000, 100_000_000))
    assert picture is not None
    slow, fast = picture.points
    assert picture.recommended_y is not None
    assert picture.recommended_y < fast.y < slow.y
    assert [row.text for row in picture.rows] == ["0", "50", "100", "150", "200"]


@pytest.mark.parametrize(("bit_s", "text"), [(0, "0"), (940_000, "0.9"), (2_000_000, "2"), (54_321_000, "54")])
def test_a_rate_is_said_in_as_many_digits_as_one_would_say(bit_s: int, text: str) -> None:
    assert mbit(bit_s) == text
