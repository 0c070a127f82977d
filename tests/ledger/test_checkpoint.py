"""Checkpoints, cosignatures and receipts: only the pinned key, only this ledger, only this tree."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import UntrustedError
from appliance.ledger.base45 import Base45Error
from appliance.ledger.checkpoint import (
    CheckpointError,
    cosign,
    open_checkpoint,
    open_cosignature,
    sign_checkpoint,
)
from appliance.ledger.entry import Entry
from appliance.ledger.keys import KeyFormError, SignatureError, SigningKey, VerifyingKey
from appliance.ledger.merkle import Frontier, inclusion_proof, leaf_hash
from appliance.ledger.receipt import (
    make_receipt,
    open_receipt,
    parse_receipt_text,
    read_claim,
    receipt_text,
)

BOX, HUB, OTHER = SigningKey.make(), SigningKey.make(), SigningKey.make()
ORIGIN = "madoguchi/1/B113299900018/box/1"
ENTRIES = [Entry(17, 1, number, 0, number, 0, 0, (), bytes([number]) * 32).encode() for number in range(5)]


def grown() -> tuple[Frontier, dict[tuple[int, int], bytes]]:
    frontier = Frontier()
    runs = frontier.extend([leaf_hash(entry) for entry in ENTRIES])
    return frontier, {(level, first + at): one for level, first, hashes in runs for at, one in enumerate(hashes)}


def test_a_checkpoint_opens_with_the_pinned_key_only() -> None:
    root = grown()[0].root()
    cose = sign_checkpoint(ORIGIN, 5, root, 1_700_000_000, BOX)
    opened = open_checkpoint(cose, root, ORIGIN, BOX.public)
    assert (opened.size, opened.time_s, opened.signer) == (5, 1_700_000_000, ORIGIN)
    with pytest.raises(SignatureError):
        open_checkpoint(cose, root, ORIGIN, OTHER.public)
    with pytest.raises(SignatureError):
        open_checkpoint(cose, b"\0" * 32, ORIGIN, BOX.public)
    with pytest.raises(CheckpointError):
        open_checkpoint(cose, root, ORIGIN.replace("18/", "19/"), BOX.public)


def test_a_cosignature_is_no_checkpoint_and_the_other_way_round() -> None:
    root = grown()[0].root()
    checkpoint = open_checkpoint(sign_checkpoint(ORIGIN, 5, root, 1, BOX), root, ORIGIN, BOX.public)
    confirmed = cosign(checkpoint, "hub.example", 2, HUB)
    opened = open_cosignature(confirmed, root, ORIGIN, HUB.public)
    assert (opened.signer, opened.size, opened.time_s) == ("hub.example", 5, 2)
    for key in (HUB.public, BOX.public):
        with pytest.raises(UntrustedError):
            open_checkpoint(confirmed, root, ORIGIN, key)
        with pytest.raises(UntrustedError):
            open_cosignature(checkpoint.cose, root, ORIGIN, key)


def test_every_flipped_bit_of_a_checkpoint_is_found() -> None:
    root = grown()[0].root()
    cose = sign_checkpoint(ORIGIN, 5, root, 1, BOX)
    for position in range(len(cose) * 8):
        broken = bytearray(cose)
        broken[position // 8] ^= 1 << position % 8
        with pytest.raises(UntrustedError):
            open_checkpoint(bytes(broken), root, ORIGIN, BOX.public)


@given(st.binary(max_size=80) | st.builds(cbor2.dumps, st.lists(st.integers() | st.binary() | st.none(), max_size=5)))
def test_nonsense_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(UntrustedError):
        open_checkpoint(data, b"\0" * 32, ORIGIN, BOX.public)
    with pytest.raises(UntrustedError):
        open_receipt(data, ORIGIN, BOX.public, None)
    with pytest.raises(UntrustedError):
        read_claim(data)


def make(index: int, confirmed: bool = True) -> bytes:
    frontier, nodes = grown()
    root = frontier.root()
    checkpoint = open_checkpoint(sign_checkpoint(ORIGIN, 5, root, 1, BOX), root, ORIGIN, BOX.public)
    path = inclusion_proof(index, 5, lambda level, at: nodes[level, at])
    cosigned = cosign(checkpoint, "hub.example", 2, HUB) if confirmed else None
    return make_receipt(ENTRIES[index], index, 5, path, checkpoint.cose, cosigned)


@pytest.mark.parametrize("index", range(5))
def test_a_receipt_proves_its_entry_offline(index: int) -> None:
    receipt = make(index)
    opened = open_receipt(receipt, ORIGIN, BOX.public, HUB.public)
    assert opened.index == index
    assert opened.entry == Entry.decode(ENTRIES[index])
    assert opened.cosignature is not None
    assert opened.cosignature.signer == "hub.example"
    assert read_claim(receipt).origin == ORIGIN
    assert open_receipt(make(index, confirmed=False), ORIGIN, BOX.public, HUB.public).cosignature is None


def test_every_flipped_byte_of_a_receipt_is_found() -> None:
    receipt = make(2)
    for position in range(len(receipt)):
        broken = bytearray(receipt)
        broken[position] ^= 0x10
        with pytest.raises(UntrustedError):
            open_receipt(bytes(broken), ORIGIN, BOX.public, HUB.public)


def test_a_receipt_fits_one_qr_code_as_text() -> None:
    text = receipt_text(make(4))
    assert len(text) < 1_852  # version 30, level M, alphanumeric
    assert open_receipt(parse_receipt_text(text), ORIGIN, BOX.public, HUB.public).index == 4


@given(st.binary(max_size=70))
def test_receipt_text_is_a_bijection(data: bytes) -> None:
    assert parse_receipt_text(receipt_text(data)) == data


@pytest.mark.parametrize("text", ["", "MDG1:A", "MDG1:A!A", "MDG1::::", "XXXX:00", "MDG1:000A"])
def test_other_text_is_no_receipt(text: str) -> None:
    with pytest.raises(Base45Error):
        parse_receipt_text(text)


def test_keys_travel_as_pem_and_nothing_else_is_taken() -> None:
    again = SigningKey.from_pem(BOX.pem())
    assert again.public.key_id == BOX.public.key_id == VerifyingKey.from_pem(BOX.public.pem()).key_id
    for pem in (b"", b"nonsense", HUB.pem()):
        with pytest.raises(KeyFormError):
            VerifyingKey.from_pem(pem)
    for pem in (b"", b"nonsense", HUB.public.pem()):
        with pytest.raises(KeyFormError):
            SigningKey.from_pem(pem)
