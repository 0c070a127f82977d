"""An exported ledger proves of every entry what a receipt proves of one; anything else is refused."""

from dataclasses import replace

import pytest

from appliance.errors import UntrustedError
from appliance.ledger.checkpoint import CheckpointError
from appliance.ledger.entry import CommitmentError
from appliance.ledger.export import Confirmed, End, ExportFormError, Item, read_export
from appliance.ledger.export_check import VerifiedExport, header_keys, verify_export
from appliance.ledger.keys import SignatureError, VerifyingKey
from appliance.ledger.order import OrderError
from appliance.ledger.signers import KeyEndedError, KeyHistoryError, Signers, SigningPeriod
from appliance.ledger.verify import BodyMissingError, RootError, Sealed
from tests.ledger import changed as small
from tests.ledger.material import (
    BOX,
    CONFIRMED,
    ENTRIES,
    HUB,
    HUB_NAME,
    OTHER,
    OTHER_ORIGIN,
    SECOND,
    SIZE,
    body,
    checkpoint,
    cosignature,
    export,
    export_items,
    header,
    signed_s,
)


def check(items: list[Item]) -> VerifiedExport:
    return verify_export(items, [BOX.public], [HUB.public])


def test_a_whole_ledger_verifies_with_and_without_its_bodies() -> None:
    for bodies in (False, True):
        found = verify_export(read_export([export(bodies=bodies)]), [BOX.public], [HUB.public])
        assert (found.checkpoint.size, found.checkpoint.time_s) == (SIZE, signed_s(SIZE))
        assert found.confirmation is not None
        assert (found.confirmation.size, found.confirmation.signer) == (CONFIRMED[-1], HUB_NAME)
        assert (found.confirmations, found.counts) == (2, {1: 1, 2: 1, 3: 1, 4: 1, 17: 2, 900: 1})
        assert (found.bodies, found.erased) == ((SIZE - 1, 1) if bodies else (0, 0))


def test_without_the_hubs_key_its_confirmations_are_counted_only() -> None:
    found = verify_export(export_items(), [BOX.public])
    assert (found.confirmation, found.confirmations) == (None, 2)


def test_a_part_may_lack_the_reason_for_an_erasure() -> None:
    assert check(export_items(4, bodies=True)).erased == 1
    items = export_items(4, bodies=True)
    with pytest.raises(BodyMissingError) as error:
        check([replace(header(4, bodies=True), whole=True), *items[1:]])
    assert error.value.fields == {"index": 2, "count": 1}


def test_the_keys_must_be_the_pinned_ones() -> None:
    for box, hub in (([OTHER.public], HUB.public), ([], HUB.public), ([BOX.public], OTHER.public)):
        with pytest.raises(SignatureError):
            verify_export(export_items(), box, [hub])
    head = header()
    assert verify_export(export_items(), header_keys(head)).header.origin == head.origin


@pytest.mark.parametrize("size", range(1, small.SIZE + 1))
def test_after_changes_of_the_key_the_first_one_is_enough(size: int) -> None:
    for bodies in (False, True):
        found = verify_export(small.export_items(size, bodies=bodies), [BOX.public], [HUB.public])
        assert (found.checkpoint.size, found.header.signers) == (size, small.SIGNERS)


def test_more_of_the_history_that_is_pinned_must_be_the_same() -> None:
    first, second, third = small.SIGNERS.periods
    whole, part = small.export_items(), small.export_items(5)
    for pinned in (small.SIGNERS, Signers((first, second)), Signers((first,))):
        assert verify_export(whole, [pinned], [HUB.public]).checkpoint.size == small.SIZE
    later = Signers((first, SigningPeriod(8, second.key, second.succession), third))
    other = Signers((first, SigningPeriod(7, OTHER.public)))
    for pinned in (later, other):
        with pytest.raises(KeyHistoryError):
            verify_export(whole, [pinned], [HUB.public])
    # A file from before the change: whoever knows of it asks for the key in force.
    before = small.export_items(5, signers=Signers((first,)))
    assert verify_export(before, [small.SIGNERS], [HUB.public]).checkpoint.size == 5
    assert verify_export(part, [OTHER.public, BOX.public], [HUB.public]).checkpoint.size == 5


def test_a_key_signs_nothing_in_an_export_beyond_its_end() -> None:
    items = small.export_items()
    alone = Signers((small.SIGNERS.periods[0],))
    stolen = [small.header(signers=alone), *items[1:-1], End(small.checkpoint(small.SIZE, BOX))]
    with pytest.raises(SignatureError):
        verify_export(stolen, [BOX.public], [HUB.public])
    for at, item in ((-1, End(small.checkpoint(9, BOX))), (-1, End(small.checkpoint(9, SECOND)))):
        with pytest.raises(KeyEndedError):
            verify_export([*items[:at], item], [BOX.public], [HUB.public])
    bare = [one for one in stolen if not isinstance(one, Confirmed)]
    with pytest.raises(KeyHistoryError):  # the entries tell of it
        verify_export(bare, [BOX.public], [HUB.public])
    hidden = [one for one in items if not (isinstance(one, Sealed) and one.entry in hiding())]
    with pytest.raises(UntrustedError):
        verify_export(hidden, [BOX.public], [HUB.public])


def hiding() -> list[bytes]:
    return [small.ENTRIES[at] for at in small.CHANGES]


@pytest.mark.parametrize("pinned", [[SECOND.public], [SECOND.public, OTHER.public], []])
def test_a_later_key_does_not_speak_for_an_earlier_one(pinned: list[VerifyingKey]) -> None:
    with pytest.raises(SignatureError):
        verify_export(small.export_items(), pinned, [HUB.public])


def test_every_statement_between_the_keys_is_checked() -> None:
    first, second, third = small.SIGNERS.periods
    for periods in (
        (first, SigningPeriod(7, SECOND.public, b"no statement"), third),
        (first, SigningPeriod(7, OTHER.public, second.succession), third),
        (first, SigningPeriod(9, third.key, third.succession)),
    ):
        with pytest.raises(UntrustedError):
            verify_export(small.export_items(signers=Signers(periods)), [BOX.public], [HUB.public])


def swapped(at: int) -> list[Item]:
    items = export_items()
    items[at], items[at + 1] = items[at + 1], items[at]
    return items


def changed(at: int, item: Item, *, bodies: bool = False) -> list[Item]:
    items = export_items(bodies=bodies)
    items[at] = item
    return items


NO_HUB = export_items(hub=False)


@pytest.mark.parametrize(
    ("items", "error"),
    [
        ([], ExportFormError),
        ([header()], ExportFormError),
        (export_items()[1:], ExportFormError),
        (export_items()[:-1], ExportFormError),
        ([header(), *export_items()], ExportFormError),
        ([*export_items(), export_items()[-1]], ExportFormError),
        ([*NO_HUB[:2], *NO_HUB[3:]], OrderError),  # what began at a start of the box is at another index now
        ([*NO_HUB[:-2], NO_HUB[-1]], RootError),
        ([*NO_HUB[:3], *NO_HUB[2:]], OrderError),  # the same
        ([*NO_HUB[:-2], *NO_HUB[-3:]], RootError),
        (swapped(1), OrderError),
        (swapped(3), RootError),  # a confirmation one entry too early
        ([*export_items()[:5], *export_items()[4:]], ExportFormError),  # one twice
        (changed(4, Confirmed(cosignature(3), cosignature(3))), SignatureError),
        (changed(4, Confirmed(checkpoint(3), checkpoint(3))), SignatureError),
        (changed(4, Confirmed(checkpoint(3), cosignature(5))), SignatureError),
        (changed(4, Confirmed(checkpoint(3), cosignature(3, OTHER))), SignatureError),
        (changed(0, replace(header(), size=SIZE - 1)), RootError),
        (changed(0, replace(header(), origin=OTHER_ORIGIN)), CheckpointError),
        (changed(3, Sealed(ENTRIES[2], body(2))), ExportFormError),
        (changed(3, Sealed(ENTRIES[2], body(4)), bodies=True), CommitmentError),
        (changed(2, Sealed(ENTRIES[1], None), bodies=True), BodyMissingError),
    ],
)
def test_what_is_not_as_it_was_is_refused(items: list[Item], error: type[UntrustedError]) -> None:
    with pytest.raises(error):
        check(items)


def test_no_flipped_bit_passes() -> None:
    file = export(bodies=True)
    for at in range(len(file)):
        bad = bytearray(file)
        bad[at] ^= 1 << at % 8
        with pytest.raises(UntrustedError):
            verify_export(read_export([bytes(bad)]), [BOX.public], [HUB.public])


def test_one_key_for_box_and_hub_does_not_make_them_the_same() -> None:
    for confirmed in (Confirmed(cosignature(3, BOX), cosignature(3)), Confirmed(checkpoint(3), checkpoint(3, HUB))):
        with pytest.raises(CheckpointError):
            check(changed(4, confirmed))


def test_the_entry_at_fault_is_named() -> None:
    with pytest.raises(UntrustedError) as error:
        check(changed(3, Sealed(ENTRIES[2], body(4)), bodies=True))
    assert error.value.fields["index"] == 2


def test_confirmations_of_two_hubs_are_each_checked_with_their_own_key() -> None:
    items = export_items()
    at = max(at for at, one in enumerate(items) if isinstance(one, Confirmed))
    items[at] = Confirmed(checkpoint(CONFIRMED[-1]), cosignature(CONFIRMED[-1], OTHER))
    for hubs in ([OTHER.public, HUB.public], [HUB.public, OTHER.public], [SECOND.public, HUB.public, OTHER.public]):
        found = verify_export(items, [BOX.public], hubs)
        assert found.confirmation is not None
        assert (found.confirmations, found.confirmation.size) == (2, CONFIRMED[-1])
    for hubs in ([HUB.public], [OTHER.public], [SECOND.public]):
        with pytest.raises(SignatureError):
            verify_export(items, [BOX.public], hubs)
    with pytest.raises(CheckpointError):
        verify_export([*items[:at], Confirmed(checkpoint(CONFIRMED[-1]), b"\xd2\x80")], [BOX.public], [HUB.public])
