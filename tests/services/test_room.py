"""What is still recorded on a full disk, on a real small file system."""

import pytest

from appliance.ledger.entry import EntryType
from appliance.services.opening import OpenBox
from appliance.services.room import ESSENTIAL, ORDINARY
from appliance.store.appending import Draft
from appliance.store.faults import DiskFullError


def test_of_every_type_it_is_decided_whether_a_full_disk_still_takes_it() -> None:
    assert set(EntryType) == ESSENTIAL | ORDINARY
    assert not ESSENTIAL & ORDINARY
    assert {EntryType.BODY_ERASED, EntryType.STAFF_SIGNED_IN} <= ESSENTIAL
    assert EntryType.GUARDIAN_AUTHENTICATED in ORDINARY


def full_once(box: OpenBox) -> list[int]:
    """Calls of an essential write whose first meets a full disk."""
    calls: list[int] = []

    def write() -> int:
        calls.append(len(calls))
        if len(calls) == 1:
            raise DiskFullError()
        with box.ledger.append() as appending:
            return appending.add(Draft(EntryType.BODY_ERASED, {"rule": "test"}))

    box.room.use(write)
    return calls


def test_an_essential_record_uses_the_reserve_once_and_ordinary_ones_wait_until_it_is_back(box: OpenBox) -> None:
    box.room.require()  # a box that never had one refuses nothing
    box.room.restore()
    box.room.require()
    assert full_once(box) == [0, 1]
    assert box.room.reserve.given_up
    with pytest.raises(DiskFullError):
        full_once(box)
    box.room.require()  # there is room on this disk, so it is filled again on the way
    assert not box.room.reserve.given_up
