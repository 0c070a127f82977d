"""The picture of the line: each measurement as a point over time, and the recommendation as a line across."""

from dataclasses import dataclass
from datetime import datetime

from appliance.services.line import LineView
from appliance.store.line import LineSample

WIDTH, HEIGHT = 720, 280
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 24, 34
STEPS = (1, 2, 5)
DAY_MS = 86_400_000
LABELS = 5


@dataclass(frozen=True)
class Mark:
    """A place on the picture, in pixels from its upper left corner, and what stands there."""

    x: float
    y: float
    text: str


@dataclass(frozen=True)
class Picture:
    """``points`` are the measurements; ``rows`` and ``days`` the scales; ``recommended_y`` where the line goes."""

    width: int
    height: int
    left: int
    right: int
    bottom: int
    points: list[Mark]
    rows: list[Mark]
    days: list[Mark]
    recommended_y: float | None

    @property
    def path(self) -> str:
        """The points for an SVG ``polyline``."""
        return " ".join(f"{one.x},{one.y}" for one in self.points)


def draw(view: LineView) -> Picture | None:
    """The picture of the measurements; None while there are none."""
    if not view.samples:
        return None
    top = max(view.recommended_bit_s or 0, 10_000, *(one.bit_s for one in view.samples)) * 1.05
    step = _step(top)
    first_ms = min(view.samples[0].at_ms, view.now_ms - 30 * DAY_MS)
    span_ms = max(view.now_ms, view.samples[-1].at_ms) - first_ms

    def x_of(at_ms: int) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (at_ms - first_ms) / span_ms, 1)

    def y_of(bit_s: float) -> float:
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * bit_s / top, 1)

    days = [first_ms + span_ms * number // (LABELS - 1) for number in range(LABELS)]
    return Picture(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        bottom=HEIGHT - BOTTOM,
        points=[
            Mark(x_of(one.at_ms), y_of(one.bit_s), f"{_day(one.at_ms)} {mbit(one.bit_s)} Mbit/s")
            for one in view.samples
        ],
        rows=[Mark(LEFT, y_of(bit_s), mbit(bit_s)) for bit_s in _rows(step, top)],
        days=[Mark(x_of(at_ms), HEIGHT - BOTTOM, _day(at_ms)) for at_ms in days],
        recommended_y=None if view.recommended_bit_s is None else y_of(view.recommended_bit_s),
    )


def mbit(bit_s: int) -> str:
    """Mbit/s with as many digits as one would say."""
    value = bit_s / 1_000_000
    return f"{value:.0f}" if value >= 10 or value == round(value) else f"{value:.1f}"


def _rows(step: int, top: float) -> list[int]:
    return list(range(0, int(top) + 1, step))


def _step(top: float) -> int:
    """A round step in bit/s that gives two to five rows."""
    decade = 10_000
    while True:
        for factor in STEPS:
            if top / (factor * decade) <= 5:
                return factor * decade
        decade *= 10


def _told(one: LineSample) -> str:
    return f"{_day(one.at_ms)} {mbit(one.bit_s)} Mbit/s"


def _day(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / 1000).astimezone()
    return f"{at.month}月{at.day}日"
