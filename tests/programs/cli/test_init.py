"""``appliance init`` founds a whole box or nothing, ``appliance migrate`` brings it up to date."""

import re

import pytest

from appliance.services.opening import DATABASE_NAME
from appliance.services.staff import StaffAccounts
from appliance.store.database import Database
from appliance.store.staff import StaffStore
from tests.programs.cli.conftest import NAME, PASSWORD, CommandLine
from tests.school.small import CODE


def test_a_box_is_founded_with_its_administrator(bare: CommandLine) -> None:
    answer = bare.found("--admin", "it.desk", "--admin-name", "情報担当", "--json")
    assert (answer.code, answer.err) == (0, "")
    assert answer.last == {"school": str(CODE), "origin": f"madoguchi/1/{CODE}/box/1", "admin": "it.desk"}
    assert (bare.folder / "staff.crt").read_bytes().startswith(b"-----BEGIN CERTIFICATE")
    with bare.box() as box:
        assert box.school.name == NAME
        accounts = StaffAccounts(box, StaffStore(box.database))
        signed_in = accounts.signed_in(accounts.sign_in("it.desk", PASSWORD))
        assert (signed_in.name, signed_in.role) == ("情報担当", "it")


def test_a_made_password_is_shown_once_and_works(bare: CommandLine) -> None:
    answer = bare.found("--json", password=None)
    password = str(answer.last["password"])
    with bare.box() as box:
        accounts = StaffAccounts(box, StaffStore(box.database))
        assert accounts.signed_in(accounts.sign_in("admin", password)).id == "admin"
    for file in bare.folder.rglob("*"):
        assert not file.is_file() or password.encode() not in file.read_bytes()


@pytest.mark.parametrize(
    ("language", "words", "shown"),
    [
        (
            "ja_JP.UTF-8",
            "架空小学校（B113299900018）の箱を作りました。\n管理者: admin\n",
            r"パスワード: [a-z2-9-]{19}\n",
        ),
        (
            "en_US.UTF-8",
            "The box of 架空小学校 (B113299900018) is founded.\nAdministrator: admin\n",
            r"Password: [a-z2-9-]{19}\n",
        ),
    ],
)
def test_the_answer_is_in_the_language_of_the_locale(bare: CommandLine, language: str, words: str, shown: str) -> None:
    bare.speak(language)
    answer = bare.found(password=None)
    assert answer.out.startswith(words)
    assert re.search(shown, answer.out)


@pytest.mark.parametrize(
    ("more", "password", "exit_code", "code"),
    [
        ((), "short", 1, "staff.weak_password"),
        ((), b"\xff\xfe" * 10 + b"\n", 2, "cli.password"),
        ((), b"", 1, "staff.weak_password"),
        (("--admin", "Not An Id"), PASSWORD, 1, "staff.id"),
        (("--school", "B11"), PASSWORD, 1, "school.code_form"),
    ],
    ids=["short", "bytes", "empty", "account", "school"],
)
def test_what_was_typed_is_checked_before_anything_is_made(
    bare: CommandLine, more: tuple[str, ...], password: str | bytes, exit_code: int, code: str
) -> None:
    answer = bare.found("--json", *more, password=password)
    assert (answer.code, answer.last["error"]) == (exit_code, code)
    assert not bare.state.exists()
    assert not bare.keys.exists()
    assert "\\xff" not in answer.err
    assert bare.found().code == 0


def test_a_descriptor_that_is_not_open_is_named(bare: CommandLine) -> None:
    answer = bare.run("init", "--json", "--school", str(CODE), "--name", NAME, "--password-fd", "987")
    assert answer.code == 2
    assert answer.last == {"error": "cli.password", "descriptor": 987, "reason": "Bad file descriptor"}


def test_only_the_first_line_is_the_password(bare: CommandLine) -> None:
    assert bare.found(password=f"{PASSWORD}\r\nmore\n".encode()).code == 0
    with bare.box() as box:
        assert StaffAccounts(box, StaffStore(box.database)).sign_in("admin", PASSWORD)


def test_a_founded_box_is_not_founded_again(command: CommandLine) -> None:
    before = {file.name: file.read_bytes() for file in command.keys.iterdir()}
    answer = command.found("--json")
    assert (answer.code, answer.last) == (1, {"error": "box.already_founded"})
    assert {file.name: file.read_bytes() for file in command.keys.iterdir()} == before
    with command.box() as box:
        assert StaffAccounts(box, StaffStore(box.database)).sign_in("admin", PASSWORD)


def test_a_founding_that_was_cut_short_is_finished_by_the_next(
    bare: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The box was there and nobody could sign in, nor ever have an account."""

    def kill(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as cut:
        cut.setattr(StaffAccounts, "add", kill)
        with pytest.raises(KeyboardInterrupt):
            bare.found()
    other = bare.run("init", "--json", "--school", str(CODE), "--name", "別の学校", "--credentials", str(bare.keys))
    assert (other.code, other.last) == (1, {"error": "box.already_founded"})
    assert bare.found("--json").code == 0
    with bare.box() as box:
        assert StaffAccounts(box, StaffStore(box.database)).sign_in("admin", PASSWORD)
    assert bare.found("--json").last == {"error": "box.already_founded"}


def test_keys_alone_are_made_for_whoever_seals_them_first(bare: CommandLine) -> None:
    keys = ("init", "--json", "--school", str(CODE), "--name", NAME, "--make-keys", str(bare.keys))
    made = ["database.key", "device.key", "line.key", "staff.key", "archive.key"]
    assert [bare.run(*keys).last for _ in range(2)] == [{"made": made}, {"made": []}]
    assert not bare.state.exists()
    before = {file.name: file.read_bytes() for file in bare.keys.iterdir()}
    assert bare.found().code == 0
    assert {file.name: file.read_bytes() for file in bare.keys.iterdir()} == before


def test_without_credentials_nothing_is_founded(bare: CommandLine) -> None:
    with_none = ("init", "--json", "--school", str(CODE), "--name", NAME)
    answer = bare.run(*with_none)
    assert (answer.code, answer.last["error"], answer.last["name"]) == (2, "config.credential", "device.key")
    assert not bare.state.exists()


def test_migrating_says_what_ran(command: CommandLine) -> None:
    answer = command.run("migrate", "--json")
    assert (answer.code, answer.last) == (0, {"ran": []})
    assert command.run("migrate").out == "The database is up to date.\n"
    path, key = command.state / DATABASE_NAME, (command.keys / "database.key").read_bytes()
    with Database.open(path, key) as database, database.transaction() as transaction:
        transaction.run("ALTER TABLE card_link DROP COLUMN generation")
        transaction.run("DROP INDEX evidence_by_entry")
        transaction.run("ALTER TABLE evidence DROP COLUMN generation")
        transaction.run("CREATE INDEX evidence_by_entry ON evidence (entry)")
        transaction.run("DROP TABLE line_sample")
        transaction.run("DELETE FROM migration WHERE family = 'box' AND number >= 4")
    old = command.run("doctor", "--json")
    assert (old.code, old.last["error"]) == (2, "store.too_old")
    assert command.run("migrate").out == "box/0004_generations\nbox/0005_line\n"
    assert command.run("doctor").code == 1  # nothing runs, so something is to be said


def test_migrating_needs_a_database_and_its_key(bare: CommandLine) -> None:
    bare.keys.mkdir()
    (bare.keys / "database.key").write_bytes(b"k" * 32)
    answer = bare.run("migrate", "--json")
    assert (answer.code, answer.last["error"]) == (2, "store.missing")
