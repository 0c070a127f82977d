"""``appliance keys rotate database`` on a box in a folder, and what the other commands make of an interrupted one."""

from pathlib import Path

import pytest

from appliance.services import key_rotation
from appliance.store.database import Database
from appliance.store.faults import WrongKeyError
from tests.programs.cli.conftest import CommandLine


def key_of(command: CommandLine) -> bytes:
    return (command.keys / "database.key").read_bytes()


def next_of(command: CommandLine) -> Path:
    return command.keys / "database.key.next"


def rewritten(command: CommandLine) -> bytes:
    """Everything is under the next key, and there it was interrupted."""
    new = b"n" * 32
    next_of(command).write_bytes(new)
    with Database.open(command.state / "box.db", key_of(command)) as database:
        database.rekey(new)
    return new


def codes(command: CommandLine) -> list[str]:
    problems = command.run("doctor", "--json").last["problems"]
    assert isinstance(problems, list)
    return [one["code"] for one in problems]


def test_the_key_is_changed_and_all_is_there(command: CommandLine) -> None:
    old, before = key_of(command), command.run("ledger", "verify", "--json").last["entries"]
    answer = command.run("keys", "rotate", "database", "--json")
    assert (answer.code, answer.err) == (0, "")
    assert answer.last == {"rotated": "database", "sealed": False}
    assert key_of(command) != old
    with pytest.raises(WrongKeyError):
        Database.open(command.state / "box.db", old)
    verified = command.run("ledger", "verify", "--json")
    assert (verified.code, verified.last["verify"], verified.last["entries"]) == (0, "ok", before)
    assert "health.rotation_unfinished" not in codes(command)


def test_no_key_is_ever_printed(command: CommandLine) -> None:
    old = key_of(command)
    answer = command.run("keys", "rotate", "database")
    assert "new key" in answer.err
    for key in (old, key_of(command)):
        assert key.hex() not in answer.out + answer.err
        assert repr(key) not in answer.out + answer.err


@pytest.mark.parametrize(
    ("language", "done", "checking"),
    [
        ("ja_JP.UTF-8", "データベースの鍵を替えました", "すべてのページを確かめています"),
        ("en", "The key of the database was changed", "Every page is being checked"),
    ],
)
def test_it_says_how_far_it_is(command: CommandLine, language: str, done: str, checking: str) -> None:
    command.speak(language)
    answer = command.run("keys", "rotate", "database")
    assert done in answer.out
    assert checking in answer.err


def test_an_interrupted_change_is_told_and_ended(command: CommandLine) -> None:
    new = rewritten(command)
    assert "health.rotation_unfinished" in codes(command)
    assert command.run("keys", "rotate", "database").code == 0
    assert (key_of(command), next_of(command).exists()) == (new, False)
    assert "health.rotation_unfinished" not in codes(command)


def test_a_start_ends_it_too(command: CommandLine) -> None:
    new = rewritten(command)
    assert command.run("migrate").code == 0
    assert (key_of(command), next_of(command).exists()) == (new, False)


def test_a_start_leaves_a_change_alone_that_has_not_begun(command: CommandLine) -> None:
    old = key_of(command)
    next_of(command).write_bytes(b"n" * 32)
    assert command.run("migrate").code == 0
    assert key_of(command) == old
    assert codes(command)[-1] == "health.rotation_unfinished"


def test_without_room_it_says_how_much_is_needed(command: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_rotation, "SPARE_BYTES", 1 << 60)
    old = key_of(command)
    answer = command.run("keys", "rotate", "database")
    assert answer.code == 1
    assert "There is not enough room on the disk" in answer.err
    assert f"need_mb={(1 << 40) + 1}" in answer.err
    assert key_of(command) == old


def test_a_box_that_is_not_founded_has_no_key_to_change(bare: CommandLine) -> None:
    assert bare.run("keys", "rotate", "database").code == 2


def test_only_known_keys_are_changed(command: CommandLine) -> None:
    with pytest.raises(SystemExit):
        command.run("keys", "rotate", "front-door")
