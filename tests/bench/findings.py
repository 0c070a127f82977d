"""What was found after interrupting acts: counted, judged and told in the same way whoever interrupts them."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from appliance.errors import MadoguchiError
from tests.bench.report import Figure
from tests.sim.durable.act import Act, Fact, LostError, UnusableError
from tests.sim.durable.acts import ACTS


@dataclass
class Findings:
    """Of one act. ``in_the_middle`` is None where that makes no difference; the texts say where and what."""

    act: str
    tried: int = 0
    acknowledged: int = 0
    in_the_middle: int | None = None
    lost: list[str] = field(default_factory=list)
    unusable: list[str] = field(default_factory=list)

    def look(self, act: Act, folder: Path, facts: list[Fact], where: str) -> list[Fact]:
        """Counts one interruption; what is there now and must stay, nothing if the box cannot go on."""
        self.tried += 1
        try:
            return act.check(folder, facts)
        except LostError as error:
            self.lost.append(f"{where}: {error}")
        except (UnusableError, MadoguchiError, OSError, ValueError) as error:
            self.unusable.append(f"{where}: {error!r}")
        return []

    def figures(self, bench: str, tried: str) -> Iterator[Figure]:
        """``tried`` names what was done to the act: ``kills``."""
        yield Figure(bench, f"{self.act}_{tried}", self.tried, "1")
        if self.in_the_middle is not None:
            yield Figure(bench, f"{self.act}_in_the_middle", self.in_the_middle, "1", target=1, more_is_better=True)
        yield Figure(bench, f"{self.act}_acknowledged", self.acknowledged, "1")
        yield Figure(bench, f"{self.act}_lost", len(self.lost), "1", target=0)
        yield Figure(bench, f"{self.act}_unusable", len(self.unusable), "1", target=0)


def shares(total: int) -> dict[Act, int]:
    """How many of all interruptions each act gets: one at least, else by its share."""
    whole = sum(act.share for act in ACTS)
    ends = [round(total * sum(act.share for act in ACTS[: number + 1]) / whole) for number in range(len(ACTS))]
    begins = [0, *ends[:-1]]
    return {act: max(1, end - begin) for act, begin, end in zip(ACTS, begins, ends, strict=True)}


def conclude(found: list[Findings], as_json: bool, bench: str, tried: str) -> None:
    """Tells every fault on standard error, and with ``as_json`` sums up all acts in a last line."""
    for one in found:
        sys.stderr.writelines(f"{fault}\n" for fault in one.lost + one.unusable)
    if as_json:
        sys.stdout.write(f"{summary(found, bench, tried)}\n")


def summary(found: list[Findings], bench: str, tried: str) -> str:
    """All acts in one line of JSON."""
    said = {
        "bench": bench,
        tried: sum(one.tried for one in found),
        "acknowledged": sum(one.acknowledged for one in found),
        "lost": sum(len(one.lost) for one in found),
        "verify": "failed" if any(one.unusable for one in found) else "ok",
    }
    return json.dumps(said, separators=(",", ":"))
