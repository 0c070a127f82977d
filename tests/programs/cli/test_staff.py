"""``appliance staff``: who has an account, and a way in when a password is lost or was never seen."""

import os
import re
import signal
import subprocess
import sys
import syslog

import pytest

from appliance.services.staff import StaffAccounts, WrongPasswordError
from appliance.store.staff import StaffStore
from tests.programs.cli.conftest import NAME, PASSWORD, CommandLine, piped
from tests.school.small import CODE


def opens(command: CommandLine, password: str) -> bool:
    with command.box() as box:
        try:
            return bool(StaffAccounts(box, StaffStore(box.database)).sign_in("admin", password))
        except WrongPasswordError:
            return False


def test_a_made_password_is_shown_once_and_works(command: CommandLine) -> None:
    answer = command.run("staff", "password", "--json")
    assert (answer.code, answer.err, answer.last["account"]) == (0, "", "admin")
    password = str(answer.last["password"])
    assert opens(command, password)
    assert not opens(command, PASSWORD)
    for file in command.folder.rglob("*"):
        assert not file.is_file() or password.encode() not in file.read_bytes()


def test_a_password_that_init_never_showed_is_set_anew(bare: CommandLine) -> None:
    """The power went between the founding and its answer."""
    assert bare.found(password=None).code == 0  # whatever it printed, nobody saw it
    again = bare.found()
    assert again.code == 1
    assert "appliance-admin staff password" in again.err
    bare.speak("ja_JP.UTF-8")
    answer = bare.run("staff", "password")
    words, password = answer.out.split("パスワード: ")
    assert words.startswith("アカウント admin のパスワードを新しくしました。")
    assert opens(bare, password.splitlines()[0])


def test_a_password_of_ones_own_is_not_shown(command: CommandLine) -> None:
    with piped("ひつじがにひき あるいた\n".encode()) as descriptor:
        answer = command.run("staff", "password", "admin", "--password-fd", str(descriptor))
    assert answer.code == 0
    assert answer.out == (
        "The account admin has a new password. The old one does not work any more, and whoever was signed in with it"
        " is signed out.\n"
    )
    assert opens(command, "ひつじがにひき あるいた")


@pytest.mark.parametrize(
    ("account", "given", "code"),
    [
        ("nobody", None, "staff.unknown_account"),
        ("Admin", None, "staff.unknown_account"),
        ("admin", b"short\n", "staff.weak_password"),
        ("admin", b"", "staff.weak_password"),
    ],
)
def test_what_cannot_be_set_changes_nothing(command: CommandLine, account: str, given: bytes | None, code: str) -> None:
    if given is None:
        answer = command.run("staff", "password", account, "--json")
    else:
        with piped(given) as descriptor:
            answer = command.run("staff", "password", account, "--json", "--password-fd", str(descriptor))
    assert (answer.code, answer.last["error"]) == (1, code)
    assert opens(command, PASSWORD)


def test_the_systems_log_keeps_that_it_was_done_and_neither_name_nor_password(
    command: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    monkeypatch.setattr(syslog, "syslog", lambda level, line: lines.append(f"{level} {line}"))
    assert command.run("staff", "password", "nobody").code == 1
    assert lines == []
    assert command.run("staff", "password").code == 0
    assert len(lines) == 1
    assert re.fullmatch(rf"{syslog.LOG_WARNING} staff\.password_set staff=[0-9a-f]{{32}}", lines[0])


def test_accounts_are_listed_without_anything_that_opens_them(command: CommandLine) -> None:
    with command.box() as box:
        StaffAccounts(box, StaffStore(box.database)).add("it.desk", "情報担当", "staff", PASSWORD)
    answer = command.run("staff", "list", "--json")
    assert answer.last == {
        "accounts": [
            {"account": "admin", "name": "管理者", "role": "it"},
            {"account": "it.desk", "name": "情報担当", "role": "staff"},
        ]
    }
    assert command.run("staff", "list").out.split() == ["admin", "管理者", "it.desk", "情報担当"]


def test_a_box_without_an_account_says_so(command: CommandLine) -> None:
    with command.box() as box, box.database.transaction() as transaction:
        transaction.run("DELETE FROM staff")
    assert command.run("staff", "list").out == "There is no account yet.\n"


def test_killed_at_any_moment_one_of_the_two_passwords_works(command: CommandLine) -> None:
    words = [sys.executable, "-m", "appliance.programs.cli", "staff", "password", "--password-fd", "0"]
    ended = []
    for number, delay_s in enumerate((0.05, 0.4, 0.5, 0.55, 0.6, 0.7, 0.8)):
        old, new = (PASSWORD if number == 0 else f"the one before {number}"), f"the one before {number + 1}"
        with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as process:
            assert process.stdin is not None
            process.stdin.write(f"{new}\n".encode())
            process.stdin.close()
            try:
                ended.append(process.wait(delay_s))
            except subprocess.TimeoutExpired:
                os.kill(process.pid, signal.SIGKILL)
                ended.append(process.wait())
        works = [opens(command, one) for one in (old, new)]
        assert sorted(works) == [False, True]
        assert ended[-1] != 0 or works == [False, True]
        if works == [True, False]:  # on to the next, from the same beginning
            with piped(f"{new}\n".encode()) as descriptor:
                assert command.run("staff", "password", "--password-fd", str(descriptor)).code == 0
    assert -signal.SIGKILL in ended


def test_a_box_that_is_not_founded_has_no_password_to_set(bare: CommandLine) -> None:
    answer = bare.run("staff", "password", "--json")
    assert (answer.code, answer.last["error"]) == (2, "config.credential")
    assert (str(CODE) in answer.out, NAME in answer.out) == (False, False)
