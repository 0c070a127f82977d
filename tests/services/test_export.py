"""The box's ledger as a file: of one moment, whatever happens meanwhile, and without anything personal unless asked."""

import pytest

from appliance.ledger.entry import EntryType
from appliance.ledger.export import Confirmed, Header, read_export, write_export
from appliance.ledger.export_check import VerifiedExport, verify_export
from appliance.ledger.keys import SigningKey
from appliance.services.export import ExportSizeError, export_ledger
from appliance.services.opening import OpenBox, open_box
from appliance.store.appending import Draft
from tests.sim.box import DATABASE_KEY, confirm
from tests.sim.clock import ManualClock

HUB = SigningKey.make()


def visit(box: OpenBox) -> int:
    with box.ledger.append() as appending:
        return appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"purpose": "visit"}))


def exported(box: OpenBox, *, first: int | None = None, bodies: bool = False) -> bytes:
    return b"".join(write_export(export_ledger(box, first=first, bodies=bodies)))


def verified(box: OpenBox, file: bytes) -> VerifiedExport:
    return verify_export(read_export([file]), [box.ledger.public_key], HUB.public)


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
    found = verify_export([*begun, *items], [used.ledger.public_key], HUB.public)
    assert (found.header.size, found.erased) == (size, 1)
    assert verified(used, exported(used, bodies=True)).erased == 3


def test_confirmations_stand_where_they_belong_and_progress_ends(used: OpenBox) -> None:
    said: list[tuple[int, int]] = []
    items = list(export_ledger(used, first=None, bodies=False, progress=lambda *pair: said.append(pair)))
    assert isinstance(items[0], Header)
    assert items[0].hub is None
    assert sum(isinstance(item, Confirmed) for item in items) == 2
    assert said[-1] == (used.ledger.head().size,) * 2
