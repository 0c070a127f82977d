"""``appliance`` as a whole: its help, its exit codes, and the way out when nobody reads on."""

import argparse
import os
import subprocess
import sys

import pytest

from appliance import __version__
from appliance.programs.cli import __main__ as program
from appliance.programs.cli.__main__ import COMMANDS, main
from tests.programs.cli.conftest import CommandLine

WORKING = [
    "init", "migrate", "enroll request", "enroll accept", "doctor", "sync status", "sync line", "config",
    "card authenticate",
    "card status", "card watch", "ledger verify", "ledger show", "ledger receipt", "receipt verify", "receipt key",
    "erase due", "erase records", "roster import", "keys prepare", "keys seal", "keys status", "keys print",
    "keys restore", "keys rotate", "keys next", "keys adopt", "ledger evidence", "evidence audit",
    "evidence auditor-key", "ledger export", "export verify", "backup", "restore request", "restore accept",
    "ledger seal", "keys complete", "staff list", "staff password",
]  # fmt: skip
GROUPS = [
    "enroll",
    "sync",
    "card",
    "ledger",
    "receipt",
    "roster",
    "keys",
    "erase",
    "evidence",
    "export",
    "restore",
    "staff",
]


def help_of(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    with pytest.raises(SystemExit) as ended:
        main([*words, "--help"])
    assert ended.value.code == 0
    return capsys.readouterr().out


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert (ended.value.code, capsys.readouterr().out) == (0, f"madoguchi {__version__}\n")


def test_the_first_help_names_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    words = help_of(capsys)
    for name in {one.split()[0] for one in WORKING} | {"hub"}:
        assert f"\n    {name} " in words
    assert len(COMMANDS) == 15


@pytest.mark.parametrize("name", WORKING + GROUPS)
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = help_of(capsys, *name.split())
    usage, description, *_ = words.split("\n\n")
    assert usage.startswith(f"usage: appliance {name} ")
    assert description[0].isupper()
    assert description.endswith(".")
    assert ("--json" in words) == (name in WORKING)
    explained = [line for line in words.splitlines() if line.startswith("  -") and len(line.split()) < 3]
    wrapped = [line for line in words.splitlines() if line.startswith("                   ")]
    assert len(explained) <= len(wrapped), "an option without a word of explanation"


@pytest.mark.parametrize("arguments", [[], ["enroll"], ["nothing"], ["init"], ["ledger", "show", "--last", "x"]])
def test_a_wrong_call_is_refused_with_the_usage(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 2
    assert "usage: appliance" in capsys.readouterr().err


def test_an_error_goes_to_standard_error_with_its_cure(bare: CommandLine) -> None:
    absent = str(bare.folder / "absent")
    assert bare.found().code == 0
    bare.speak("ja_JP.UTF-8")
    answer = bare.run("roster", "import", absent)
    assert (answer.code, answer.out) == (2, "")
    assert answer.err.startswith(f"appliance: {absent} を使えません: No such file or directory")
    assert "確かめてください。" in answer.err
    assert "[cli.file " in answer.err


def test_a_folder_is_no_file(command: CommandLine) -> None:
    answer = command.run("roster", "import", str(command.folder), "--json")
    assert answer.code == 2
    assert answer.last == {"error": "cli.file", "file": str(command.folder), "reason": "Is a directory"}


def test_a_reader_who_has_seen_enough_is_no_fault(command: CommandLine) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    ran = subprocess.run(
        [sys.executable, "-m", "appliance.programs.cli", "config", "--json"],
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    os.close(writing)
    assert (ran.returncode, ran.stderr) == (1, "")


def test_a_fault_of_the_program_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken:
        @staticmethod
        def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
            commands.add_parser("broken").set_defaults(run=lambda _: 1 // 0)

    monkeypatch.setattr(program, "COMMANDS", (Broken,))
    with pytest.raises(ZeroDivisionError):
        main(["broken"])
