"""``appliance restore``: from the old box's backup over the prefecture to a new box that goes on."""

import json
from pathlib import Path

import pytest

from tests.programs.cli.conftest import CommandLine, HubCommand
from tests.programs.cli.test_backup import enrol


@pytest.fixture
def files(visited: CommandLine, hub: HubCommand) -> dict[str, str]:
    """The options that name backup and keys of an enrolled box with three visits."""
    enrol(visited, hub)
    out = visited.folder / "out"
    out.mkdir()
    made = visited.run("backup", "--out", str(out), "--json").last
    return {"--backup": str(made["backup"]), "--keys": str(made["keys"])}


@pytest.fixture
def new(visited: CommandLine, files: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The same person at another box; the old one is gone."""
    assert files
    visited.state, visited.keys = visited.folder / "new-state", visited.folder / "new-keys"
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(visited.keys))
    visited.write_settings("")
    return visited


def options(files: dict[str, str], **more: Path) -> list[str]:
    named = {**files, **{f"--{name}": str(one) for name, one in more.items()}}
    return [word for pair in named.items() for word in pair]


def release(new: CommandLine, hub: HubCommand, files: dict[str, str]) -> Path:
    request, answer = new.folder / "restore.json", new.folder / "release.json"
    asked = new.run("restore", "request", "--out", str(request), "--json")
    assert asked.code == 0
    assert hub.run("release", *options(files, request=request, out=answer), "--json") == 0
    return answer


def test_a_new_box_goes_on_where_the_old_one_ended(new: CommandLine, hub: HubCommand, files: dict[str, str]) -> None:
    answer = release(new, hub, files)
    accepted = new.run("restore", "accept", *options(files, release=answer, credentials=new.keys), "--json")
    assert (accepted.code, accepted.err) == (0, "")
    before, origin = str(accepted.last["previous"]), str(accepted.last["origin"])
    assert (before[-6:], origin[-6:]) == ("/box/1", "/box/2")
    assert (accepted.last["records"], accepted.last["erased"]) == (6, 0)
    assert (new.folder / "staff.crt").exists()
    assert not (new.state / "restore.key").exists()
    now = new.run("ledger", "verify", "--json")
    assert (now.code, now.last["verify"], now.last["origin"], now.last["entries"]) == (0, "ok", origin, 2)
    then = new.run("ledger", "verify", "--generation", "1", "--json")
    assert (then.code, then.last["origin"], then.last["entries"], then.last["receipted"]) == (0, before, 6, 5)
    assert len(new.run("ledger", "show", "--generation", "1", "--json").lines) == 6
    assert new.run("ledger", "verify", "--generation", "3", "--json").last["error"] == "ledger.no_generation"


def test_receipts_of_the_old_box_verify_on_the_new_one(
    new: CommandLine, hub: HubCommand, files: dict[str, str]
) -> None:
    answer = release(new, hub, files)
    assert new.run("restore", "accept", *options(files, release=answer, credentials=new.keys)).code == 0
    paper = new.folder / "receipt"
    printed = new.run("ledger", "receipt", "M-000003", "--generation", "1", "--out", str(paper), "--json")
    assert printed.last["confirmed"] is True
    checked = new.run("receipt", "verify", str(paper), "--json")
    assert (checked.code, checked.last["verify"], checked.last["unchanged"]) == (0, "ok", True)
    assert str(checked.last["issuer"]).endswith("/box/1")


def test_the_prefecture_admits_the_new_ledger_beside_the_old(
    new: CommandLine, hub: HubCommand, files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    answer = release(new, hub, files)
    assert new.run("restore", "accept", *options(files, release=answer, credentials=new.keys)).code == 0
    assert new.run("sync", "status", "--json").last["enrolled"] is False
    request = new.folder / "again.json"
    assert new.run("enroll", "request", "--out", str(request)).code == 0
    assert hub.run("admit", "--request", str(request), "--out", str(new.folder / "a.json")) == 1
    enrol(new, hub, "--new-generation")
    assert new.run("sync", "status", "--json").last["enrolled"] is True
    capsys.readouterr()
    assert hub.run("schools", "--json") == 0
    (school,) = json.loads(capsys.readouterr().out)
    assert [one["origin"][-6:] for one in school["earlier"]] == ["/box/1"]
    assert hub.run("schools") == 0
    assert "ended" in capsys.readouterr().out


def test_both_ends_show_the_same_number(
    new: CommandLine, hub: HubCommand, files: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    request = new.folder / "restore.json"
    number = str(new.run("restore", "request", "--out", str(request), "--json").last["number"])
    assert number in new.run("restore", "request", "--out", str(request)).out
    new.speak("ja_JP.UTF-8")
    assert number in new.run("restore", "request", "--out", str(request)).out
    assert hub.run("release", *options(files, request=request, out=new.folder / "answer")) == 0
    assert number in capsys.readouterr().out


def test_what_is_wrong_changes_nothing(new: CommandLine, hub: HubCommand, files: dict[str, str]) -> None:
    answer = release(new, hub, files)
    (new.state / "restore.key").unlink()
    options_now = options(files, release=answer, credentials=new.keys)
    refused = new.run("restore", "accept", *options_now, "--json")
    assert (refused.code, refused.last["error"]) == (2, "restore.no_request")
    backup = Path(files["--backup"])
    backup.write_bytes(backup.read_bytes()[:-1])
    answer = release(new, hub, files)
    refused = new.run("restore", "accept", *options_now, "--json")
    assert (refused.code, refused.last["error"]) == (1, "backup.damaged")
    assert "copy the file again" in refused.err.lower()
    wrong = new.run("restore", "accept", *options(files, release=backup, credentials=new.keys), "--json")
    assert (wrong.code, wrong.last["error"]) == (1, "restore.document")
    assert not (new.state / "box.db").exists()


def test_the_keys_of_the_new_box_can_be_made_before(new: CommandLine, files: dict[str, str]) -> None:
    made = new.run("restore", "accept", *options(files, release=new.folder), "--make-keys", str(new.keys), "--json")
    assert (made.code, made.last) == (
        0,
        {"made": ["database.key", "device.key", "line.key", "staff.key", "archive.key"]},
    )
    assert not new.state.exists()
