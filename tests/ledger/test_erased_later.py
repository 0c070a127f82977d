"""What a later ledger says was erased counts when its own box signed it, and for the one ledger that it speaks of."""

import pytest

from appliance.errors import UntrustedError
from appliance.ledger.checkpoint import sign_checkpoint
from appliance.ledger.encoding import decode
from appliance.ledger.entry import Body, CommitmentError, EntryType
from appliance.ledger.erased_later import LaterKeyError, open_erased_later
from appliance.ledger.erasure import EarlierErasure, ErasureFormError
from appliance.ledger.export import ErasedLater, ExportFormError, Header
from appliance.ledger.export_check import header_keys, verify_export
from appliance.ledger.keys import SignatureError
from appliance.ledger.merkle import leaf_hash, node_hash
from appliance.ledger.receipt import make_receipt
from appliance.ledger.signers import KeyEndedError, Signers, SigningPeriod
from appliance.ledger.verify import BodyMissingError
from tests.ledger.material import (
    BOX,
    ERASED_LATER,
    FIRST_S,
    HUB,
    LATER_ORIGIN,
    NEXT,
    ORIGIN,
    OTHER,
    SIZE,
    closed_items,
    header,
    told,
)

KEYS = {LATER_ORIGIN: Signers.of(NEXT.public)}
PINNED = [BOX.public, NEXT.public]


def test_a_proven_word_is_taken() -> None:
    assert open_erased_later(told(), ORIGIN, KEYS) == EarlierErasure(ORIGIN, (ERASED_LATER,), "order: 12 of 2026")


def test_anything_else_is_refused() -> None:
    cases: list[tuple[ErasedLater, type[UntrustedError]]] = [
        (told(key=OTHER), SignatureError),
        (told(origin=LATER_ORIGIN[:-1] + "3"), ExportFormError),
        (told(kind=EntryType.SETTINGS_PUBLISHED), ErasureFormError),
        (told(EarlierErasure(ORIGIN[:-1] + "9", (1,), "rule").content()), ErasureFormError),
        (ErasedLater(told().receipt, Body.of({}, bytes(16))), CommitmentError),
    ]
    for item, error in cases:
        with pytest.raises(error):
            open_erased_later(item, ORIGIN, KEYS)
    with pytest.raises(ErasureFormError):
        open_erased_later(told(), ORIGIN[:-1] + "2", KEYS)


def test_a_key_that_was_given_up_in_the_later_ledger_says_nothing_more() -> None:
    later, changed = SigningPeriod(0, NEXT.public), SigningPeriod(4, OTHER.public)
    assert open_erased_later(told(), ORIGIN, {LATER_ORIGIN: Signers((later, changed))}).indices == (ERASED_LATER,)
    with pytest.raises(KeyEndedError):
        open_erased_later(_longer(), ORIGIN, {LATER_ORIGIN: Signers((later, changed))})


def _longer() -> ErasedLater:
    """The word in a tree of four entries, which its first key should not have signed."""
    item = told()
    entry = decode(item.receipt)[0]
    leaf = leaf_hash(entry)
    half = node_hash(leaf, leaf)
    signed = sign_checkpoint(LATER_ORIGIN, 4, node_hash(half, half), FIRST_S, NEXT)
    return ErasedLater(make_receipt(entry, 1, 4, [leaf, half], signed, None), item.body)


def test_it_explains_bodies_that_are_gone_in_an_export() -> None:
    found = verify_export(closed_items(), PINNED, [HUB.public])
    assert (found.bodies, found.erased, found.told_later) == (SIZE - 2, 2, 1)
    assert verify_export(closed_items(told(), told()), PINNED, [HUB.public]).told_later == 1
    beyond = told(EarlierErasure(ORIGIN, (ERASED_LATER, SIZE + 1, 1 << 40), "rule").content())
    assert verify_export(closed_items(beyond), PINNED, [HUB.public]).told_later == 1
    items = closed_items()
    with pytest.raises(BodyMissingError) as missing:
        verify_export([*items[:-2], items[-1]], PINNED, [HUB.public])
    assert missing.value.fields == {"index": ERASED_LATER, "count": 1}


def test_a_key_that_is_missing_is_named() -> None:
    with pytest.raises(LaterKeyError) as missing:
        verify_export(closed_items(), [BOX.public], [HUB.public])
    assert missing.value.fields == {"origin": LATER_ORIGIN, "key": NEXT.public.key_id.hex()}
    with pytest.raises(SignatureError):
        verify_export(closed_items(), [NEXT.public], [HUB.public])
    items = closed_items()
    head = items[0]
    assert isinstance(head, Header)
    assert verify_export(items, header_keys(head)).told_later == 1


def test_nothing_of_the_ledger_comes_after_it() -> None:
    head, *items = closed_items()
    with pytest.raises(ExportFormError):
        verify_export([head, *items[:-3], items[-2], items[-3], items[-1]], PINNED, [HUB.public])
    without = [header(bodies=True), *items]
    with pytest.raises(ExportFormError):
        verify_export(without, PINNED, [HUB.public])


def test_a_key_of_this_ledger_is_not_one_of_the_later() -> None:
    with pytest.raises(SignatureError):
        open_erased_later(told(key=BOX), ORIGIN, KEYS)
