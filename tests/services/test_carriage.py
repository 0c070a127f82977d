"""A record of an earlier generation is found again where it was carried on, however often."""

import pytest

from appliance.ledger.carried import original
from appliance.ledger.entry import EntryType
from appliance.ledger.generation import Reason
from appliance.ledger.keys import SigningKey
from appliance.services.carriage import Carriage
from appliance.services.generations import begin_generation
from appliance.services.opening import OpenBox
from appliance.store.appending import Draft
from appliance.store.ledger import LedgerStore
from tests.sim.box import confirm

HUB = SigningKey.make()


def record(box: OpenBox, name: str) -> int:
    with box.append() as appending:
        return appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"name": name}))


def go_on(box: OpenBox, device_key: SigningKey) -> LedgerStore:
    """The ledger that was closed."""
    before = box.ledger
    begin_generation(box.database, device_key, box.clock, Reason.ROLLED_BACK, note=box.note)
    box.look_again()
    return before


@pytest.fixture
def ledgers(box: OpenBox, device_key: SigningKey) -> list[LedgerStore]:
    """Three generations. In the first, entry 1 is confirmed and 2 and 3 are not; the second confirms the carried 2."""
    for name in ("one", "two", "three"):
        record(box, name)
    confirm(box, 2, HUB)
    first = go_on(box, device_key)
    record(box, "four")
    confirm(box, 2, HUB)
    second = go_on(box, device_key)
    return [first, second, box.ledger]


def test_every_record_is_found_in_its_last_place(box: OpenBox, ledgers: list[LedgerStore]) -> None:
    first, second, third = ledgers
    carriage = Carriage(box)
    assert carriage.places(first, 1) == [(first, 1)]
    assert [(one.origin, index) for one, index in carriage.places(first, 2)] == [(first.origin, 2), (second.origin, 1)]
    where = [(first.origin, 3), (second.origin, 2), (third.origin, 1)]
    assert [(one.origin, index) for one, index in carriage.places(first, 3)] == where
    assert [(one.origin, index) for one, index in carriage.places(second, 3)] == [
        (second.origin, 3),
        (third.origin, 2),
    ]
    for index, name, last in ((3, "three", 1), (3, "four", 2)):
        body = third.body(last)
        assert body is not None
        carried = original(body)
        assert carried.index == index
        assert carried.item.body is not None
        assert carried.item.body.read() == {"name": name}


def test_a_confirmation_counts_wherever_it_came(box: OpenBox, ledgers: list[LedgerStore]) -> None:
    first, second, third = ledgers
    carriage = Carriage(box)

    def confirmed() -> list[bool]:
        records = [(first, 1), (first, 2), (first, 3), (second, 3), (third, 0)]
        return [carriage.confirmation(ledger, index) is not None for ledger, index in records]

    assert confirmed() == [True, True, False, False, False]
    confirm(box, 2, HUB)
    assert confirmed() == [True, True, True, False, True]
    confirm(box, 3, HUB)
    assert confirmed() == [True] * 5
