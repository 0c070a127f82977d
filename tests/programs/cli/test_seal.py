"""``appliance ledger seal``, and what other commands then say of the archive."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.ledger.archive_keys import ArchiveSigningKey
from appliance.ledger.day_seals import DAY_MS, date_of, day_of
from appliance.ledger.entry import EntryType
from appliance.store.appending import Draft
from tests.programs.cli.conftest import CommandLine


def record(command: CommandLine, count: int = 1) -> None:
    with command.box() as box:
        for number in range(count):
            with box.ledger.append() as appending:
                appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"number": number}))


@pytest.fixture
def sealed(command: CommandLine, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """A box whose day of founding was sealed two days later, by its clock."""
    record(command, 2)
    now_ms = SystemClock().now_ms()
    monkeypatch.setattr(SystemClock, "now_ms", lambda _: now_ms + 2 * DAY_MS)
    answer = command.run("ledger", "seal", "--json")
    assert (answer.code, answer.err) == (0, "")
    assert answer.last == {"sealed": [date_of(day_of(now_ms)).isoformat()], "key": key_of(command).public.key_id.hex()}
    return command


def key_of(command: CommandLine) -> ArchiveSigningKey:
    return ArchiveSigningKey.from_pem((command.keys / "archive.key").read_bytes())


def test_the_day_of_founding_is_not_sealed_on_the_same_day(command: CommandLine) -> None:
    answer = command.run("ledger", "seal", "--json")
    assert (answer.code, answer.last["sealed"]) == (0, [])
    assert command.run("ledger", "seal").out == "There is no day to seal for the archive.\n"
    said = command.run("ledger", "verify").out
    assert "Sealed for the archive: nothing yet" in said


def test_what_is_sealed_is_said(sealed: CommandLine) -> None:
    answer = sealed.run("ledger", "verify", "--json")
    today = datetime.now(UTC) + timedelta(hours=9)
    assert answer.code == 0
    key_id = key_of(sealed).public.key_id.hex()
    entries = int(str(answer.last["entries"])) - 2
    expected = {"sealed_to": f"{today:%Y-%m-%d}", "entries": entries, "seals": 1, "unread": 0, "keys": [key_id]}
    assert answer.last["archive"] == expected
    words = sealed.run("ledger", "verify").out
    assert f"records up to {today:%Y-%m-%d} (1 seals, key {key_id})" in words
    sealed.speak("ja_JP.UTF-8")
    assert f"長期保存用の署名: {today:%Y-%m-%d} までの記録" in sealed.run("ledger", "verify").out
    assert sealed.run("ledger", "seal", "--json").last["sealed"] == []


def test_a_person_is_told_how_many_days_were_sealed(command: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    now_ms = SystemClock().now_ms()
    monkeypatch.setattr(SystemClock, "now_ms", lambda _: now_ms + 2 * DAY_MS)
    words = command.run("ledger", "seal").out
    assert words == f"1 days are sealed for the archive, the last one is {date_of(day_of(now_ms))}.\n"


def test_a_box_from_before_there_was_such_a_key_is_told_the_cure(command: CommandLine) -> None:
    (command.keys / "archive.key").unlink()
    answer = command.run("ledger", "seal", "--json")
    assert (answer.code, answer.last) == (2, {"error": "archive.no_key"})
    assert "appliance-admin keys complete" in answer.err
    assert command.run("ledger", "verify").code == 0


def test_another_key_in_its_place_is_refused(command: CommandLine) -> None:
    (command.keys / "archive.key").write_bytes((command.keys / "device.key").read_bytes())
    answer = command.run("ledger", "seal", "--json")
    assert (answer.code, answer.last["error"]) == (2, "archive.key_form")


def test_the_public_key_is_printed_for_others(sealed: CommandLine) -> None:
    public = key_of(sealed).public
    answer = sealed.run("receipt", "key", "--archive", "--json")
    assert answer.last == {
        "key": public.key_id.hex(),
        "fingerprint": public.fingerprint.hex(),
        "pem": public.pem().decode(),
    }
    words = sealed.run("receipt", "key", "--archive").out
    assert words.startswith("The key that seals each day for the archive. SHA-256: ")
    assert words.endswith(public.pem().decode())


def test_a_ledger_without_a_seal_has_no_key_to_print(command: CommandLine) -> None:
    answer = command.run("receipt", "key", "--archive", "--json")
    assert (answer.code, answer.last) == (1, {"error": "archive.none"})


@pytest.fixture
def exported(sealed: CommandLine) -> Path:
    """An export without anything personal; beside it the public keys of box and archive."""
    path = sealed.folder / "out.ledger"
    assert sealed.run("ledger", "export", "--out", str(path)).code == 0
    for name, options in (("box.pub", ()), ("archive.pub", ("--archive",))):
        pem = sealed.run("receipt", "key", *options, "--json").last["pem"]
        (sealed.folder / name).write_text(str(pem), "utf-8")
    return path


def test_an_auditor_sees_how_far_an_export_is_sealed(sealed: CommandLine, exported: Path) -> None:
    keys = ("--box-key", str(sealed.folder / "box.pub"))
    answer = sealed.run("export", "verify", str(exported), *keys, "--json")
    own = json.loads(sealed.run("ledger", "verify", "--json").out)["archive"]
    assert (answer.code, answer.last["archive"]) == (0, own | {"keys_known": False})
    assert "it was not compared with another" in sealed.run("export", "verify", str(exported), *keys).out
    pinned = (*keys, "--archive-key", str(sealed.folder / "archive.pub"))
    answer = sealed.run("export", "verify", str(exported), *pinned, "--json")
    assert (answer.code, answer.last["archive"]) == (0, own | {"keys_known": True})
    assert "compared" not in sealed.run("export", "verify", str(exported), *pinned).out


def test_an_archive_key_that_is_not_the_pinned_one_is_refused(sealed: CommandLine, exported: Path) -> None:
    other = sealed.folder / "other.pub"
    other.write_bytes(ArchiveSigningKey.make().public.pem())
    keys = ("--box-key", str(sealed.folder / "box.pub"), "--archive-key", str(other))
    answer = sealed.run("export", "verify", str(exported), *keys, "--json")
    assert (answer.code, answer.last["error"]) == (1, "archive.other_key")
