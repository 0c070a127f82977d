"""``appliance ledger`` and ``appliance receipt``: what the box proves, to itself and to others."""

from pathlib import Path

import pytest

from appliance.ledger.entry import EntryType
from appliance.ledger.keys import SigningKey
from appliance.services.opening import DATABASE_NAME
from appliance.store.appending import Draft
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
def receipt(visited: CommandLine) -> Path:
    """The receipt of a confirmed visit, as bytes."""
    path = visited.folder / "receipt"
    assert visited.run("ledger", "receipt", "4", "--out", str(path)).code == 0
    return path


def test_a_good_ledger_is_counted(visited: CommandLine) -> None:
    answer = visited.run("ledger", "verify", "--json")
    assert answer.code == 0
    assert answer.last == {
        "verify": "ok",
        "origin": ORIGIN,
        "entries": 6,
        "receipted": 5,
        "pending": 1,
        "types": {"ledger.opened": 1, "identity.introduced": 1, "staff.added": 1, "guardian.authenticated": 3},
        "faults": [],
        "database": [],
    }


@pytest.mark.parametrize(
    ("language", "good", "delivery"),
    [
        ("ja_JP.UTF-8", "件。木と署名は正しいです。", "県が受領 5 件、送信待ち 1 件"),
        ("C", "entries. Tree and signature are good.", "5 received by the prefecture, 1 waiting"),
    ],
)
def test_a_good_ledger_in_words(visited: CommandLine, language: str, good: str, delivery: str) -> None:
    visited.speak(language)
    words = visited.run("ledger", "verify").out
    assert good in words
    assert delivery in words
    assert "     3  guardian.authenticated\n" in words


def test_a_changed_entry_is_found(visited: CommandLine) -> None:
    with visited.box() as box, box.database.transaction() as transaction:
        transaction.run("DROP TRIGGER entry_is_never_changed")
        found = transaction.row("SELECT entry FROM entry WHERE id & 255 = 3")
        assert found is not None
        raw = bytearray(found[0])
        raw[-1] ^= 1
        transaction.run("UPDATE entry SET entry = ? WHERE id & 255 = 3", (bytes(raw),))
    answer = visited.run("ledger", "verify", "--json")
    assert (answer.code, answer.last["verify"]) == (1, "failed")
    assert str(answer.last["error"]).startswith("ledger.")
    assert visited.run("ledger", "verify").out.startswith("The ledger is not good: ")


def test_a_swapped_body_is_found(visited: CommandLine) -> None:
    with visited.box() as box, box.database.transaction() as transaction:
        transaction.run("DROP TRIGGER entry_body_only_goes")
        transaction.run("UPDATE entry SET body = (SELECT body FROM entry WHERE id & 255 = 0) WHERE id & 255 = 4")
    answer = visited.run("ledger", "verify", "--json")
    assert (answer.code, answer.last["verify"], answer.last["error"]) == (1, "failed", "store.seal")
    assert answer.last["index"] == 4


def test_a_damaged_file_is_found(visited: CommandLine) -> None:
    path = visited.state / DATABASE_NAME
    with visited.box() as box:
        box.database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    raw = bytearray(path.read_bytes())
    raw[-2000] ^= 1
    path.write_bytes(raw)
    answer = visited.run("ledger", "verify", "--json")
    assert (answer.code, answer.last["verify"]) == (1, "failed")
    assert answer.last["database"]
    assert "Damage in the database: " in visited.run("ledger", "verify").out


def test_entries_are_listed_latest_last(visited: CommandLine) -> None:
    answer = visited.run("ledger", "show", "--last", "2", "--json")
    assert answer.code == 0
    assert [(one["type"], one["received"]) for one in answer.lines] == [
        ("guardian.authenticated", True),
        ("guardian.authenticated", False),
    ]
    assert len(visited.run("ledger", "show", "--json").lines) == 6
    assert visited.run("ledger", "show", "--last", "0").out == ""
    assert visited.run("ledger", "show", "--last", "-3").out == ""


@pytest.mark.parametrize(
    ("language", "received", "waiting"), [("ja_JP.UTF-8", "  受領  ", "  待ち  "), ("C", "  received  ", "  waiting  ")]
)
def test_entries_in_words(visited: CommandLine, language: str, received: str, waiting: str) -> None:
    visited.speak(language)
    first, second = visited.run("ledger", "show", "--last", "2").out.splitlines()
    assert received in first
    assert waiting in second
    assert second.endswith("guardian.authenticated")


@pytest.mark.parametrize("number", ["4", "M-000004", "m-4"])
def test_a_receipt_is_printed_for_a_number(visited: CommandLine, receipt: Path, number: str) -> None:
    answer = visited.run("ledger", "receipt", number, "--json")
    assert answer.code == 0
    assert (answer.last["number"], answer.last["confirmed"]) == ("M-000004", True)
    assert answer.last["bytes"] == len(receipt.read_bytes())
    assert visited.run("ledger", "receipt", number).out == f"{answer.last['text']}\n"


@pytest.mark.parametrize("number", ["", "M-", "x", "-1", "１２", "1.0", "9" * 30])
def test_what_is_no_number_is_refused(visited: CommandLine, number: str) -> None:
    answer = visited.run("ledger", "receipt", "--json", "--", number)
    assert (answer.code, answer.last["error"]) == (1, "receipt.number")


def test_an_entry_that_is_not_there_has_no_receipt(visited: CommandLine) -> None:
    for number in ("6", "9" * 18):
        answer = visited.run("ledger", "receipt", number, "--json")
        assert (answer.code, answer.last["error"]) == (1, "ledger.no_entry")


def test_a_receipt_is_verified_with_nothing_but_the_keys(
    visited: CommandLine, receipt: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY")
    keys = ["--box-key", str(visited.folder / "box.pub"), "--hub-key", str(visited.folder / "hub.pub")]
    answer = visited.run("receipt", "verify", str(receipt), *keys, "--json")
    assert answer.code == 0
    said = answer.last
    assert (said["verify"], said["issuer"], said["number"], said["type"], said["confirmed_by"]) == (
        "ok",
        ORIGIN,
        "M-000004",
        "guardian.authenticated",
        "hub.example",
    )
    assert said["confirmed"] is not None
    without_hub = visited.run("receipt", "verify", str(receipt), *keys[:2], "--json")
    assert (without_hub.code, without_hub.last["confirmed"]) == (0, None)


@pytest.mark.parametrize(
    ("language", "genuine", "confirmed", "unconfirmed"),
    [
        ("ja_JP.UTF-8", "（署名は本物です）", "県の受領: 20", "県の受領: この受領証では確認できません"),
        ("C", "(the signature is good)", "Received by the prefecture: 20", "not confirmed by this receipt"),
    ],
)
def test_a_receipt_in_words(
    visited: CommandLine, receipt: Path, language: str, genuine: str, confirmed: str, unconfirmed: str
) -> None:
    visited.speak(language)
    keys = ["--box-key", str(visited.folder / "box.pub"), "--hub-key", str(visited.folder / "hub.pub")]
    words = visited.run("receipt", "verify", str(receipt), *keys).out
    assert genuine in words
    assert "M-000004 guardian.authenticated 20" in words
    assert confirmed in words
    assert unconfirmed in visited.run("receipt", "verify", str(receipt)).out


def test_the_text_of_the_qr_code_is_a_receipt_too(visited: CommandLine, receipt: Path) -> None:
    text = visited.run("ledger", "receipt", "4").out
    for written in (text, text.strip(), text.strip() + "\r\n"):
        receipt.write_text(written)
        assert visited.run("receipt", "verify", str(receipt)).code == 0


def test_no_flipped_byte_passes(visited: CommandLine, receipt: Path) -> None:
    raw = receipt.read_bytes()
    for at in range(0, len(raw), max(1, len(raw) // 60)):
        receipt.write_bytes(raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :])
        keys = ["--box-key", str(visited.folder / "box.pub"), "--hub-key", str(visited.folder / "hub.pub")]
        answer = visited.run("receipt", "verify", str(receipt), *keys, "--json")
        assert answer.code == 1, at
        assert str(answer.last["error"]).startswith("ledger."), at


@pytest.mark.parametrize("data", [b"", b"MDG1:", "MDG1:あ".encode(), b"MDG1:\xff", b"MDG1:abc", b"\x00" * 100])
def test_what_is_no_receipt_is_refused(visited: CommandLine, receipt: Path, data: bytes) -> None:
    receipt.write_bytes(data)
    answer = visited.run("receipt", "verify", str(receipt), "--json")
    assert answer.code == 1
    assert str(answer.last["error"]).startswith("ledger.")


def test_a_receipt_of_another_box_is_refused(visited: CommandLine, receipt: Path) -> None:
    (visited.folder / "other.pub").write_bytes(SigningKey.make().public.pem())
    answer = visited.run("receipt", "verify", str(receipt), "--box-key", str(visited.folder / "other.pub"), "--json")
    assert (answer.code, answer.last["error"]) == (1, "ledger.signature")


def test_files_that_are_missing_or_no_key_are_named(visited: CommandLine, receipt: Path) -> None:
    absent = str(visited.folder / "absent")
    for arguments in ((absent,), (str(receipt), "--box-key", absent)):
        answer = visited.run("receipt", "verify", *arguments, "--json")
        assert (answer.code, answer.last["error"], answer.last["file"]) == (2, "cli.file", absent)
    answer = visited.run("receipt", "verify", str(receipt), "--box-key", str(receipt), "--json")
    assert (answer.code, answer.last["error"]) == (2, "ledger.key_form")
