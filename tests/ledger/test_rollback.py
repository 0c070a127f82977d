"""What proves to a box that its database is an older copy, and all that does not."""

from dataclasses import replace

import pytest

from appliance.errors import UntrustedError
from appliance.ledger.checkpoint import cosign, open_checkpoint
from appliance.ledger.keys import SigningKey
from appliance.ledger.rollback import Claim, LaterHead, verify_later_head
from tests.sync.memory import ORIGIN, MemoryOwn, sealed

BOX, HUB, OTHER = SigningKey.make(), SigningKey.make(), SigningKey.make()
SECOND = ORIGIN.replace("/box/1", "/box/2")


def claim_of(ledger: MemoryOwn, size: int, hub: SigningKey = HUB) -> Claim:
    """The true receipt of a hub that holds so much of the ledger."""
    root = ledger.root_at(size)
    head = open_checkpoint(ledger.checkpoint_at(size), root, ledger.origin, ledger.public_key)
    return Claim(ledger.origin, head.cose, cosign(head, "hub.test", 1, hub), root)


def judged(claim: Claim, own: MemoryOwn) -> LaterHead | None:
    size = len(own.entries)
    return verify_later_head(claim, own.origin, size, own.root_at, own.public_key, HUB.public)


@pytest.fixture
def lost() -> MemoryOwn:
    """The ledger as it was before the database was put back."""
    ledger = MemoryOwn(BOX)
    ledger.append(9)
    return ledger


def copy_of(ledger: MemoryOwn, size: int) -> MemoryOwn:
    older = MemoryOwn(ledger.key, ledger.origin)
    older.entries = ledger.entries[:size]
    return older


def test_a_head_beyond_the_end_is_proof(lost: MemoryOwn) -> None:
    claim = claim_of(lost, 9)
    later = judged(claim, copy_of(lost, 6))
    assert later is not None
    assert (later.head.origin, later.head.size, later.head.root) == (ORIGIN, 9, lost.root_at(9))
    assert (later.head.cose, later.cosignature) == (claim.checkpoint, claim.cosignature)


@pytest.mark.parametrize("more", [3, 10])
def test_a_copy_that_went_on_is_another_tree(lost: MemoryOwn, more: int) -> None:
    older = copy_of(lost, 6)
    older.entries += [sealed(1_000 + number) for number in range(more)]
    later = judged(claim_of(lost, 9), older)
    assert later is not None
    assert later.head.root != older.root_at(9)


def test_a_later_generation_is_proof_however_small(lost: MemoryOwn) -> None:
    second = MemoryOwn(BOX, SECOND)
    second.append(1)
    later = judged(claim_of(second, 1), lost)
    assert later is not None
    assert later.head.origin == SECOND
    with pytest.raises(UntrustedError):
        judged(claim_of(lost, 9), second)  # an earlier one is none


@pytest.mark.parametrize("size", [1, 6, 9])
def test_a_true_receipt_that_is_played_again_proves_nothing(lost: MemoryOwn, size: int) -> None:
    assert judged(claim_of(lost, size), lost) is None


def test_what_the_box_did_not_sign_proves_nothing(lost: MemoryOwn) -> None:
    older, good = copy_of(lost, 6), claim_of(lost, 9)
    forger, elsewhere = MemoryOwn(OTHER), MemoryOwn(BOX, ORIGIN.replace("18/", "27/"))
    for ledger in (forger, elsewhere):
        ledger.append(9)
    second = MemoryOwn(OTHER, SECOND)
    second.append(3)
    forged = [
        claim_of(forger, 9),  # a hub that makes a ledger up
        claim_of(second, 3),
        claim_of(elsewhere, 9),  # of another school
        claim_of(lost, 9, hub=OTHER),  # a broker with a true head, and no hub
        replace(good, root=older.root_at(6)),
        replace(good, root=b""),
        replace(good, origin=SECOND),
        replace(good, origin=""),
        replace(good, checkpoint=good.cosignature),
        replace(good, cosignature=good.checkpoint),
        replace(good, cosignature=claim_of(lost, 8).cosignature),  # of another size
        replace(good, checkpoint=claim_of(lost, 8).checkpoint),
        replace(good, checkpoint=b"", cosignature=b""),
    ]
    for claim in forged:
        with pytest.raises(UntrustedError):
            judged(claim, older)


def test_no_flipped_bit_is_believed(lost: MemoryOwn) -> None:
    older, good = copy_of(lost, 6), claim_of(lost, 9)
    for name in ("checkpoint", "cosignature", "root"):
        data = getattr(good, name)
        for position in range(len(data)):
            flipped = data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]
            with pytest.raises(UntrustedError):
                judged(replace(good, **{name: flipped}), older)
