"""How much may go now, and why."""

from datetime import datetime, timedelta, timezone

import pytest

from appliance.config import Sync
from appliance.sync.governor import LARGE_BYTES, LESSON_BIT_S, SMALL_BYTES, Decision, Governor, LessonHoursError, Reason

JAPAN = timezone(timedelta(hours=9))
SHIPPED = Sync()
BACKLOG = SMALL_BYTES + 1


def at(day: int, clock: str) -> datetime:
    """In November 2026, of which the second is a Monday."""
    hour, minute = clock.split(":")
    return datetime(2026, 11, day, int(hour), int(minute), tzinfo=JAPAN)


def governor(cap_kbit_s: int = 0) -> Governor:
    return Governor(SHIPPED.lesson_hours, SHIPPED.lesson_days, cap_kbit_s)


@pytest.mark.parametrize("now", [at(2, "09:00"), at(2, "23:00"), at(7, "09:00")])
@pytest.mark.parametrize("cap", [0, 64])
def test_a_visit_goes_at_once_at_any_time(now: datetime, cap: int) -> None:
    assert governor(cap).decide(now, SMALL_BYTES) == Decision(None, SMALL_BYTES, Reason.SMALL, None)


@pytest.mark.parametrize(
    ("now", "until"),
    [("08:30", "12:30"), ("12:29", "12:30"), ("13:20", "15:30")],
)
def test_a_backlog_is_slow_in_lessons(now: str, until: str) -> None:
    assert governor().decide(at(2, now), BACKLOG) == Decision(LESSON_BIT_S, SMALL_BYTES, Reason.LESSONS, at(2, until))


@pytest.mark.parametrize(
    ("now", "until"),
    [
        (at(2, "08:29"), at(2, "08:30")),
        (at(2, "12:30"), at(2, "13:20")),
        (at(2, "15:30"), at(3, "08:30")),
        (at(6, "15:30"), at(9, "08:30")),  # Friday afternoon: free until Monday
        (at(7, "10:00"), at(9, "08:30")),
    ],
)
def test_a_backlog_is_free_outside_lessons(now: datetime, until: datetime) -> None:
    assert governor().decide(now, BACKLOG) == Decision(None, LARGE_BYTES, Reason.FREE, until)


def test_the_operators_cap_always_holds() -> None:
    assert governor(64).decide(at(2, "20:00"), BACKLOG).rate_bit_s == 64_000
    in_lessons = governor(64).decide(at(2, "09:00"), BACKLOG)
    assert (in_lessons.rate_bit_s, in_lessons.reason) == (64_000, Reason.CAP)
    assert governor(1_000).decide(at(2, "09:00"), BACKLOG).rate_bit_s == LESSON_BIT_S
    assert governor(1_000).decide(at(2, "20:00"), BACKLOG).reason is Reason.CAP


def test_a_school_without_lessons_is_always_free() -> None:
    assert Governor((), (), 0).decide(at(2, "09:00"), BACKLOG) == Decision(None, LARGE_BYTES, Reason.FREE, None)


@pytest.mark.parametrize("hours", ["8:30-12:30", "08:30", "08:30-24:00", "12:30-08:30", "08:30-08:30", "a-b", ""])
def test_hours_that_make_no_sense_are_named(hours: str) -> None:
    with pytest.raises(LessonHoursError) as wrong:
        Governor((hours,), (1,), 0)
    assert wrong.value.fields["value"] == hours
    with pytest.raises(LessonHoursError):
        Governor((), (0,), 0)
