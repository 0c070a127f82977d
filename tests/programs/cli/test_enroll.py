"""``appliance enroll``: two files, carried by hand, between a box and a real hub's admission."""

import json
from pathlib import Path

import pytest

from appliance.services.enrolment import EnrolmentStore
from appliance.sync.token import Token
from tests.programs.cli.conftest import CommandLine, HubCommand
from tests.school.small import CODE
from tests.sim.broker import free_port


@pytest.fixture
def request_file(command: CommandLine) -> Path:
    path = command.folder / "request.json"
    assert command.run("enroll", "request", "--out", str(path)).code == 0
    return path


@pytest.fixture
def answer_file(hub: HubCommand, request_file: Path) -> Path:
    path = request_file.with_name("answer.json")
    assert hub.run("admit", "--request", str(request_file), "--out", str(path)) == 0
    return path


def test_a_request_holds_no_secret(command: CommandLine, request_file: Path) -> None:
    answer = command.run("enroll", "request", "--out", str(request_file), "--json")
    assert (answer.code, answer.last) == (0, {"school": str(CODE), "file": str(request_file)})
    text = request_file.read_text(encoding="utf-8")
    assert json.loads(text)["school"] == str(CODE)
    assert "PRIVATE" not in text


def test_the_hubs_answer_enrols_the_box(command: CommandLine, answer_file: Path) -> None:
    answer = command.run("enroll", "accept", str(answer_file), "--json")
    assert (answer.code, answer.last) == (0, {"school": str(CODE), "hub": "hub.example"})
    with command.box() as box:
        bundle = EnrolmentStore(box.database).find()
        assert bundle is not None
        assert (bundle.host, bundle.hub_name) == ("broker.example", "hub.example")
    assert command.run("sync", "status", "--json").last["enrolled"] is True
    assert command.run("enroll", "accept", str(answer_file)).code == 0  # a renewal is the same step


@pytest.mark.parametrize(
    ("language", "asked", "accepted"),
    [
        ("ja_JP.UTF-8", "を県の担当者に渡してください。", "ハブ hub.example に登録しました。"),
        ("C", "to the prefecture. It holds no secret.", "The box is enrolled at the hub hub.example."),
    ],
)
def test_both_steps_say_what_comes_next(
    command: CommandLine, answer_file: Path, language: str, asked: str, accepted: str
) -> None:
    command.speak(language)
    assert asked in command.run("enroll", "request", "--out", str(command.folder / "r.json")).out
    assert accepted in command.run("enroll", "accept", str(answer_file)).out


def test_an_answer_for_another_school_is_refused(command: CommandLine, answer_file: Path) -> None:
    document = answer_file.read_text(encoding="utf-8").replace(str(CODE), "B113299900027")
    answer_file.write_text(document, encoding="utf-8")
    answer = command.run("enroll", "accept", str(answer_file), "--json")
    assert answer.code == 1
    assert str(answer.last["error"]).startswith("enrolment.")
    assert command.run("sync", "status", "--json").last["enrolled"] is False


@pytest.mark.parametrize(
    ("content", "code"), [(b"{}", "enrolment.document"), (b"\xff", "enrolment.document"), (b"", "enrolment.document")]
)
def test_another_file_is_refused(command: CommandLine, content: bytes, code: str) -> None:
    path = command.folder / "other"
    path.write_bytes(content)
    answer = command.run("enroll", "accept", str(path), "--json")
    assert (answer.code, answer.last["error"]) == (1, code)


def test_files_that_cannot_be_read_or_written_are_named(command: CommandLine) -> None:
    absent = str(command.folder / "absent" / "file")
    for arguments in (("enroll", "accept", absent), ("enroll", "request", "--out", absent)):
        answer = command.run(*arguments, "--json")
        assert answer.code == 2
        assert answer.last == {"error": "cli.file", "file": absent, "reason": "No such file or directory"}
        assert f"{absent} cannot be used" in answer.err


def test_a_box_without_its_line_key_cannot_ask(command: CommandLine) -> None:
    (command.keys / "line.key").write_bytes(b"no key")
    answer = command.run("enroll", "request", "--out", str(command.folder / "r.json"), "--json")
    assert (answer.code, answer.last["error"]) == (2, "enrolment.line_key")
    assert not (command.folder / "r.json").exists()


def test_a_token_that_was_mistyped_is_noticed_and_one_of_a_hub_that_is_away_named(command: CommandLine) -> None:
    answer = command.run("enroll", "token", "--token", "AAAAA-BBBBB", "--json")
    assert (answer.code, answer.last["error"]) == (1, "enrolment.token_form")
    token = Token(b"s" * 10, b"f" * 16, "127.0.0.1", free_port())
    answer = command.run("enroll", "token", "--token", token.to_text(), "--json")
    assert (answer.code, answer.last["error"]) == (2, "enrolment.unreachable")
    assert token.to_text()[:5] not in answer.err
    assert command.run("sync", "status", "--json").last["enrolled"] is False
