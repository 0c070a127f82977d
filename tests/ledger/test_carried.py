"""What was not confirmed comes over entry by entry, and proves how the closed ledger ended."""

from dataclasses import replace
from typing import Any

import pytest

from appliance.errors import UntrustedError
from appliance.ledger.carried import BranchError, Carried, CarriedError, carried_content, check_branch, original
from appliance.ledger.entry import Body, CommitmentError, Entry, EntryType
from appliance.ledger.generation import NamedHead
from appliance.ledger.verify import Sealed
from tests.sync.memory import ORIGIN, frontier_of, sealed

ITEMS = [sealed(number) for number in range(9)]
CLOSED = NamedHead(ORIGIN, 9, frontier_of(ITEMS).root())
SALT = b"s" * 16


def carry(index: int, item: Sealed, origin: str = ORIGIN) -> Body:
    return Body.of(carried_content(origin, index, item), SALT)


def entry_of(body: Body) -> Sealed:
    """The entry whose body this is, as the new ledger has it."""
    kind = EntryType.RECORD_CARRIED.number
    return Sealed(Entry(kind, 1, 9_000, 0, 1, 0, 0, (), body.commitment()).encode(), body)


def branch(first: int) -> list[Body | None]:
    return [carry(index, ITEMS[index]) for index in range(first, 9)]


def test_an_entry_comes_over_with_its_body_or_without() -> None:
    assert Carried.read(carry(3, ITEMS[3])) == Carried(ORIGIN, 3, ITEMS[3])
    erased = replace(ITEMS[3], body=None)
    assert Carried.read(carry(3, erased)) == Carried(ORIGIN, 3, erased)


@pytest.mark.parametrize(
    "change",
    [
        {"origin": 1},
        {"index": -1},
        {"index": True},
        {"entry": "text"},
        {"salt": None},
        {"content": None},
        {"salt": b"short"},
        {"content": {}},
    ],
)
def test_another_form_is_refused(change: dict[str, Any]) -> None:
    content = carried_content(ORIGIN, 3, ITEMS[3])
    with pytest.raises(CarriedError):
        Carried.read(Body.of(content | change, SALT))
    for name in content:
        with pytest.raises(CarriedError):
            Carried.read(Body.of({key: value for key, value in content.items() if key != name}, SALT))


def test_a_body_of_another_entry_is_refused() -> None:
    with pytest.raises(CommitmentError):
        Carried.read(carry(3, replace(ITEMS[3], body=ITEMS[4].body)))
    with pytest.raises(UntrustedError):
        Carried.read(carry(3, replace(ITEMS[3], entry=b"\x80")))


def test_what_was_carried_twice_is_still_the_first_record() -> None:
    body = carry(3, ITEMS[3])
    for generation in range(2, 6):
        body = carry(generation, entry_of(body), ORIGIN.replace("/box/1", f"/box/{generation}"))
    assert original(body) == Carried(ORIGIN, 3, ITEMS[3])
    gone = replace(entry_of(carry(3, ITEMS[3])), body=None)  # erased before it was carried on
    assert original(carry(7, gone)) == Carried(ORIGIN, 7, gone)


@pytest.mark.parametrize("first", [0, 1, 6, 8, 9])
def test_all_that_the_mirror_did_not_have_leads_to_the_end(first: int) -> None:
    check_branch(frontier_of(ITEMS[:first]), branch(first), CLOSED)


def test_erased_bodies_do_not_break_the_branch() -> None:
    without: list[Body | None] = [carry(index, replace(ITEMS[index], body=None)) for index in range(6, 9)]
    check_branch(frontier_of(ITEMS[:6]), without, CLOSED)


def test_a_branch_that_is_not_whole_or_not_true_is_found() -> None:
    mirror, whole = frontier_of(ITEMS[:6]), branch(6)
    other = carry(7, sealed(1_000))
    wrong: list[list[Body | None]] = [
        [],
        whole[:-1],
        whole[1:],
        [whole[0], None, whole[2]],
        [whole[0], whole[2], whole[1]],
        [*whole, whole[2]],
        [whole[0], other, whole[2]],
        [whole[0], carry(7, ITEMS[7], origin=ORIGIN + "0"), whole[2]],
        [whole[0], Body.of({}, SALT), whole[2]],
    ]
    for bodies in wrong:
        with pytest.raises(BranchError):
            check_branch(mirror, bodies, CLOSED)
    with pytest.raises(BranchError):
        check_branch(frontier_of([sealed(1_000), *ITEMS[1:6]]), whole, CLOSED)  # a mirror of another ledger
    for end in (replace(CLOSED, size=8), replace(CLOSED, root=b"\0" * 32)):
        with pytest.raises(BranchError):
            check_branch(mirror, whole, end)
    check_branch(mirror, whole, CLOSED)  # which itself was not changed by all that
