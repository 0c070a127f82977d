"""``appliance erase due`` and ``appliance erase records``."""

import pytest

from appliance.ledger.entry import EntryType
from appliance.services.generations import find_generation
from appliance.store.appending import Draft
from tests.programs.cli.conftest import CommandLine


@pytest.fixture
def visited(command: CommandLine) -> CommandLine:
    with command.box() as box, box.ledger.append() as appending:
        for number in range(3):
            appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"number": number}))
    return command


def test_what_the_rules_keep_stays(visited: CommandLine) -> None:
    for arguments, answer in ((["--dry-run"], {"due": {}}), ([], {"erased": {}, "cleaned": True})):
        found = visited.run("erase", "due", *arguments, "--json")
        assert (found.code, found.last) == (0, answer)
    visited.speak("ja_JP.UTF-8")
    assert visited.run("erase", "due").out == "消す中身はありません。\n"


def test_an_order_is_confirmed_and_carried_out(visited: CommandLine) -> None:
    order = ["erase", "records", "M-000003", "4", "--reason", "order 12 of 2026"]
    refused = visited.run(*order)
    assert refused.code == 1
    assert "Erasing the content of M-000003, M-000004 cannot be undone" in refused.err
    with visited.box() as box:
        assert box.ledger.body(3) is not None
    done = visited.run(*order, "--yes")
    assert (done.code, done.out) == (
        0,
        "The content of 2 records is erased. The records and their signatures stay.\n",
    )
    with visited.box() as box:
        assert [box.ledger.body(index) is None for index in (3, 4, 5)] == [True, True, False]
    assert visited.run(*order, "--yes", "--json").last == {"erased": 0, "cleaned": True}
    assert visited.run("ledger", "verify").code == 0


def test_records_of_an_earlier_ledger_go_by_their_number(visited: CommandLine) -> None:
    visited.begin_generation()
    order = ["erase", "records", "M-000003/1", "M-000000", "M-000004/1", "--reason", "order 12 of 2026"]
    assert "Erasing the content of M-000003/1, M-000000, M-000004/1 cannot be undone" in visited.run(*order).err
    assert visited.run(*order, "--yes", "--json").last == {"erased": 3, "cleaned": True}
    checked = visited.run("ledger", "verify", "--generation", "1", "--json")
    assert (checked.code, checked.last["verify"], checked.last["erased_later"]) == (0, "ok", 2)
    assert "of 2 records is gone, and a later ledger" in visited.run("ledger", "verify", "--generation", "1").out
    assert visited.run("ledger", "verify").code == 0
    with visited.box() as box:
        earlier = find_generation(box, 1)
        assert [earlier.body(index) is None for index in (3, 4, 5)] == [True, True, False]
        (said,) = [index for index, _ in box.ledger.of_type(EntryType.EARLIER_BODY_ERASED)]
    for number, code in (
        ("M-000099/1", "ledger.no_entry"),
        ("M-000003/3", "ledger.no_generation"),
        (str(said), "erase.kept"),
    ):
        refused = visited.run("erase", "records", number, "--reason", "order", "--yes", "--json")
        assert (refused.code, refused.last["error"]) == (1, code)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["M-000099", "--reason", "order", "--yes"], "ledger.no_entry"),
        (["M-000003", "--reason", " ", "--yes"], "erase.reason"),
        (["M-000003", "--reason", "x" * 201, "--yes"], "erase.reason"),
        (["third", "--reason", "order", "--yes"], "receipt.number"),
    ],
)
def test_a_wrong_order_is_refused(visited: CommandLine, arguments: list[str], code: str) -> None:
    answer = visited.run("erase", "records", *arguments, "--json")
    assert (answer.code, answer.last["error"]) == (1, code)
