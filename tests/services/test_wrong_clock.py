"""A box whose clock is wrong: nothing it records is older than what was there, and nobody is locked out for good."""

import pytest

from appliance.ledger.entry import EPOCH_MS, Entry
from appliance.ledger.verify import verify_ledger
from appliance.services.check_in import CheckIn
from appliance.services.ledger_clock import WrongClockError
from appliance.services.link_codes import LinkCodes
from appliance.services.opening import OpenBox
from appliance.trust.chain import ExpiredCertificateError
from tests.services.conftest import STAFF, Visitor
from tests.sim.clock import ManualClock
from tests.sim.fixtures import MakeCard

HOUR_MS = 3_600_000
YEAR_MS = 365 * 24 * HOUR_MS


@pytest.fixture
def linked(check_in: CheckIn, make_card: MakeCard, link_codes: LinkCodes) -> Visitor:
    visitor = Visitor(check_in, make_card())
    visitor.visit(check_in.accept_code(link_codes.issue("mother", STAFF).code.digits, 0))
    return visitor


def entries(box: OpenBox) -> list[Entry]:
    """All of them, after the whole ledger was verified."""
    head = box.ledger.head()
    items = list(box.ledger.items(0, head.size))
    stored = ((one.entry, one.body) for one in items)
    assert verify_ledger(stored, head.checkpoint, box.school.origin, box.ledger.public_key).size == head.size
    return [Entry.decode(one.entry) for one in items]


def test_a_clock_that_stepped_back_makes_no_visit_older_than_the_one_before(
    linked: Visitor, box: OpenBox, clock: ManualClock
) -> None:
    clock.advance(HOUR_MS)
    first = linked.visit()
    clock.ms -= 2 * HOUR_MS
    clock.uptime_ms += 1_000
    second = linked.visit()
    found = entries(box)
    assert found[second].time_ms == found[first].time_ms
    # How much time really passed can still be told: the monotonic reading went on.
    assert found[second].monotonic_ms - found[first].monotonic_ms == 1_000
    assert [one.time_ms for one in found] == sorted(one.time_ms for one in found)


def test_a_clock_that_was_set_right_again_goes_on_by_its_own_time(
    linked: Visitor, box: OpenBox, clock: ManualClock
) -> None:
    right_ms = clock.ms
    clock.ms -= HOUR_MS
    linked.visit()
    clock.ms = right_ms + 5_000
    latest = linked.visit()
    assert entries(box)[latest].time_ms + EPOCH_MS == right_ms + 5_000


@pytest.mark.parametrize(
    ("by_ms", "error"),
    [
        (-56 * YEAR_MS, WrongClockError),  # 1970
        (-30 * YEAR_MS, WrongClockError),
        (8 * YEAR_MS, ExpiredCertificateError),  # may be, and the card's time may be over
        (30 * YEAR_MS, WrongClockError),
        (73 * YEAR_MS, WrongClockError),  # 2099
    ],
)
def test_a_clock_that_is_years_off_records_nothing_and_no_card_is_blamed_for_it(
    linked: Visitor, box: OpenBox, clock: ManualClock, by_ms: int, error: type[Exception]
) -> None:
    size = box.ledger.head().size
    clock.ms += by_ms
    with pytest.raises(error):
        linked.show_card()
    assert box.ledger.head().size == size
    clock.ms -= by_ms
    assert linked.visit() == size
    entries(box)
