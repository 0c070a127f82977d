"""``appliance ledger export`` and ``appliance export verify``: whole or not at all, and what can be proven of it."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from appliance.ledger.entry import EntryType
from appliance.ledger.export import write_export
from appliance.ledger.keys import SigningKey
from appliance.store.appending import Draft
from tests.ledger.material import export_items, header
from tests.programs.cli.conftest import CommandLine
from tests.school.small import CODE
from tests.sim.box import confirm

HUB = SigningKey.make()
ORIGIN = f"madoguchi/1/{CODE}/box/1"


@pytest.fixture
def visited(command: CommandLine) -> CommandLine:
    """A box with three visits, of which the hub has confirmed all but the last."""
    with command.box() as box:
        for number in range(3):
            with box.ledger.append() as appending:
                appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"number": number}))
        confirm(box, box.ledger.head().size - 1, HUB)
        (command.folder / "box.pub").write_bytes(box.ledger.public_key.pem())
    (command.folder / "hub.pub").write_bytes(HUB.public.pem())
    return command


@pytest.fixture
def file(visited: CommandLine) -> Path:
    path = visited.folder / "exported"
    answer = visited.run("ledger", "export", "--out", str(path), "--json")
    assert (answer.code, answer.last["entries"], answer.last["confirmed"]) == (0, 6, 5)
    assert (answer.last["bytes"], answer.last["bodies"]) == (path.stat().st_size, 0)
    return path


def keys(command: CommandLine) -> list[str]:
    return ["--box-key", str(command.folder / "box.pub"), "--hub-key", str(command.folder / "hub.pub")]


def test_the_file_is_its_owners_and_nothing_is_left_beside_it(visited: CommandLine, file: Path) -> None:
    assert file.stat().st_mode & 0o777 == 0o600
    assert [one.name for one in visited.folder.iterdir() if "partial" in one.name] == []


def test_a_file_that_is_there_is_not_replaced_unless_asked(visited: CommandLine, file: Path) -> None:
    before = file.read_bytes()
    answer = visited.run("ledger", "export", "--out", str(file), "--bodies", "--json")
    assert (answer.code, answer.last["error"], file.read_bytes()) == (1, "export.exists", before)
    assert visited.run("ledger", "export", "--out", str(file), "--bodies", "--force").code == 0
    assert file.stat().st_size > len(before)
    answer = visited.run("ledger", "export", "--out", os.devnull, "--force", "--json")
    assert (answer.code, answer.last["error"]) == (1, "export.exists")


def test_a_place_that_cannot_be_written_is_named(visited: CommandLine) -> None:
    out = str(visited.folder / "nowhere" / "file")
    answer = visited.run("ledger", "export", "--out", out, "--json")
    assert (answer.code, answer.last["error"], answer.last["file"]) == (2, "cli.file", out)


def test_so_many_records_there_must_be(visited: CommandLine) -> None:
    for count in ("0", "7"):
        out = visited.folder / "part"
        answer = visited.run("ledger", "export", "--out", str(out), "--first", count, "--json")
        assert (answer.code, answer.last["error"], out.exists()) == (1, "export.size", False)


def test_it_is_verified_without_a_box(visited: CommandLine, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    monkeypatch.delenv("APPLIANCE_SETTINGS")
    answer = visited.run("export", "verify", str(file), *keys(visited), "--json")
    said = answer.last
    assert answer.code == 0
    assert (said["verify"], said["issuer"], said["issuer_known"], said["entries"]) == ("ok", ORIGIN, True, 6)
    assert (said["confirmation"], said["confirmed_entries"]) == ("confirmed", 5)
    assert (said["confirmed_by"], said["bodies"]) == ("hub.example", None)


def test_without_keys_it_says_what_is_not_established(visited: CommandLine, file: Path) -> None:
    said = visited.run("export", "verify", str(file), *keys(visited)[:2], "--json").last
    assert (said["verify"], said["confirmation"], said["confirmed"]) == ("ok", "unknown_key", None)
    answer = visited.run("export", "verify", str(file), "--json")
    assert (answer.code, answer.last["verify"], answer.last["issuer_known"]) == (1, "unknown", False)
    other = visited.folder / "other.pub"
    other.write_bytes(SigningKey.make().public.pem())
    answer = visited.run("export", "verify", str(file), "--box-key", str(other), "--json")
    assert (answer.code, answer.last["verify"], answer.last["unchanged"]) == (1, "unknown", None)
    assert "none of those given" in visited.run("export", "verify", str(file), "--box-key", str(other)).out


def test_an_altered_or_foreign_file_is_refused_in_words(visited: CommandLine, file: Path) -> None:
    whole = file.read_bytes()
    for data, code, words in (
        (whole[:-40], "export.cut", "The end of the exported ledger is missing"),
        (whole[:300] + bytes([whole[300] ^ 1]) + whole[301:], "", ""),
        (b"PK\x03\x04", "export.form", "This is no exported ledger"),
        (b"", "export.cut", "The end of the exported ledger is missing"),
    ):
        file.write_bytes(data)
        answer = visited.run("export", "verify", str(file), *keys(visited), "--json")
        assert answer.code == 1
        assert str(answer.last["error"]).startswith(code)
        assert words in answer.err


@pytest.mark.parametrize(
    ("language", "issuer", "unchanged", "confirmed", "contents"),
    [
        ("ja_JP.UTF-8", "（指定された鍵", "（変わっていません）", "県の受領: 最初の 5 件", "6 件は記録されたとき"),
        ("C", "(the key given:", "(unchanged)", "prefecture: the first 5 records, 20", "Contents of 6 records"),
    ],
)
def test_a_verified_export_in_words(
    visited: CommandLine, language: str, issuer: str, unchanged: str, confirmed: str, contents: str
) -> None:
    out = visited.folder / "with-bodies"
    visited.speak(language)
    assert "6" in visited.run("ledger", "export", "--out", str(out), "--bodies").out
    words = visited.run("export", "verify", str(out), *keys(visited)).out
    assert [one for one in (issuer, unchanged, confirmed, contents) if one not in words] == []
    assert "     3  guardian.authenticated\n" in words
    part = visited.folder / "part"
    assert visited.run("ledger", "export", "--out", str(part), "--first", "2").code == 0
    assert len(visited.run("export", "verify", str(part), *keys(visited)).out.splitlines()) == 7
    assert visited.run("export", "verify", str(part)).code == 1


def test_a_time_beyond_every_calendar_is_shown_all_the_same(visited: CommandLine) -> None:
    path = visited.folder / "late"
    late = replace(header(), time_s=1 << 62)
    path.write_bytes(b"".join(write_export([late, *export_items()[1:]])))
    answer = visited.run("export", "verify", str(path), "--json")
    assert str(answer.last["exported"]).startswith("9999-")


def test_what_a_killed_export_left_goes_with_the_next(visited: CommandLine) -> None:
    left = visited.folder / ".old.999999999.partial"
    left.write_bytes(b"half")
    assert visited.run("ledger", "export", "--out", str(visited.folder / "new")).code == 0
    assert not left.exists()


def test_an_earlier_ledger_is_exported_and_its_erasures_are_explained(visited: CommandLine) -> None:
    visited.begin_generation()
    order = ["erase", "records", "M-000003/1", "--reason", "order 12", "--yes"]
    assert visited.run(*order).code == 0
    out = str(visited.folder / "earlier")
    answer = visited.run("ledger", "export", "--generation", "1", "--bodies", "--out", out, "--json")
    assert (answer.code, answer.last["origin"], answer.last["bodies"]) == (0, ORIGIN, 5)
    answer = visited.run("export", "verify", out, *keys(visited), "--json")
    assert (answer.code, answer.last["issuer"]) == (0, ORIGIN)
    assert (answer.last["erased"], answer.last["erased_later"]) == (1, 1)
    assert answer.last["later"] == [ORIGIN[:-1] + "2"]
    assert "a later ledger of the box says so of 1" in visited.run("export", "verify", out, *keys(visited)).out
    assert visited.run("export", "verify", out, "--json").last["erased_later"] == 1
    refused = visited.run("ledger", "export", "--generation", "3", "--out", out, "--force", "--json")
    assert (refused.code, refused.last["error"]) == (1, "ledger.no_generation")


def test_confirmations_of_several_hubs_are_checked_with_their_keys(visited: CommandLine) -> None:
    second = SigningKey.make()
    with visited.box() as box:
        confirm(box, box.ledger.head().size, second, "second.example")
    (visited.folder / "second.pub").write_bytes(second.public.pem())
    out = str(visited.folder / "exported")
    assert visited.run("ledger", "export", "--out", out).code == 0
    both = [*keys(visited), "--hub-key", str(visited.folder / "second.pub")]
    answer = visited.run("export", "verify", out, *both, "--json")
    assert (answer.code, answer.last["confirmed_entries"], answer.last["confirmed_by"]) == (0, 6, "second.example")
    assert visited.run("export", "verify", out, *keys(visited), "--json").last["error"] == "ledger.signature"
