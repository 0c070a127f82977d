"""The state of the box in the words of the staff site."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from appliance.ledger.entry import EPOCH_MS
from appliance.services.backlog import explain_backlog, sentences_of
from appliance.services.checks import problems
from appliance.services.condition import NOTE, Condition, Problem
from appliance.web.catalogue import Catalogue


@dataclass(frozen=True)
class Told:
    """A problem as the page shows it."""

    severity: str
    code: str
    what: str
    means: str
    cure: str


@dataclass(frozen=True)
class State:
    """``line`` is ``online``, ``offline``, ``silent`` or ``none`` (not enrolled); ``reader`` a card state or
    ``silent``; ``notes`` are to be known, and leave the box well."""

    condition: Condition
    problems: list[Told]
    notes: list[Told]
    line: str
    reader: str
    sent_size: int
    line_since: datetime | None
    confirmed_at: datetime | None
    reason: str
    backlog: str

    @property
    def well(self) -> bool:
        return not self.problems

    @property
    def clock_wrong(self) -> bool:
        """Whether the box does not know which day it is."""
        return any(one.code.startswith("clock.") for one in self.problems)


class Presenter:
    """Turns a ``Condition`` into what a page shows."""

    def __init__(
        self, observe: Callable[[], Condition], sentences: Catalogue, line_bit_s: Callable[[], int | None]
    ) -> None:
        self._observe, self._sentences, self._line_bit_s = observe, sentences, line_bit_s

    def state(self) -> State:
        """The state now; a program that has said nothing for some time counts as silent."""
        condition = self._observe()
        sync = condition.sync.value if condition.sync is not None else {}
        silent = condition.sync is None or condition.sync.age_ms > 120_000
        if not condition.enrolled:
            line = "none"
        elif silent:
            line = "silent"
        else:
            line = "online" if sync.get("connected") else "offline"
        reader = "silent"
        if condition.reader is not None and condition.reader.age_ms <= 60_000:
            reader = str(condition.reader.value.get("state"))
        found = problems(condition)
        return State(
            condition=condition,
            problems=[self._told(one) for one in found if one.severity != NOTE],
            notes=[self._told(one) for one in found if one.severity == NOTE],
            line=line,
            reader=reader,
            sent_size=_number(sync.get("sent_size")) if line == "online" else 0,
            line_since=_when(sync.get("since_ms")),
            confirmed_at=_when(sync.get("confirmed_ms")),
            reason=str(sync.get("reason") or ""),
            backlog="".join(
                self._sentences.text("ja", code, "", **fields)
                for code, fields in sentences_of(explain_backlog(condition, self._line_bit_s()))
            ),
        )

    def _told(self, problem: Problem) -> Told:
        what, means, cure = (
            self._sentences.text("ja", problem.code, part, **problem.fields) for part in ("", "means", "next")
        )
        return Told(problem.severity, problem.code, what, means, cure)


def _when(ms: object) -> datetime | None:
    """A time that can be: one before the ledgers' epoch was told by a clock that was not set."""
    return datetime.fromtimestamp(ms / 1000).astimezone() if isinstance(ms, int) and ms >= EPOCH_MS else None


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
