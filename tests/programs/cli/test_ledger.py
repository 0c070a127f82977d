"""``appliance ledger``: what the box proves to itself, and the receipts that it gives."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from appliance.ledger.entry import EntryType
from appliance.programs.cli.ledger import SHOWN_FAULTS
from appliance.services.opening import DATABASE_NAME
from appliance.store.appending import Draft
from tests.programs.cli.conftest import CommandLine
from tests.school.small import CODE

ORIGIN = f"madoguchi/1/{CODE}/box/1"


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
        "erased_later": 0,
        "archive": {"sealed_to": None, "entries": 0, "seals": 0, "unread": 0, "keys": []},
        "earlier": [],
        "mirrors": [],
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


def test_a_file_that_is_damaged_all_over_is_told_in_a_few_lines(visited: CommandLine) -> None:
    path = visited.state / DATABASE_NAME
    with visited.box() as box:
        box.database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    raw = bytearray(path.read_bytes())
    for page in range(4096 * 2, len(raw), 4096):
        raw[page + 100] ^= 1
    path.write_bytes(raw)
    answer = visited.run("ledger", "verify")
    lines = answer.out.splitlines()
    assert (answer.code, answer.err) == (1, "")
    assert lines[0] == "The ledger could not be read to its end: store.fault reason=database disk image is malformed"
    assert (
        sum(line.startswith("Damage in the database: HMAC verification failed for page ") for line in lines)
        == SHOWN_FAULTS
    )
    assert re.fullmatch(r"\.\.\. and \d+ more like these", lines[-2])
    assert lines[-1].startswith("What to do: change and delete nothing")
    assert len(cast(list[str], visited.run("ledger", "verify", "--json").last["database"])) > SHOWN_FAULTS


@pytest.mark.parametrize(
    ("language", "record", "cure"),
    [("ja_JP.UTF-8", "    問題のある記録: 2 番", "次にすること: "), ("C", "    It concerns record 2.", "What to do: ")],
)
def test_what_is_at_fault_and_what_to_do_is_said_once(
    visited: CommandLine, language: str, record: str, cure: str
) -> None:
    visited.speak(language)
    with visited.box() as box, box.database.transaction() as transaction:
        transaction.run("DROP TRIGGER entry_is_never_deleted")
        transaction.run("DELETE FROM entry WHERE id & 255 = 2")
    lines = visited.run("ledger", "verify").out.splitlines()
    assert lines[1] == record
    assert [line for line in lines if "ledger verify" in line] == []
    assert [line.startswith(cure) for line in lines] == [False] * (len(lines) - 1) + [True]


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


def test_a_type_of_a_newer_version_is_counted_and_shown(visited: CommandLine) -> None:
    with visited.box() as box, box.ledger.append() as appending:
        appending.add(Draft(cast(EntryType, SimpleNamespace(number=9999, version=3)), {"more": [1, None]}))
    assert visited.run("ledger", "show", "--last", "1", "--json").last["type"] == "unknown.9999"
    answer = visited.run("ledger", "verify", "--json")
    assert (answer.code, cast(dict[str, int], answer.last["types"])["unknown.9999"]) == (0, 1)


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
