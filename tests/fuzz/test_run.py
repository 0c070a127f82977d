"""The runner, with targets that have a defect on purpose."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from tests.fuzz import run
from tests.fuzz.run import FuzzerError, fuzz

pytestmark = [
    pytest.mark.fuzz,
    pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has no wheel for this kind of machine"),
]


def test_a_defect_is_found_and_the_input_kept(tmp_path: Path) -> None:
    outcome = fuzz("canaries.error", 100_000, seed=1, vectors=tmp_path)
    assert "AssertionError: a canary died" in outcome.cause
    assert outcome.finding is not None
    assert [outcome.finding] == list(tmp_path.iterdir())
    assert outcome.finding.name.startswith("canaries.error.unnamed-")
    with pytest.raises(AssertionError, match="a canary died"):
        run.load("canaries.error").one(outcome.finding.read_bytes())


def test_a_hang_is_a_finding(tmp_path: Path) -> None:
    outcome = fuzz("canaries.hang", 10, vectors=tmp_path, hung_s=1)
    assert outcome.cause == "it hung"
    assert outcome.finding is not None
    assert outcome.finding.read_bytes() == b"long"


def test_a_fuzzer_that_does_not_run_says_so() -> None:
    with pytest.raises(FuzzerError, match="No module named"):
        fuzz("nothing", 10)


def test_it_says_what_it_did_or_what_it_found(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "argv", ["run", "tlv", "--runs", "200"])
    assert run.main() == 0
    assert capsys.readouterr().out.startswith("tlv: 200 inputs in ")
    monkeypatch.setattr(run, "TARGETS", ("canaries.error",))
    monkeypatch.setattr(run, "fuzz", lambda *_: fuzz("canaries.error", 100_000, seed=1, vectors=tmp_path))
    monkeypatch.setattr(sys, "argv", ["run", "canaries.error"])
    assert run.main() == 1
    out = capsys.readouterr().out
    assert "a canary died" in out
    (kept,) = tmp_path.iterdir()
    monkeypatch.setattr(sys, "argv", ["run", "canaries.error", "--replay", str(kept)])
    with pytest.raises(AssertionError, match="a canary died"):
        run.main()


@pytest.mark.parametrize("option", ["", "--long"])
def test_what_takes_long_is_left_out_and_not_skipped(option: str) -> None:
    chosen = [option] if option else []
    command = [sys.executable, "-m", "pytest", "--collect-only", "--quiet", *chosen, "tests/fuzz/test_fuzz.py"]
    said = subprocess.run(command, cwd=run.ROOT, capture_output=True, text=True, check=True).stdout
    count = len(run.TARGETS)
    assert said.count("::test_ten_thousand_inputs[") == count
    assert said.count("::test_a_hundred_thousand_other_inputs[") == (count if option else 0)
    assert (f"{count} deselected" in said) is not bool(option)
