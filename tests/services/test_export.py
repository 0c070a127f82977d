"""The box's ledger as a file: of one moment, whatever happens meanwhile, and without anything personal unless asked."""

from collections.abc import Iterator

import pytest

from appliance.ledger.entry import EntryType
from appliance.ledger.erased_later import LaterKeyError
from appliance.ledger.export import Confirmed, Header, read_export, write_export
from appliance.ledger.export_check import VerifiedExport, verify_export
from appliance.ledger.generation import Reason
from appliance.ledger.keys import SigningKey
from appliance.services.export import ExportSizeError, ExportUnsignedError, export_ledger
from appliance.services.generations import GenerationError, begin_generation, find_generation
from appliance.services.opening import OpenBox, open_box
from appliance.store.appending import Draft
from appliance.store.erasing import erase_earlier
from tests.sim.box import DATABASE_KEY, confirm
from tests.sim.clock import ManualClock

HUB, NEXT, CHANGED = SigningKey.make(), SigningKey.make(), SigningKey.make()


def visit(box: OpenBox) -> int:
    with box.ledger.append() as appending:
        return appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"purpose": "visit"}))


def exported(box: OpenBox, *, first: int | None = None, bodies: bool = False, generation: int | None = None) -> bytes:
    return b"".join(write_export(export_ledger(box, first=first, bodies=bodies, generation=generation)))


def verified(box: OpenBox, file: bytes) -> VerifiedExport:
    return verify_export(read_export([file]), [box.ledger.public_key], [HUB.public])


@pytest.fixture
def used(box: OpenBox) -> OpenBox:
    """A box with five visits of which the hub confirmed some, twice, and one of which was erased."""
    for number in range(5):
        index = visit(box)
        if number in (1, 3):
            confirm(box, box.ledger.head().size, HUB)
    with box.ledger.append() as appending:
        appending.erase([index], "visit.three_years")
    return box


def test_everything_is_in_it_and_verifies(used: OpenBox) -> None:
    found = verified(used, exported(used, bodies=True))
    size = used.ledger.head().size
    assert found.confirmation is not None
    assert (found.header.size, found.header.whole, found.confirmations, found.erased) == (size, True, 2, 1)
    assert (found.confirmation.size, found.bodies) == (used.ledger.head().cosigned_size, size - 1)
    assert found.checkpoint.cose == used.ledger.head().checkpoint


def test_without_bodies_nothing_of_them_is_in_it(used: OpenBox) -> None:
    file = exported(used)
    for index in range(used.ledger.head().size):
        body = used.ledger.body(index)
        assert body is None or (body.content not in file and body.salt not in file)
    assert verified(used, file).bodies == 0


def test_a_part_is_signed_as_a_part(used: OpenBox) -> None:
    found = verified(used, exported(used, first=4, bodies=True))
    assert (found.header.size, found.header.whole, found.checkpoint.size, found.confirmations) == (4, False, 4, 1)
    for size in (0, -1, used.ledger.head().size + 1):
        with pytest.raises(ExportSizeError):
            exported(used, first=size)


def test_what_another_process_does_meanwhile_is_not_in_it(
    used: OpenBox, device_key: SigningKey, clock: ManualClock
) -> None:
    size = used.ledger.head().size
    items = export_ledger(used, first=None, bodies=True)
    begun = [next(items), next(items)]
    other = open_box(used.database.path.parent, DATABASE_KEY, device_key, clock)
    with other.database, other.ledger.append() as appending:
        appending.erase([1, 2], "visit.three_years")
    found = verify_export([*begun, *items], [used.ledger.public_key], [HUB.public])
    assert (found.header.size, found.erased) == (size, 1)
    assert verified(used, exported(used, bodies=True)).erased == 3


def test_confirmations_stand_where_they_belong_and_progress_ends(used: OpenBox) -> None:
    said: list[tuple[int, int]] = []
    items = list(export_ledger(used, first=None, bodies=False, progress=lambda *pair: said.append(pair)))
    assert isinstance(items[0], Header)
    assert items[0].hub is None
    assert sum(isinstance(item, Confirmed) for item in items) == 2
    assert said[-1] == (used.ledger.head().size,) * 2


@pytest.fixture
def later(used: OpenBox, clock: ManualClock) -> Iterator[OpenBox]:
    """The same box restored with another key; the new ledger says that two bodies of the earlier one were erased."""
    begin_generation(used.database, NEXT, clock, Reason.RESTORED)
    box = open_box(used.database.path.parent, DATABASE_KEY, NEXT, clock)
    visit(box)
    with box.ledger.append() as appending:
        erase_earlier(appending, find_generation(box, 1), [1, 2], "order")
    yield box
    box.database.close()


def test_an_earlier_ledger_is_exported_with_what_the_later_one_says(later: OpenBox, device_key: SigningKey) -> None:
    earlier, pinned = find_generation(later, 1), [device_key.public, NEXT.public]
    file = exported(later, bodies=True, generation=1)
    found = verify_export(read_export([file]), pinned, [HUB.public])
    size = earlier.head().size
    assert (found.header.origin, found.header.size, found.header.whole) == (earlier.origin, size, True)
    assert (found.bodies, found.erased, found.told_later, found.confirmations) == (size - 3, 3, 2, 2)
    assert [one.origin for one in found.header.later] == [later.school.origin]
    assert found.checkpoint.cose == earlier.head().checkpoint
    with pytest.raises(LaterKeyError):
        verify_export(read_export([file]), [device_key.public], [HUB.public])


def test_without_bodies_and_for_the_ledger_that_is_written_no_later_one_is_named(
    later: OpenBox, device_key: SigningKey
) -> None:
    bare = verify_export(read_export([exported(later, generation=1)]), [device_key.public], [HUB.public])
    assert (bare.bodies, bare.told_later, bare.header.later) == (0, 0, ())
    own = verify_export(read_export([exported(later, bodies=True)]), [NEXT.public], [HUB.public])
    assert (own.header.origin, own.header.later, own.erased) == (later.school.origin, (), 0)


def test_what_was_said_before_the_later_ledgers_key_was_changed_still_counts(
    later: OpenBox, device_key: SigningKey
) -> None:
    confirm(later, later.ledger.head().size, HUB)
    later.ledger.hand_over(CHANGED)
    visit(later)
    file = exported(later, bodies=True, generation=1)
    assert verify_export(read_export([file]), [device_key.public, NEXT.public], [HUB.public]).told_later == 2


def test_a_part_of_an_earlier_ledger_ends_where_somebody_signed(later: OpenBox, device_key: SigningKey) -> None:
    pinned = [device_key.public, NEXT.public]
    with later.database.transaction() as transaction:
        transaction.run("DROP TRIGGER entry_is_never_changed")
        transaction.run("UPDATE entry SET head = NULL WHERE id IN (?, ?)", [1 << 44 | 4, 1 << 44 | 3])
    for size in (1, 2, 3):
        found = verify_export(read_export([exported(later, first=size, bodies=True, generation=1)]), pinned)
        assert (found.checkpoint.size, found.header.whole) == (size, False)
    refused = {}
    for size in (4, 5):
        try:
            found = verify_export(read_export([exported(later, first=size, generation=1)]), pinned)
        except ExportUnsignedError as error:
            refused[size] = error.fields
        else:  # the hub has confirmed a head there that no entry carries any more
            assert find_generation(later, 1).signed_size(size) < size == found.checkpoint.size
    assert refused == {4: {"size": 4, "nearest": 3}}
    with pytest.raises(GenerationError):
        exported(later, generation=3)
