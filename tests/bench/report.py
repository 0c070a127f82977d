"""How every benchmark tells what it measured: one JSON object a line with ``--json``, else a table for a person.

A benchmark is a program that parses ``arguments``, yields its figures, and ends with what ``report`` returns.
"""

import argparse
import json
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TextIO

FINE, MISSED, COULD_NOT_RUN = 0, 1, 2
DIGITS: Final = 3
VERDICTS: Final = {True: "ok", False: "MISSED", None: "not measured"}
ROW: Final = "{:<36} {:>11} {:<17} {:<10} {:<12} {}"


@dataclass(frozen=True)
class Figure:
    """One value beside what was promised and what else was measured in the same run and unit.

    ``target`` is the most that is allowed, the least where ``more_is_better``, None where nothing was promised; it
    bounds the value, or with ``of_ratio`` what the value is to the reference. A ``value`` of None was not measured,
    and ``why`` says for what reason; anything else raises ``ValueError``, as does ``of_ratio`` without a reference.
    """

    bench: str
    name: str
    value: float | None
    unit: str
    reference: float | None = None
    reference_is: str | None = None
    target: float | None = None
    more_is_better: bool = False
    of_ratio: bool = False
    why: str | None = None

    def __post_init__(self) -> None:
        if (self.value is None) != (self.why is not None):
            raise ValueError(f"{self.name} needs a value, or a reason why there is none")
        if self.of_ratio and self.value is not None and self.ratio is None:
            raise ValueError(f"{self.name} is judged by its reference, and there is none")

    @property
    def ratio(self) -> float | None:
        return self.value / self.reference if self.value is not None and self.reference else None

    @property
    def ok(self) -> bool | None:
        """Whether the promise is kept, as it always is where there was none; None if it was not measured."""
        judged = self.ratio if self.of_ratio else self.value
        if judged is None:
            return None
        if self.target is None:
            return True
        return judged >= self.target if self.more_is_better else judged <= self.target

    def line(self) -> str:
        """The figure as one line of JSON; numbers that are none (NaN, infinite) are no JSON: ``ValueError``."""
        said: dict[str, object] = {
            "bench": self.bench,
            "name": self.name,
            "value": _rounded(self.value),
            "unit": self.unit,
            "reference": _rounded(self.reference),
            "reference_is": self.reference_is,
            "ratio": None if self.ratio is None else float(f"{self.ratio:.{DIGITS}g}"),
            "target": self.target,
            "ok": self.ok,
        }
        if self.why is not None:
            said["why"] = self.why
        return json.dumps(said, ensure_ascii=False, separators=(",", ":"), allow_nan=False)

    def row(self) -> str:
        """The figure as a row under ``heading``."""
        sign, times = ">=" if self.more_is_better else "<=", "x" if self.of_ratio else ""
        bound = "" if self.target is None else f"{sign} {_text(self.target)}{times}"
        beside = [] if self.reference is None else [_text(self.reference)]
        beside += [f"({self.reference_is})"] if self.reference_is else []
        said = self.why if self.why is not None else " ".join(beside)
        return ROW.format(self.name, _text(self.value), self.unit, bound, VERDICTS[self.ok], said).rstrip()


def heading() -> str:
    return ROW.format("figure", "value", "unit", "target", "verdict", "reference").rstrip()


def arguments(bench: str, description: str) -> argparse.ArgumentParser:
    """The parser that every benchmark begins with; it has ``--json``."""
    parser = argparse.ArgumentParser(prog=f"scripts/bench/{bench}", description=description)
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    return parser


def report(figures: Iterable[Figure], as_json: bool, out: TextIO) -> int:
    """Prints each figure as soon as it is there.

    Returns 1 if any missed its target, else 2 if none at all could be measured, else 0.
    """
    if not as_json:
        print(heading(), file=out, flush=True)
    verdicts = []
    for figure in figures:
        print(figure.line() if as_json else figure.row(), file=out, flush=True)
        verdicts.append(figure.ok)
    if not as_json:
        counted = (f"{verdicts.count(verdict)} {word}" for verdict, word in VERDICTS.items())
        print(", ".join(counted), file=out, flush=True)
    if False in verdicts:
        return MISSED
    return FINE if True in verdicts else COULD_NOT_RUN


def percentile(values: Sequence[float], percent: float) -> float:
    """The least of the values that at least so many percent of them do not exceed (nearest rank); 0 to 100.

    Raises ``ValueError`` without values.
    """
    if not values:
        raise ValueError("no values, no percentile")
    return sorted(values)[max(0, math.ceil(len(values) * percent / 100) - 1)]


def _rounded(value: float | None) -> float | None:
    return round(value, DIGITS) if isinstance(value, float) else value


def _text(value: float | None) -> str:
    return "-" if value is None else f"{value:,.{DIGITS}f}".rstrip("0").rstrip(".")
