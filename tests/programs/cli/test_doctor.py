"""``appliance doctor``, ``sync status`` and ``config``: how the box is."""

import time

import pytest

from appliance.services.checks.keys import check_keys
from appliance.store.signal import SignalStore
from tests.programs.cli.conftest import CommandLine


def say_alive(command: CommandLine, **sync: str | int | bool) -> None:
    """What kiosk and syncd write while they run."""
    now_ms = int(time.time() * 1000)
    with command.box() as box:
        signals = SignalStore(box.database)
        signals.write("reader", {"state": "empty"}, now_ms)
        signals.write("sync", {"connected": True, **sync}, now_ms)


def test_a_fresh_box_has_two_things_to_say(command: CommandLine) -> None:
    answer = command.run("doctor", "--json")
    problems = answer.last["problems"]
    assert isinstance(problems, list)
    assert answer.code == 1
    assert [(one["code"], one["severity"]) for one in problems] == [
        ("health.kiosk_silent", "fault"),
        ("health.not_enrolled", "warning"),
    ]
    assert all(one["what"] and one["means"] and one["next"] for one in problems)
    assert problems[1]["pending"] == 3


@pytest.mark.parametrize(
    ("language", "what", "next_step", "well"),
    [
        ("ja_JP.UTF-8", "受付端末のプログラムが応答していません", "→ 箱の電源を入れ直してください。", "順調です。\n"),
        ("en", "The kiosk program does not answer", "→ Switch the box off and on.", "All is well.\n"),
    ],
)
def test_a_problem_comes_with_its_cure(
    command: CommandLine, monkeypatch: pytest.MonkeyPatch, language: str, what: str, next_step: str, well: str
) -> None:
    command.speak(language)
    words = command.run("doctor").out
    assert what in words
    assert next_step in words
    assert "[health.kiosk_silent]" in words
    say_alive(command)
    monkeypatch.setattr("appliance.programs.cli.doctor.problems", lambda _: [])
    answer = command.run("doctor")
    assert (answer.code, answer.out) == (0, well)


def test_what_is_only_to_be_known_leaves_the_box_well(command: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    seals = command.folder / "sealing.json"
    seals.write_text('{"tpm": false, "pcrs": []}')
    command.write_settings(f'[keys]\nstatus = "{seals}"\n')
    monkeypatch.setattr("appliance.programs.cli.doctor.problems", lambda condition: [check_keys(condition)])
    answer = command.run("doctor")
    assert answer.code == 0
    assert answer.out.startswith("All is well.\nThe keys of this box are not bound to a security chip (TPM)\n")


def test_no_box_is_told_apart_from_a_sick_one(bare: CommandLine) -> None:
    answer = bare.run("doctor", "--json")
    assert (answer.code, answer.last["error"]) == (2, "config.credential")
    assert bare.found().code == 0
    (bare.keys / "database.key").write_bytes(b"x" * 32)
    answer = bare.run("doctor", "--json")
    assert (answer.code, answer.last["error"]) == (2, "store.wrong_key")


def test_the_state_of_delivery_adds_up(command: CommandLine) -> None:
    say_alive(command, sent_size=3)
    answer = command.run("sync", "status", "--json")
    assert answer.code == 0
    assert answer.last == {
        "recorded": 3,
        "receipted": 0,
        "pending": 3,
        "enrolled": False,
        "line": {"connected": True, "sent_size": 3},
        "backlog": {
            "waiting": "not_enrolled",
            "pending": 3,
            "bytes_left": 360,
            "until_ms": None,
            "seconds": None,
            "seconds_free": None,
        },
    }


@pytest.mark.parametrize(
    ("language", "counts", "line", "oldest"),
    [
        ("ja_JP.UTF-8", "記録 3 件 = 県が受領 0 件 + 未着 3 件", "回線: 未登録です", "いちばん古い未着の記録: 20"),
        (
            "C",
            "3 recorded = 0 received by the prefecture + 3 pending",
            "Line: not enrolled",
            "Oldest pending record: 20",
        ),
    ],
)
def test_the_state_of_delivery_in_words(
    command: CommandLine, language: str, counts: str, line: str, oldest: str
) -> None:
    command.speak(language)
    lines = command.run("sync", "status").out.splitlines()
    assert lines[:2] == [counts, line]
    assert "1 kB" in lines[2]
    assert lines[3].startswith(oldest)


def test_settings_are_listed_with_what_was_changed(command: CommandLine) -> None:
    command.write_settings("[kiosk]\nidle_s = 60\n")
    every = command.run("config", "--json")
    assert every.code == 0
    assert (every.last["kiosk.idle_s"], every.last["kiosk.port"]) == ("60", "8080")
    changed = command.run("config", "--changes", "--json").last
    assert changed["kiosk.idle_s"] == {"default": "45", "now": "60"}
    assert set(changed) == {"kiosk.idle_s", "box.state_dir", "staff.certificate"}
    assert "kiosk.idle_s = 60    *\n" in command.run("config").out
    assert "kiosk.idle_s = 60    (default 45)\n" in command.run("config", "--changes").out
    command.speak("ja_JP.UTF-8")
    assert "kiosk.idle_s = 60    （初期値 45）\n" in command.run("config", "--changes").out


def test_nothing_changed_is_said(bare: CommandLine) -> None:
    bare.settings.write_text("")
    answer = bare.run("config", "--changes")
    assert (answer.code, answer.out) == (0, "Everything is as shipped.\n")
    assert bare.run("config", "--changes", "--json").last == {}


def test_a_wrong_setting_is_named(bare: CommandLine) -> None:
    bare.write_settings("[kiosk]\nidle_s = 5\n")
    answer = bare.run("config", "--json")
    assert answer.code == 2
    assert (answer.last["error"], answer.last["key"]) == ("config.value", "kiosk.idle_s")
    assert answer.last["file"] == str(bare.settings)
