"""``appliance roster import``: all of a file, or nothing and the place of the fault."""

import pytest

from appliance.store.people import PeopleStore
from tests.programs.cli.conftest import Answer, CommandLine
from tests.school.small import RosterFile


def take(command: CommandLine, data: bytes, *more: str) -> Answer:
    path = command.folder / "roster.zip"
    path.write_bytes(data)
    return command.run("roster", "import", str(path), *more)


def test_an_imported_roster_is_counted(command: CommandLine) -> None:
    answer = take(command, RosterFile().pack(), "--json")
    assert answer.code == 0
    assert answer.last == {"imported": {"classes": 2, "pupil": 3, "guardian": 4, "staff": 1}}
    with command.box() as box:
        assert PeopleStore(box.database).classes() == ["1年1組", "2年1組"]


@pytest.mark.parametrize(
    ("language", "words"),
    [
        ("ja_JP.UTF-8", "名簿を取り込みました: 学級 2、児童・生徒 3、保護者 4、教職員 1\n"),
        ("en_GB.UTF-8", "The roster is imported: 2 classes, 3 pupils, 4 guardians, 1 staff\n"),
    ],
)
def test_the_counts_in_words(command: CommandLine, language: str, words: str) -> None:
    command.speak(language)
    assert take(command, RosterFile().pack()).out == words


def test_a_broken_cell_is_named_by_file_line_and_column(command: CommandLine) -> None:
    assert take(command, RosterFile().pack()).code == 0
    broken = RosterFile().set("users.csv", "ren", "enabledUser", "perhaps")
    answer = take(command, broken.pack(), "--json")
    assert answer.code == 1
    said = answer.last
    assert str(said["error"]).startswith("roster.")
    assert (said["file"], said["line"], said["column"]) == (
        "users.csv",
        broken.line_of("users.csv", "ren"),
        "enabledUser",
    )
    with command.box() as box:
        assert PeopleStore(box.database).count("pupil") == 3


@pytest.mark.parametrize("data", [b"", b"PK\x03\x04", RosterFile().pack()[:-40]], ids=["empty", "header", "cut"])
def test_what_is_no_roster_is_refused(command: CommandLine, data: bytes) -> None:
    answer = take(command, data, "--json")
    assert answer.code == 1
    assert str(answer.last["error"]).startswith("roster.")
    with command.box() as box:
        assert box.database.row("SELECT count(*) FROM roster") == (0,)


def test_a_missing_file_is_named(command: CommandLine) -> None:
    answer = command.run("roster", "import", str(command.folder / "absent.zip"), "--json")
    assert (answer.code, answer.last["error"]) == (2, "cli.file")
