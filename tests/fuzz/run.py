"""Coverage-guided fuzzing of what parses the words of cards, readers and peers.

``python -m tests.fuzz.run TARGET --runs N [--seconds S]`` feeds one target in a process of its own. An input that
breaks one of its promises is kept among the vectors as ``TARGET.unnamed-*.bin``. It gets the name of its defect when
that is mended, and is tried in every run of the tests from then on. ``--replay FILE`` tries one alone.
"""

import argparse
import hashlib
import importlib
import re
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).parents[2]
VECTORS = ROOT / "tests" / "vectors" / "card"
TARGETS = ("tlv", "apdu", "session", "server", "client", "certificate", "anchors")
UNNAMED = "unnamed"
FOUND = re.compile(r"found-(crash|timeout|oom)-")
DONE = re.compile(r"DONE\s+cov: (\d+)")
ENDED = re.compile(r"Done (\d+) runs in (\d+) second")
CAUSE = re.compile(r"=== Uncaught Python exception: ===\n(.*?)\n==\d+==", re.DOTALL)
HUNG_S = 20


class FuzzerError(Exception):
    """The fuzzer itself did not run; the text is the end of what it said."""


@dataclass(frozen=True)
class Outcome:
    """``coverage`` counts the places of the product that were reached. ``finding`` is the input that broke a promise,
    ``cause`` what it broke; None and nothing if there was none."""

    runs: int
    seconds: int
    coverage: int
    finding: Path | None = None
    cause: str = ""


def load(target: str) -> ModuleType:
    """The module of a target: ``one(data)`` raises for an input that breaks a promise, ``seeds()`` gives good ones."""
    return importlib.import_module(f"tests.fuzz.{target}")


def fuzz(
    target: str, runs: int, seconds: int = 0, seed: int = 0, vectors: Path = VECTORS, hung_s: int = HUNG_S
) -> Outcome:
    """Ends after so many inputs, at the first finding, or after so many seconds if they are not 0.

    A seed of 0 is another one every time. Raises ``FuzzerError``.
    """
    with tempfile.TemporaryDirectory(prefix="fuzz-") as place:
        options = [f"-runs={runs}", f"-max_total_time={seconds}", f"-seed={seed}", f"-timeout={hung_s}"]
        command = [sys.executable, "-m", "tests.fuzz.engine", target, place, *options]
        engine = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        said = engine.stdout.decode(errors="replace")
        found = next((one for one in Path(place).iterdir() if FOUND.match(one.name)), None)
        if found is not None:
            return Outcome(0, 0, 0, _kept(target, found, vectors), _cause(found.name, said))
    done, ended = DONE.search(said), ENDED.search(said)
    if engine.returncode or done is None or ended is None:
        raise FuzzerError(said[-4000:])
    return Outcome(int(ended[1]), int(ended[2]), int(done[1]))


def main() -> int:
    """0: every promise held; 1: one was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.run")
    parser.add_argument("target", choices=TARGETS)
    parser.add_argument("--runs", type=int, default=10_000, help="inputs; -1 for no end")
    parser.add_argument("--seconds", type=int, default=0, help="the longest that it may take; 0 for no end")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--replay", type=Path, help="tries this one input, in this process")
    wish = parser.parse_args()
    if wish.replay is not None:
        load(wish.target).one(wish.replay.read_bytes())
        print(f"{wish.target}: every promise held")
        return 0
    outcome = fuzz(wish.target, wish.runs, wish.seconds, wish.seed)
    if outcome.finding is not None:
        print(f"{outcome.cause}\n{wish.target}: this broke a promise and is kept as {outcome.finding}")
        print(f"try it again: python -m tests.fuzz.run {wish.target} --replay {outcome.finding}")
        return 1
    print(f"{wish.target}: {outcome.runs} inputs in {outcome.seconds} s, {outcome.coverage} places reached")
    return 0


def _kept(target: str, found: Path, vectors: Path) -> Path:
    data = found.read_bytes()
    kept = vectors / f"{target}.{UNNAMED}-{hashlib.sha256(data).hexdigest()[:8]}.bin"
    kept.write_bytes(data)
    return kept


def _cause(name: str, said: str) -> str:
    match = CAUSE.search(said)
    if match is not None:
        return match[1]
    return "it hung" if "timeout" in name else "it took too much memory" if "oom" in name else said[-2000:]


if __name__ == "__main__":
    sys.exit(main())
