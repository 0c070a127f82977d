"""A receipt proves one entry to whoever holds the two public keys, and nothing else passes for it."""

import hashlib

import pytest

from appliance.errors import UntrustedError
from appliance.ledger.checkpoint import CheckpointError, cosign, open_checkpoint, sign_checkpoint
from appliance.ledger.encoding import decode, encode
from appliance.ledger.entry import Body, Entry, EntryType
from appliance.ledger.keys import SignatureError, SigningKey
from appliance.ledger.merkle import Frontier, leaf_hash, node_hash
from appliance.ledger.receipt import (
    PREFIX,
    make_receipt,
    open_receipt,
    parse_receipt_text,
    receipt_origin,
    receipt_text,
)

BOX, HUB = SigningKey.make(), SigningKey.make()
ORIGIN = "madoguchi/1/B113299900018/box/1"
TIME_S = 1_795_000_000


def entry(number: int) -> bytes:
    body = Body.of({"number": number}, bytes(16))
    kind = EntryType.GUARDIAN_AUTHENTICATED
    return Entry(kind.number, kind.version, number, 0, number, 0, 0, (), body.commitment()).encode()


ENTRIES = [entry(number) for number in range(3)]
LEAVES = [leaf_hash(one) for one in ENTRIES]
PATHS = [
    [LEAVES[1], LEAVES[2]],
    [LEAVES[0], LEAVES[2]],
    [node_hash(LEAVES[0], LEAVES[1])],
]


def root() -> bytes:
    frontier = Frontier.parse(0, b"")
    for leaf in LEAVES:
        frontier.append(leaf)
    return frontier.root()


CHECKPOINT = sign_checkpoint(ORIGIN, 3, root(), TIME_S, BOX)
COSIGNED = cosign(open_checkpoint(CHECKPOINT, root(), ORIGIN, BOX.public), "hub.example", TIME_S + 5, HUB)


def receipt(index: int = 1, *, cosigned: bytes | None = COSIGNED) -> bytes:
    return make_receipt(ENTRIES[index], index, 3, PATHS[index], CHECKPOINT, cosigned)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_it_proves_one_entry_and_its_confirmation(index: int) -> None:
    opened = open_receipt(receipt(index), ORIGIN, BOX.public, HUB.public)
    assert (opened.index, opened.entry.encode(), opened.checkpoint.size) == (index, ENTRIES[index], 3)
    assert opened.cosignature is not None
    assert (opened.cosignature.signer, opened.cosignature.time_s) == ("hub.example", TIME_S + 5)


def test_without_the_hub_it_proves_the_boxs_word_only() -> None:
    assert open_receipt(receipt(cosigned=None), ORIGIN, BOX.public, HUB.public).cosignature is None
    assert open_receipt(receipt(), ORIGIN, BOX.public, None).cosignature is None


def test_the_keys_and_the_ledger_must_be_the_pinned_ones() -> None:
    other = SigningKey.make().public
    for origin, box, hub, error in (
        (ORIGIN, other, HUB.public, SignatureError),
        (ORIGIN, BOX.public, other, SignatureError),
        ("madoguchi/1/B113299900027/box/1", BOX.public, HUB.public, CheckpointError),
    ):
        with pytest.raises(error):
            open_receipt(receipt(), origin, box, hub)


def test_no_flipped_bit_passes() -> None:
    good = receipt()
    for at in range(len(good)):
        bad = bytearray(good)
        bad[at] ^= 1 << at % 8
        with pytest.raises(UntrustedError):
            open_receipt(bytes(bad), ORIGIN, BOX.public, HUB.public)


def test_no_cut_and_nothing_added_passes() -> None:
    good = receipt()
    for bad in (*(good[:length] for length in range(0, len(good), 7)), good + b"\0"):
        with pytest.raises(UntrustedError):
            open_receipt(bad, ORIGIN, BOX.public, HUB.public)


@pytest.mark.parametrize(
    "made",
    [
        [ENTRIES[0], decode(receipt())[1]],
        [ENTRIES[1]],
        [ENTRIES[1], decode(receipt())[1], b""],
        ["text", decode(receipt())[1]],
        [ENTRIES[1], ENTRIES[1]],
        [b"", b""],
        {},
        7,
    ],
    ids=["other entry", "one part", "three parts", "text", "no COSE", "empty", "map", "number"],
)
def test_other_structures_are_no_receipt(made: object) -> None:
    with pytest.raises(UntrustedError):
        open_receipt(encode(made), ORIGIN, BOX.public, HUB.public)


def test_a_proof_for_another_place_does_not_lead_to_the_root() -> None:
    for index, size in ((0, 3), (2, 3), (1, 2), (1, 4), (3, 3)):
        moved = make_receipt(ENTRIES[1], index, size, PATHS[1], CHECKPOINT, None)
        with pytest.raises(UntrustedError):
            open_receipt(moved, ORIGIN, BOX.public, None)


def test_it_says_where_it_comes_from_before_it_is_believed() -> None:
    assert receipt_origin(receipt()) == ORIGIN
    for bad in (b"", b"\xff" * 40, encode([1, 2]), encode([ENTRIES[0], b""])):
        with pytest.raises(CheckpointError):
            receipt_origin(bad)


def test_the_text_fits_the_alphanumeric_mode_of_a_qr_code() -> None:
    text = receipt_text(receipt())
    assert text.startswith(PREFIX)
    assert set(text) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
    assert parse_receipt_text(text) == parse_receipt_text(text + "\r\n") == receipt()


@pytest.mark.parametrize(
    ("data", "text"), [(b"AB", "BB8"), (b"Hello!!", "%69 VD92EX0"), (b"base-45", "UJCLQE7W581"), (b"", "")]
)
def test_the_examples_of_rfc_9285(data: bytes, text: str) -> None:
    assert receipt_text(data) == PREFIX + text
    assert parse_receipt_text(PREFIX + text) == data


@pytest.mark.parametrize("text", ["", "BB8", "mdg1:BB8", PREFIX + "GGW", PREFIX + "B", PREFIX + "bb8", PREFIX + ":::"])
def test_other_text_is_no_receipt(text: str) -> None:
    with pytest.raises(CheckpointError):
        parse_receipt_text(text)


def test_it_stays_small_enough_for_paper() -> None:
    # A QR code of version 40 with error correction L holds 4,296 alphanumeric characters.
    deep = make_receipt(
        ENTRIES[1], 1, 1 << 40, [hashlib.sha256(bytes([n])).digest() for n in range(40)], CHECKPOINT, COSIGNED
    )
    assert len(receipt_text(deep)) <= 4296
