"""Where an entry stands decides what it may say of others."""

import pytest

from appliance.errors import UntrustedError
from appliance.ledger.entry import EntryType
from appliance.ledger.erasure import ErasureFormError
from appliance.ledger.order import TELLING, EntryVersionError, Order, OrderError

Parts = tuple[int, int, int, int, tuple[int, ...]]
"""Type, version, time, boot and references."""
OPENED: Parts = (1, 1, 10, 0, ())


def take(*entries: Parts, order: Order | None = None) -> Order:
    order = order or Order()
    for one in entries:
        order.take(*one)
    return order


def test_a_start_is_its_own_boot_and_the_others_name_the_last_one() -> None:
    order = take(OPENED, (17, 1, 10, 0, ()), (2, 1, 11, 2, (0,)), (17, 7, 11, 2, (0, 2)), (900, 3, 12, 2, ()))
    assert (order.time_ms, order.size) == (12, 5)


@pytest.mark.parametrize(
    ("entry", "error"),
    [
        ((17, 1, 9, 0, ()), OrderError),  # older
        ((17, 1, 10, 1, ()), OrderError),  # its own boot, and it tells of no start
        ((17, 1, 10, 2, ()), OrderError),
        ((2, 1, 10, 0, ()), OrderError),  # a start that names another
        ((17, 1, 10, 0, (1,)), OrderError),  # refers to itself
        ((4, 2, 10, 0, ()), EntryVersionError),
    ],
)
def test_what_is_out_of_place_is_refused_and_counts_for_nothing(entry: Parts, error: type[UntrustedError]) -> None:
    order = take(OPENED)
    with pytest.raises(error) as refused:
        order.take(*entry)
    assert refused.value.fields["index"] == 1
    assert (order.time_ms, order.size) == (10, 1)


def test_no_entry_goes_back_to_an_earlier_start() -> None:
    order = take(OPENED, (2, 1, 10, 1, ()))
    with pytest.raises(OrderError):
        order.take(17, 1, 10, 0, ())
    with pytest.raises(OrderError):
        Order().take(17, 1, 10, 0, ())


def test_from_the_middle_the_first_boot_is_believed_and_then_kept() -> None:
    order = take((17, 1, 5, 3, ()), (17, 1, 5, 3, ()), order=Order(5, 7))
    assert order.size == 9
    with pytest.raises(OrderError):
        order.take(17, 1, 5, 4, ())
    with pytest.raises(OrderError):
        Order(5, 7).take(17, 1, 4, 3, ())


@pytest.mark.parametrize("kind", TELLING)
def test_what_decides_about_other_entries_is_read_in_a_known_version_only(kind: int) -> None:
    assert take(OPENED, (kind, TELLING[kind], 10, 0, ())).size == 2
    for version in (0, TELLING[kind] + 1):
        with pytest.raises(EntryVersionError) as refused:
            take(OPENED, (kind, version, 10, 0, ()))
        assert refused.value.fields["version"] == version


def test_nobody_erases_what_tells_of_erasing_in_an_earlier_ledger() -> None:
    kept = EntryType.EARLIER_BODY_ERASED.number
    order = take(OPENED, (kept, 1, 10, 0, ()), (4, 1, 10, 0, (0,)), (17, 1, 10, 0, (1,)))
    with pytest.raises(ErasureFormError) as refused:
        order.take(4, 1, 10, 0, (0, 1))
    assert refused.value.fields["index"] == 1
    order.check_erased([0, 2, 9])
    with pytest.raises(ErasureFormError):
        order.check_erased([1])
