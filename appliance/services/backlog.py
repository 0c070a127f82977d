"""Why records still wait, how much is left and how long it takes: as data, for the pages and the command line."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum, unique

from appliance.errors import Field
from appliance.services.condition import Condition

SILENT_MS = 120_000
USUAL_BYTES = 120
"""Of an entry on the line, while nothing has been sent yet by which it could be told."""
LEAST_SECONDS = 1


@unique
class Waiting(Enum):
    """What holds the records: nothing to send; on their way; slowed by lessons or by the operator's cap; or no line, no
    enrolment, no word from the program that sends."""

    NOTHING = "nothing"
    SENDING = "sending"
    LESSONS = "lessons"
    CAP = "cap"
    OFFLINE = "offline"
    NOT_ENROLLED = "not_enrolled"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Backlog:
    """``bytes_left`` is an estimate by what entries took lately; ``until_ms`` when another rate begins, None if nothing
    but the records decides; ``seconds`` at the present rate and ``seconds_free`` with nothing in the way, None where
    the rate is not known."""

    waiting: Waiting
    pending: int
    bytes_left: int
    until_ms: int | None
    seconds: int | None
    seconds_free: int | None


def explain_backlog(condition: Condition, line_bit_s: int | None) -> Backlog:
    """``line_bit_s`` is what the line carried when it was last measured, None if it never was."""
    word = condition.sync.value if condition.sync is not None else {}
    bytes_left = condition.pending * (_number(word.get("bytes_an_entry")) or USUAL_BYTES)
    waiting = _waiting(condition)
    held = waiting in (Waiting.LESSONS, Waiting.CAP)
    rate = _number(word.get("rate_bit_s")) if held else line_bit_s if waiting is Waiting.SENDING else None
    until = _number(word.get("until_ms")) if held else None
    return Backlog(
        waiting, condition.pending, bytes_left, until, _seconds(bytes_left, rate), _seconds(bytes_left, line_bit_s)
    )


def _waiting(condition: Condition) -> Waiting:
    if not condition.pending:
        return Waiting.NOTHING
    if not condition.enrolled:
        return Waiting.NOT_ENROLLED
    if condition.sync is None or condition.sync.age_ms > SILENT_MS:
        return Waiting.SILENT
    if not condition.sync.value.get("connected"):
        return Waiting.OFFLINE
    reason = condition.sync.value.get("reason")
    return Waiting(reason) if reason in (Waiting.LESSONS.value, Waiting.CAP.value) else Waiting.SENDING


def _seconds(bytes_left: int, bit_s: int | None) -> int | None:
    return max(LEAST_SECONDS, 8 * bytes_left // bit_s) if bit_s else None


def _number(value: object) -> int | None:
    return value if isinstance(value, int) else None


def sentences_of(backlog: Backlog) -> list[tuple[str, dict[str, Field]]]:
    """What is to be said, as codes of sentences with their fields: why, then how long, then how long without it."""
    fields: dict[str, Field] = {"pending": backlog.pending, "left": _size(backlog.bytes_left)}
    if backlog.until_ms is not None:
        fields["until"] = f"{datetime.fromtimestamp(backlog.until_ms / 1000).astimezone():%H:%M}"
    ending = backlog.waiting is Waiting.LESSONS and backlog.until_ms is not None
    said = [(f"backlog.{backlog.waiting.value}", fields)]
    if backlog.waiting in (Waiting.SENDING, Waiting.LESSONS, Waiting.CAP) and backlog.seconds is not None:
        unit, count = _span(backlog.seconds)
        said.append((f"backlog.takes_{unit}", {"count": count}))
    if ending and backlog.seconds_free is not None:
        unit, count = _span(backlog.seconds_free)
        said.append((f"backlog.later_{unit}", {"count": count, "until": fields["until"]}))
    return said


def _span(seconds: int) -> tuple[str, int]:
    for unit, length in (("hours", 3_600), ("minutes", 60)):
        if seconds >= 2 * length:
            return unit, round(seconds / length)
    return "seconds", seconds


def _size(size: int) -> str:
    return f"{size / 1e6:.1f} MB" if size >= 100_000 else f"{max(1, size // 1_000)} kB"
