"""``appliance backup``: two files, and in words what is to be done with which."""

from pathlib import Path

import pytest

from appliance.ledger.recipient import Recipient
from tests.programs.cli.conftest import CommandLine, HubCommand
from tests.school.small import CODE

HOLDER = Recipient.make()


@pytest.fixture
def out(visited: CommandLine) -> Path:
    folder = visited.folder / "out"
    folder.mkdir()
    return folder


def enrol(command: CommandLine, hub: HubCommand, *more: str) -> None:
    request, answer = command.folder / "request.json", command.folder / "answer.json"
    assert command.run("enroll", "request", "--out", str(request)).code == 0
    assert hub.run("admit", "--request", str(request), "--out", str(answer), *more) == 0
    assert command.run("enroll", "accept", str(answer)).code == 0


def test_an_enrolled_box_knows_whom_it_is_for(visited: CommandLine, hub: HubCommand, out: Path) -> None:
    enrol(visited, hub)
    answer = visited.run("backup", "--out", str(out), "--json")
    assert (answer.code, answer.err) == (0, "")
    backup, keys = Path(str(answer.last["backup"])), Path(str(answer.last["keys"]))
    assert sorted(out.iterdir()) == [backup, keys]
    assert backup.name.startswith(f"{CODE}-1-")
    assert (answer.last["records"], answer.last["removed"]) == (6, [])
    assert answer.last["bytes"] == backup.stat().st_size


def test_it_says_that_older_keys_are_to_be_destroyed(visited: CommandLine, out: Path) -> None:
    key = visited.folder / "backup.pub"
    key.write_bytes(HOLDER.public_bytes())
    (out / f"{CODE}-1-1-20260101T000000Z.keys").write_bytes(b"older")
    words = visited.run("backup", "--out", str(out), "--to", str(key)).out
    assert "6 records" in words
    assert "Destroy all older files of keys, also copies elsewhere" in words
    assert "1 older files of keys in this folder were removed." in words
    visited.speak("ja_JP.UTF-8")
    assert "すべて廃棄してください" in visited.run("backup", "--out", str(out), "--to", str(key)).out


def test_without_a_key_the_box_is_to_be_admitted_again(visited: CommandLine, hub: HubCommand, out: Path) -> None:
    for enrolled in (False, True):
        if enrolled:  # as by a hub that has no such key yet
            (hub.folder / "state" / "backup.pub").unlink()
            enrol(visited, hub)
        answer = visited.run("backup", "--out", str(out), "--json")
        assert answer.code == 2
        assert answer.last == {"error": "backup.no_key", "enrolled": enrolled}
        assert "admit the box again" in answer.err
    assert hub.run("backup-key") == 0
    enrol(visited, hub)
    assert visited.run("backup", "--out", str(out)).code == 0


def test_a_wrong_key_and_a_wrong_folder_are_named(visited: CommandLine, out: Path) -> None:
    nonsense, key = visited.folder / "nonsense", visited.folder / "backup.pub"
    nonsense.write_bytes(b"no key")
    key.write_bytes(HOLDER.public_bytes())
    answer = visited.run("backup", "--out", str(out), "--to", str(nonsense), "--json")
    assert (answer.code, answer.last) == (2, {"error": "backup.key"})
    absent = str(out / "absent")
    answer = visited.run("backup", "--out", absent, "--to", str(key), "--json")
    expected = {"error": "backup.write", "folder": absent, "reason": "No such file or directory"}
    assert (answer.code, answer.last) == (2, expected)
    assert list(out.iterdir()) == []
