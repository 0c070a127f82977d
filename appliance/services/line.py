"""What staff see of the school's line: measured, recommended, and how it went over the months."""

from dataclasses import dataclass
from enum import Enum, unique

from appliance.clock import Clock
from appliance.errors import Field
from appliance.school.bandwidth import recommended_mbit_s
from appliance.store.line import LineSample, LineStore
from appliance.store.people import PeopleStore
from appliance.store.signal import SignalStore

WANTED_SIGNAL = "line_wanted"
"""Under this name somebody asks for a measurement now."""
PROBE_SIGNAL = "line_probe"
"""Under this name the sending program says how the last one went: ``state`` is a ``Measuring``."""
HISTORY_MS = 366 * 86_400_000
PATIENCE_MS = 20_000
"""So long a wish waits for the sending program; after that nobody is there to measure."""


@unique
class Measuring(Enum):
    """How the measurement stands that was asked for."""

    NONE = "none"
    RUNNING = "running"
    DONE = "done"
    LESSONS = "lessons"
    OFFLINE = "offline"
    BUSY = "busy"
    FAILED = "failed"
    SILENT = "silent"


@dataclass(frozen=True)
class LineView:
    """``recommended_bit_s`` is None for a school of which no pupils are known; ``samples`` are a year, the oldest
    first."""

    now_ms: int
    pupils: int
    recommended_bit_s: int | None
    samples: list[LineSample]
    measuring: Measuring

    @property
    def latest(self) -> LineSample | None:
        return self.samples[-1] if self.samples else None

    @property
    def share(self) -> float | None:
        """What the line carries of what is recommended."""
        if self.latest is None or not self.recommended_bit_s:
            return None
        return self.latest.bit_s / self.recommended_bit_s


class SchoolLine:
    """Reads the history, and asks the sending program to measure now."""

    def __init__(self, line: LineStore, people: PeopleStore, signals: SignalStore, clock: Clock) -> None:
        self._line, self._people, self._signals, self._clock = line, people, signals, clock

    def view(self) -> LineView:
        now_ms, pupils = self._clock.now_ms(), self._people.count("pupil")
        mbit_s = recommended_mbit_s(pupils)
        return LineView(
            now_ms,
            pupils,
            None if mbit_s is None else mbit_s * 1_000_000,
            self._line.since(now_ms - HISTORY_MS),
            self._measuring(now_ms),
        )

    def bit_s(self) -> int | None:
        """What the line carried when it was last measured."""
        latest = self._line.latest()
        return None if latest is None else latest.bit_s

    def measure(self) -> None:
        """Asks for a measurement; ``view`` tells what became of it."""
        word: dict[str, Field] = {}
        self._signals.write(WANTED_SIGNAL, word, self._clock.now_ms())

    def _measuring(self, now_ms: int) -> Measuring:
        wanted, told = self._signals.read(WANTED_SIGNAL), self._signals.read(PROBE_SIGNAL)
        if told is not None and (wanted is None or told.value.get("wanted_ms") == wanted.at_ms):
            state = Measuring(told.value["state"])
            fresh = abs(now_ms - told.at_ms) < PATIENCE_MS
            return state if fresh or state is not Measuring.RUNNING else Measuring.SILENT
        if wanted is None:
            return Measuring.NONE
        return Measuring.RUNNING if abs(now_ms - wanted.at_ms) < PATIENCE_MS else Measuring.SILENT
