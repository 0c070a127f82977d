"""What a later ledger says of an earlier one counts only if it is proven."""

from collections.abc import Iterator

import pytest

from appliance.errors import UntrustedError
from appliance.ledger.entry import EntryType, check_body
from appliance.ledger.generation import Reason
from appliance.ledger.keys import SigningKey
from appliance.ledger.receipt import open_receipt
from appliance.services.audit import audit_earlier
from appliance.services.generations import begin_generation, find_generation
from appliance.services.later_erasures import later_erasures
from appliance.services.opening import OpenBox, box_origin, open_box
from appliance.store.appending import Draft
from appliance.store.erasing import erase_earlier
from tests.sim.box import DATABASE_KEY
from tests.sim.clock import ManualClock

SECOND, THIRD = SigningKey.make(), SigningKey.make()


def go_on(box: OpenBox, clock: ManualClock, key: SigningKey) -> OpenBox:
    begin_generation(box.database, key, clock, Reason.RESTORED)
    return open_box(box.database.path.parent, DATABASE_KEY, key, clock)


def record(box: OpenBox, count: int) -> None:
    with box.ledger.append() as appending:
        for number in range(count):
            appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"number": number}))


def erase(box: OpenBox, generation: int, *indices: int) -> None:
    with box.ledger.append() as appending:
        erase_earlier(appending, find_generation(box, generation), indices, "order")


@pytest.fixture
def third(box: OpenBox, clock: ManualClock) -> Iterator[OpenBox]:
    """A box in its third generation; bodies of the first were erased in the second and in the third."""
    record(box, 9)
    second = go_on(box, clock, SECOND)
    record(second, 9)
    erase(second, 1, 2, 3)
    third = go_on(second, clock, THIRD)
    second.database.close()
    erase(third, 1, 5)
    erase(third, 2, 4)
    yield third
    third.database.close()


def found(box: OpenBox, generation: int) -> list[tuple[str, tuple[int, ...]]]:
    told = later_erasures(box.database, box_origin(box.school.code, generation))
    return [(one.origin[-5:], one.erasure.indices) for one in told]


def test_every_later_ledger_is_asked(third: OpenBox) -> None:
    assert found(third, 1) == [("box/2", (2, 3)), ("box/3", (5,))]
    assert found(third, 2) == [("box/3", (4,))]
    assert found(third, 3) == []
    for told in later_erasures(third.database, box_origin(third.school.code, 1)):
        key = SECOND.public if told.origin.endswith("2") else THIRD.public
        check_body(open_receipt(told.receipt, told.origin, key, None).entry, told.body)


def test_what_is_gone_without_a_word_is_still_a_fault(third: OpenBox) -> None:
    first = find_generation(third, 1)
    assert audit_earlier(third.database, first, None).good
    with third.database.transaction() as transaction:
        transaction.run("UPDATE entry SET body = NULL WHERE id = ?", (first._number << 44 | 7,))
    audited = audit_earlier(third.database, first, None)
    assert [(one.code, one.fields["index"], one.fields["count"]) for one in audited.faults] == [
        ("ledger.body_missing", 7, 1)
    ]


def test_a_word_that_is_not_under_the_signed_head_does_not_count(third: OpenBox) -> None:
    second = find_generation(third, 2)
    (index,) = [index for index, _ in second.of_type(EntryType.EARLIER_BODY_ERASED)]
    with third.database.transaction() as transaction:
        transaction.run("DROP TRIGGER entry_is_never_changed")
        row = second._number << 44 | index
        (raw,) = transaction.row("SELECT entry FROM entry WHERE id = ?", (row,)) or (b"",)
        # Another actor: the body still fits, but the box never signed this.
        changed = second.entry(index).encode().replace(bytes([0, 0, 0x80]), bytes([1, 0, 0x80]))
        assert changed != raw
        transaction.run("UPDATE entry SET entry = ? WHERE id = ?", (changed, row))
    with pytest.raises(UntrustedError):
        found(third, 1)
    audited = audit_earlier(third.database, find_generation(third, 1), None)
    assert [one.code for one in audited.faults] == ["ledger.body_missing", "ledger.signature"]
