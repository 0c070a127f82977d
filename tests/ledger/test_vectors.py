"""The committed vectors are what the generator makes today, byte for byte."""

import json
from pathlib import Path

import pytest

from tests.ledger.vectors import FILES, FOLDER, write


def test_the_generator_makes_the_committed_files(tmp_path: Path) -> None:
    write(tmp_path)
    made = {one.name: one.read_bytes() for one in tmp_path.iterdir()}
    assert {f"{name}.json" for name in FILES} == set(made)
    assert {name: (FOLDER / name).read_bytes() == data for name, data in made.items()} == dict.fromkeys(made, True)


@pytest.mark.parametrize(
    ("name", "least"), [("entries", 12), ("checkpoints", 15), ("receipts", 20), ("exports", 40), ("seals", 30)]
)
def test_there_are_many_that_must_be_refused_each_for_its_own_reason(name: str, least: int) -> None:
    found = json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))["refused"]
    reasons = [one["reason"] for one in found]
    assert len(reasons) == len(set(reasons)) >= least
