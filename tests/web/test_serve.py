"""What becomes of a site that cannot be built."""

import json
import subprocess
import sys

import pytest

# The way a program of ours starts its site; the argument is what goes wrong.
PROGRAM = """
import sys
from appliance.errors import ConfigError, UnavailableError
from appliance.log import EventLog, start_logging
from appliance.web.serve import Server

def make():
    raise {"config": ConfigError, "disk": UnavailableError, "fault": ValueError}[sys.argv[1]]()

start_logging("info")
Server(make, EventLog("site"), bind="127.0.0.1:0", workers=2).run()
"""


@pytest.mark.parametrize(("fault", "code"), [("config", "config.invalid"), ("disk", "box.unavailable")])
def test_a_program_whose_site_cannot_be_built_says_why_and_ends(fault: str, code: str) -> None:
    done = run(fault)
    assert done.returncode == 3
    said = [json.loads(line) for line in done.stderr.splitlines() if line.startswith("{")]
    assert {"event": "site.stopped", "code": code, "level": "error"}.items() <= said[0].items()
    assert "Traceback" not in done.stderr


def test_a_fault_of_the_program_itself_ends_it_too() -> None:
    done = run("fault")
    assert done.returncode == 3
    assert "ValueError" in done.stderr


def run(fault: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", PROGRAM, fault]
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=30, check=False)
