"""``appliance hub``: everything after it goes to the hub's own program."""

import os
import subprocess
import sys

import pytest

from appliance.programs.cli.__main__ import main
from tests.programs.cli.conftest import HubCommand


def test_everything_after_hub_is_the_hubs(monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[list[str]] = []

    def execute(path: str, command: list[str]) -> None:
        assert path == sys.executable
        started.append(command)
        raise SystemExit(7)

    monkeypatch.setattr(os, "execv", execute)
    for rest in ([], ["--help"], ["schools", "--json"], ["admit", "--request", "a", "--", "-b"]):
        with pytest.raises(SystemExit):
            main(["hub", *rest])
        assert started.pop()[1:] == ["-m", "appliance.programs.hub", *rest]


def test_the_hub_answers_through_the_command(hub: HubCommand) -> None:
    environment = {
        **os.environ,
        "APPLIANCE_HUB_SETTINGS": str(hub.folder / "hub.toml"),
        "CREDENTIALS_DIRECTORY": str(hub.folder / "keys"),
    }
    ran = subprocess.run(
        [sys.executable, "-m", "appliance.programs.cli", "hub", "schools", "--json"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "[]\n", "")
