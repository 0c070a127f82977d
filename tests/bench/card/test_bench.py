"""The benchmark of the card runs whole, with few repetitions; what it cannot measure it says."""

import json
import subprocess
import sys
from argparse import Namespace
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.bench.card import opensc
from tests.bench.card.__main__ import figures
from tests.bench.card.opensc import Reference, by_opensc
from tests.bench.card.promises import PROMISES, figure
from tests.bench.card.window import Window
from tests.sim import pcscd

ROOT = Path(__file__).parents[3]
KEYS = ["bench", "name", "value", "unit", "reference", "reference_is", "ratio", "target", "ok"]
# What a machine takes for it is for the benchmark to say; what goes over the wire is the same on every machine.
COUNTED = {name for name, (unit, _) in PROMISES.items() if unit in ("exchanges", "B")}


@pytest.fixture
def window() -> Iterator[Window]:
    """Not entered: no pcscd."""
    one = Window()
    yield one
    one.close()


@pytest.mark.scenario
@pytest.mark.peer
def test_every_figure_in_its_form() -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "tests.bench.card", "--json", "--times", "2", "--sessions", "0"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert ran.stderr == ""
    lines = [json.loads(line) for line in ran.stdout.splitlines()]
    assert sorted(line["name"] for line in lines) == sorted(PROMISES)
    told = {line["name"]: line for line in lines}
    for name, line in told.items():
        assert list(line) == (KEYS if line["ok"] is not None else [*KEYS, "why"])
        assert (line["bench"], line["unit"], line["target"]) == ("card", *PROMISES[name])
    assert [name for name, line in told.items() if line["ok"] is None] == [
        "memory_growth_kb_per_1000_sessions",
        "replug_ms",
    ]
    assert {name for name in COUNTED if told[name]["ok"] is not True} == set()
    assert (told["bytes_extended"]["value"], told["bytes_short"]["value"]) == (1811, 1844)
    assert told["exchanges_extended"]["reference"] > 50
    assert told["exchanges_extended"]["reference_is"].endswith("pkcs11-tool on the same card")
    assert ran.returncode in (0, 1)


def test_without_pcscd_every_figure_says_why(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(pcscd, "DRIVER", tmp_path / "none.so")
    told = list(figures(Namespace(times=1, sessions=0)))
    assert [one.name for one in told] == list(PROMISES)
    assert all(one.ok is None and "vsmartcard-vpcd" in (one.why or "") for one in told)


def test_without_opensc_there_is_no_reference(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, window: Window) -> None:
    monkeypatch.setattr(opensc, "LIBRARIES", tmp_path)
    reference = by_opensc(window, 1)
    assert reference == Reference("OpenSC is not installed")
    assert reference.outside_is == reference.wall_is == "OpenSC is not installed"
    assert figure("exchanges_extended", 5, reference.exchanges, reference.is_what).ratio is None


def test_a_figure_that_was_never_promised_is_an_oversight() -> None:
    with pytest.raises(KeyError):
        figure("made_up_ms", 1)
