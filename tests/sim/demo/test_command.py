"""The script is run as a person would run it, from another directory."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.school.small import CODE
from tests.sim.box import SCHOOL_NAME
from tests.sim.demo.command import write_command
from tests.sim.prefecture import Prefecture


def run(script: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(script), *arguments], cwd="/", capture_output=True, text=True, check=False, timeout=60)


@pytest.mark.scenario
def test_box_and_hub_answer_with_their_own_settings(tmp_path: Path) -> None:
    place = tmp_path / "a place"
    place.mkdir()
    with Prefecture(place) as prefecture:
        school = prefecture.admit(str(CODE), SCHOOL_NAME)
        script = write_command(tmp_path / "appliance", school.environment, prefecture.environment)
        verified, schools = run(script, "ledger", "verify", "--json"), run(script, "hub", "schools", "--json")
    assert verified.returncode == 0, verified.stderr
    assert str(CODE) in json.loads(verified.stdout)["origin"]
    assert [one["school"] for one in json.loads(schools.stdout)] == [str(CODE)]


def test_a_wrong_command_gets_the_products_own_answer(tmp_path: Path) -> None:
    script = write_command(tmp_path / "appliance", {}, {})
    found = run(script, "no-such-command")
    assert found.returncode == 2
    assert "no-such-command" in found.stderr
