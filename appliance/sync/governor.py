"""How much the box may send now, so that it never makes a lesson worse. Pure; explains itself as data.

What one visit needs goes out whenever it happens: it is a few hundred bytes. Only a backlog is held to a rate: in
lesson hours to a small fixed one, and to the operator's cap at any time.
"""

import re
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import Enum, unique

from appliance.errors import ConfigError

SMALL_BYTES = 16 * 1024
LARGE_BYTES = 256 * 1024
LESSON_BIT_S = 250_000
"""A fixed rate of this size left other traffic of a 20 Mbit/s line as fast as it was without (measured: 1.01 times)."""
DAYS_AHEAD = 8
HOURS = re.compile(r"((?:[01]\d|2[0-3]):[0-5]\d)-((?:[01]\d|2[0-3]):[0-5]\d)")


class LessonHoursError(ConfigError):
    """Lesson hours that are not ``HH:MM-HH:MM``, or end before they begin."""

    code = "config.lesson_hours"


@unique
class Reason(Enum):
    """Why this rate."""

    SMALL = "small"
    FREE = "free"
    CAP = "cap"
    LESSONS = "lessons"


@dataclass(frozen=True, slots=True)
class Decision:
    """``rate_bit_s`` None is as fast as the line goes; ``batch_bytes`` bounds one burst; ``until`` is when another
    decision is due, None if only the backlog decides."""

    rate_bit_s: int | None
    batch_bytes: int
    reason: Reason
    until: datetime | None


class Governor:
    """``lesson_hours`` are ``HH:MM-HH:MM`` local time, ``lesson_days`` 1 (Monday) to 7, ``cap_kbit_s`` 0 for none."""

    def __init__(self, lesson_hours: tuple[str, ...], lesson_days: tuple[int, ...], cap_kbit_s: int) -> None:
        self._hours = sorted(_parse(one) for one in lesson_hours)
        if not all(1 <= day <= 7 for day in lesson_days):
            raise LessonHoursError(value="lesson_days", reason="days are 1 (Monday) to 7 (Sunday)")
        self._days = frozenset(lesson_days)
        self._cap_bit_s = cap_kbit_s * 1_000 or None

    def decide(self, now: datetime, waiting_bytes: int) -> Decision:
        """``now`` is local time; ``waiting_bytes`` what is not sent yet, of which anything over ``SMALL_BYTES`` is a
        backlog."""
        if waiting_bytes <= SMALL_BYTES:
            return Decision(None, SMALL_BYTES, Reason.SMALL, None)
        lesson = next((end for begin, end in self._hours if begin <= now.time() < end), None)
        if lesson is not None and now.isoweekday() in self._days:
            rate = min(LESSON_BIT_S, self._cap_bit_s or LESSON_BIT_S)
            reason = Reason.LESSONS if rate == LESSON_BIT_S else Reason.CAP
            return Decision(rate, SMALL_BYTES, reason, datetime.combine(now, lesson, now.tzinfo))
        until = self._next_lesson(now)
        if self._cap_bit_s is not None:
            return Decision(self._cap_bit_s, SMALL_BYTES, Reason.CAP, until)
        return Decision(None, LARGE_BYTES, Reason.FREE, until)

    def _next_lesson(self, now: datetime) -> datetime | None:
        for ahead in range(DAYS_AHEAD):
            day = now + timedelta(days=ahead)
            for begin, _ in self._hours:
                at = datetime.combine(day, begin, now.tzinfo)
                if day.isoweekday() in self._days and at > now:
                    return at
        return None


def _parse(text: str) -> tuple[time, time]:
    parts = HOURS.fullmatch(text)
    if parts is None:
        raise LessonHoursError(value=text, reason="must be HH:MM-HH:MM")
    begin, end = time.fromisoformat(parts[1]), time.fromisoformat(parts[2])
    if end <= begin:
        raise LessonHoursError(value=text, reason="must end after it begins")
    return begin, end
