"""A clock that is years ahead dates nothing: what comes after it was put right has its own time again."""

import pytest

from appliance.ledger.entry import EPOCH_MS, EntryType
from appliance.ledger.generation import Reason
from appliance.ledger.keys import SigningKey
from appliance.services.generations import begin_generation
from appliance.services.ledger_clock import (
    DAY_MS,
    RELEASED_MS,
    SINCE_HUB_MS,
    WITHOUT_HUB_MS,
    LedgerClock,
    WrongClockError,
    check_wall_clock,
    latest_plausible_ms,
)
from appliance.services.opening import OpenBox, found_box
from appliance.store.appending import Draft
from tests.sim.box import DATABASE_KEY, SCHOOL_NAME, confirm
from tests.sim.clock import ManualClock

YEAR_2099_MS = 4_070_908_800_000


def last_ms(box: OpenBox) -> int:
    return box.ledger.head().last_time_ms + EPOCH_MS


def record(box: OpenBox) -> None:
    with box.append() as appending:
        appending.add(Draft(EntryType.STAFF_SIGNED_IN, {}))


def test_a_day_in_2099_does_not_hold_the_ledgers_time_there(box: OpenBox, clock: ManualClock) -> None:
    record(box)
    right_ms, before_ms = clock.ms, last_ms(box)
    clock.ms = YEAR_2099_MS
    clock.uptime_ms += 5_000
    record(box)
    ahead = box.ledger.entry(box.ledger.head().size - 1)
    assert ahead.wall_ms == before_ms
    assert ahead.monotonic_ms == clock.monotonic_ms()  # how much time passed can still be told
    clock.ms = right_ms + 60_000
    record(box)
    assert last_ms(box) == right_ms + 60_000


def test_the_limit_follows_the_hubs_own_time(box: OpenBox, clock: ManualClock) -> None:
    assert latest_plausible_ms(box.ledger) == RELEASED_MS + WITHOUT_HUB_MS
    believed = LedgerClock(clock, box.ledger)
    confirmed_ms = clock.ms // 1000 * 1000
    confirm(box, 1, SigningKey.make())
    assert latest_plausible_ms(box.ledger) == confirmed_ms + SINCE_HUB_MS
    clock.ms = confirmed_ms + SINCE_HUB_MS
    assert believed.now_ms() == clock.ms
    clock.ms += 1
    assert believed.now_ms() == confirmed_ms


def test_a_box_that_is_founded_with_a_wrong_clock_begins_at_its_release(
    tmp_path_factory: pytest.TempPathFactory, device_key: SigningKey, clock: ManualClock
) -> None:
    clock.ms = YEAR_2099_MS
    folder = tmp_path_factory.mktemp("founded")
    box = found_box(folder, DATABASE_KEY, device_key, clock, "B113299900018", SCHOOL_NAME)
    with box.database:
        assert last_ms(box) == RELEASED_MS


@pytest.mark.parametrize("wrong_ms", [0, EPOCH_MS - 1, YEAR_2099_MS])
def test_a_clock_that_cannot_be_right_is_refused(box: OpenBox, wrong_ms: int) -> None:
    with pytest.raises(WrongClockError):
        check_wall_clock(wrong_ms, box.ledger)


def test_a_clock_that_is_a_day_behind_the_last_record_is_refused_and_one_a_little_behind_is_not(box: OpenBox) -> None:
    check_wall_clock(last_ms(box) - DAY_MS, box.ledger)
    with pytest.raises(WrongClockError):
        check_wall_clock(last_ms(box) - DAY_MS - 1, box.ledger)


def test_a_new_generation_believes_what_the_one_before_was_told(
    box: OpenBox, device_key: SigningKey, clock: ManualClock
) -> None:
    confirmed_ms = clock.ms // 1000 * 1000
    confirm(box, 1, SigningKey.make())
    clock.ms = YEAR_2099_MS
    begin_generation(box.database, device_key, clock, Reason.ROLLED_BACK)
    box.look_again()
    assert box.school.origin.endswith("/box/2")
    assert last_ms(box) == confirmed_ms
    assert latest_plausible_ms(box.ledger) == confirmed_ms + SINCE_HUB_MS
