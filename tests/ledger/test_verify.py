"""What a mirror stores, and what it refuses by name."""

import dataclasses

import pytest

from appliance.errors import UntrustedError
from appliance.ledger.checkpoint import sign_checkpoint
from appliance.ledger.entry import Body, CommitmentError, Entry
from appliance.ledger.keys import SignatureError, SigningKey
from appliance.ledger.merkle import Frontier, leaf_hash
from appliance.ledger.order import OrderError
from appliance.ledger.verify import (
    Batch,
    GapError,
    OriginError,
    ReplayedError,
    RootError,
    Sealed,
    verify_batch,
    verify_ledger,
)

KEY = SigningKey.make()
ORIGIN = "madoguchi/1/B113299900018/box/1"


def item(number: int, time_ms: int | None = None, refs: tuple[int, ...] = ()) -> Sealed:
    body = Body.of({"number": number}, bytes([number]) * 16)
    kind = 1 if number == 0 else 17
    when = number if time_ms is None else time_ms
    return Sealed(Entry(kind, 1, when, 0, number, 0, 0, refs, body.commitment()).encode(), body)


def batch(first: int, *items: Sealed, before: int | None = None) -> Batch:
    frontier = Frontier()
    for number in range(first if before is None else before):
        frontier.append(leaf_hash(item(number).entry))
    for one in items:
        frontier.append(leaf_hash(one.entry))
    return Batch(ORIGIN, first, items, sign_checkpoint(ORIGIN, frontier.size, frontier.root(), 1, KEY))


def mirror(size: int) -> Frontier:
    frontier = Frontier()
    for number in range(size):
        frontier.append(leaf_hash(item(number).entry))
    return frontier


def test_a_good_batch_grows_a_copy() -> None:
    before = mirror(2)
    verified = verify_batch(batch(2, item(2), item(3)), ORIGIN, before, 1, KEY.public)
    assert before.size == 2
    assert verified.frontier.size == verified.checkpoint.size == 4
    assert [one.time_ms for one in verified.entries] == [2, 3]
    assert verified.frontier == mirror(4)


def test_what_does_not_fit_says_where_to_go_on() -> None:
    with pytest.raises(GapError) as gap:
        verify_batch(batch(3, item(3)), ORIGIN, mirror(2), 1, KEY.public)
    assert gap.value.fields == {"wanted": 2}
    with pytest.raises(GapError):
        verify_batch(batch(1, item(1), item(2), item(3)), ORIGIN, mirror(2), 1, KEY.public)
    with pytest.raises(GapError):
        verify_batch(dataclasses.replace(batch(2, item(2)), items=()), ORIGIN, mirror(2), 1, KEY.public)
    with pytest.raises(ReplayedError) as replayed:
        verify_batch(batch(0, item(0), item(1)), ORIGIN, mirror(2), 1, KEY.public)
    assert replayed.value.fields == {"size": 2}


def test_another_school_is_refused() -> None:
    with pytest.raises(OriginError):
        verify_batch(batch(0, item(0)), ORIGIN.replace("18/", "19/"), mirror(0), 0, KEY.public)


def test_every_flipped_byte_of_an_entry_is_found() -> None:
    good = batch(2, item(2))
    for position in range(len(good.items[0].entry)):
        data = bytearray(good.items[0].entry)
        data[position] ^= 1
        broken = dataclasses.replace(good, items=(dataclasses.replace(good.items[0], entry=bytes(data)),))
        with pytest.raises(UntrustedError):
            verify_batch(broken, ORIGIN, mirror(2), 1, KEY.public)


def test_another_body_is_found() -> None:
    other = dataclasses.replace(item(2), body=Body.of({"number": 9}, b"\2" * 16))
    with pytest.raises(CommitmentError):
        verify_batch(batch(2, other), ORIGIN, mirror(2), 1, KEY.public)


def test_another_key_or_a_longer_tree_is_found() -> None:
    with pytest.raises(SignatureError):
        verify_batch(batch(2, item(2)), ORIGIN, mirror(2), 1, SigningKey.make().public)
    with pytest.raises(RootError):
        verify_batch(batch(2, item(2), before=1), ORIGIN, mirror(2), 1, KEY.public)


def test_time_runs_forwards_and_references_backwards() -> None:
    with pytest.raises(OrderError):
        verify_batch(batch(2, item(2, time_ms=0)), ORIGIN, mirror(2), 1, KEY.public)
    with pytest.raises(OrderError):
        verify_batch(batch(2, item(2, refs=(2,))), ORIGIN, mirror(2), 1, KEY.public)


def test_a_whole_ledger_verifies_or_names_the_entry() -> None:
    items = [item(number) for number in range(5)]
    checkpoint = batch(0, *items).checkpoint
    stored = [(one.entry, one.body) for one in items]
    assert verify_ledger(stored, checkpoint, ORIGIN, KEY.public).counts == {1: 1, 17: 4}
    stored[3] = (stored[3][0], None)  # an erased body leaves the tree as it was
    assert verify_ledger(stored, checkpoint, ORIGIN, KEY.public).size == 5
    for broken in (stored[:4], [*stored[:2], *stored[3:]], [*stored, stored[4]]):
        with pytest.raises(UntrustedError):
            verify_ledger(broken, checkpoint, ORIGIN, KEY.public)
    with pytest.raises(OrderError) as swapped:
        verify_ledger([stored[0], stored[2], stored[1], *stored[3:]], checkpoint, ORIGIN, KEY.public)
    assert swapped.value.fields["index"] == 2
    assert verify_ledger([], None, ORIGIN, KEY.public).size == 0
    with pytest.raises(RootError):
        verify_ledger(stored, None, ORIGIN, KEY.public)
