"""What was found once holds for ever, and so does what a fuzzer starts from."""

import re
from pathlib import Path

import pytest

from tests.fuzz.run import ROOT, TARGETS, UNNAMED, VECTORS, load


@pytest.mark.parametrize("vector", sorted(VECTORS.glob("*.bin")), ids=lambda path: path.stem)
def test_what_was_found_once_stays_mended(vector: Path) -> None:
    load(vector.name.partition(".")[0]).one(vector.read_bytes())


def test_every_vector_is_named_after_its_target_and_its_defect() -> None:
    for vector in VECTORS.iterdir():
        target, name, kind = vector.name.split(".")
        assert target in TARGETS
        assert kind == "bin"
        assert not name.startswith(UNNAMED), "mend what it found, and name it after that"


def test_machines_that_the_fuzzer_has_no_wheel_for_are_set_up_without_it() -> None:
    # Locking anew leaves the condition out, and then a compiler is looked for that is not there.
    locked = (ROOT / "requirements-dev.txt").read_text(encoding="utf-8")
    assert re.search(r"^atheris==\S+ ; platform_machine == 'x86_64' ", locked, re.MULTILINE)


@pytest.mark.parametrize("name", TARGETS)
def test_every_seed_holds(name: str) -> None:
    target, tried = load(name), 0
    for seed in target.seeds():
        target.one(seed)
        tried += 1
    assert tried > 5


@pytest.mark.parametrize("name", TARGETS)
def test_no_bytes_at_all_hold_too(name: str) -> None:
    for data in (b"", b"\x00", b"\xff", b"\xff" * 64):
        load(name).one(data)
