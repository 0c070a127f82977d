"""A receipt proves one entry to whoever holds the two public keys, and nothing else passes for it."""

import textwrap
from collections.abc import Callable, Iterator
from itertools import count

import pytest
import segno
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import UntrustedError
from appliance.ledger.base45 import Base45Error, whole_groups
from appliance.ledger.checkpoint import (
    KID,
    VDP,
    CheckpointError,
    cosign,
    open_checkpoint,
    parse_sign1,
    sign1,
    sign_checkpoint,
)
from appliance.ledger.encoding import decode, encode
from appliance.ledger.entry import Body, Entry, EntryType
from appliance.ledger.keys import SignatureError, SigningKey
from appliance.ledger.merkle import Frontier, leaf_hash, node_hash
from appliance.ledger.receipt import (
    INCLUSION,
    PREFIX,
    Claim,
    make_receipt,
    open_receipt,
    parse_receipt_text,
    read_claim,
    receipt_text,
    starts_as_text,
)
from appliance.ledger.signers import KeyHistoryError, Signers, SigningPeriod
from tests.ledger import changed
from tests.ledger import material as m
from tests.ledger.paper import BOX, HUB, ORIGIN, TIME_S, make_paper


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


def with_header(unprotected: dict[int, object]) -> bytes:
    """The receipt with other unsigned headers."""
    protected, _, signature = parse_sign1(CHECKPOINT)
    return encode([ENTRIES[1], sign1(protected, unprotected, signature)])


PROOF = encode([3, 1, PATHS[1]])


def test_a_receipt_has_one_form_only() -> None:
    assert with_header({VDP: {INCLUSION: [PROOF]}}) == receipt(cosigned=None)
    others: list[dict[int, object]] = [
        {VDP: [[PROOF]]},  # the last of a list is not the key -1 of a map
        {VDP: {INCLUSION: {PROOF: 0}}},
        {VDP: {INCLUSION: [PROOF, PROOF]}},
        {VDP: {INCLUSION: [PROOF], -2: []}},
        {VDP: {INCLUSION: [encode({3: 0, 1: 0, "path": 0})]}},
        {VDP: {INCLUSION: [encode([3, 1, PATHS[1], 0])]}},
        {VDP: {INCLUSION: ["proof"]}},
    ]
    made = [with_header(one) for one in others]
    made.append(encode({ENTRIES[1]: 0, decode(receipt())[1]: 0}))  # a map of two keys is no list of two
    for one in made:
        with pytest.raises(UntrustedError):
            open_receipt(one, ORIGIN, BOX.public, HUB.public)


def test_a_proof_for_another_place_does_not_lead_to_the_root() -> None:
    for index, size in ((0, 3), (2, 3), (1, 2), (1, 4), (3, 3)):
        moved = make_receipt(ENTRIES[1], index, size, PATHS[1], CHECKPOINT, None)
        with pytest.raises(UntrustedError):
            open_receipt(moved, ORIGIN, BOX.public, None)


def test_it_says_whose_it_is_before_it_is_believed() -> None:
    keys = BOX.public.key_id, HUB.public.key_id
    assert read_claim(receipt()) == Claim(ORIGIN, keys[0], "hub.example", keys[1])
    assert read_claim(receipt(cosigned=None)) == Claim(ORIGIN, keys[0], None, None)
    for bad in (b"", b"\xff" * 40, encode([1, 2]), encode([ENTRIES[0], b""])):
        with pytest.raises(CheckpointError):
            read_claim(bad)


def test_a_key_id_that_is_no_bytes_is_no_claim() -> None:
    protected, unprotected, signature = parse_sign1(decode(receipt())[1])
    header = decode(protected) | {KID: 7}
    bad = encode([ENTRIES[1], sign1(encode(header), unprotected, signature)])
    with pytest.raises(CheckpointError):
        read_claim(bad)


@given(st.integers(1, 1 << 44).flatmap(lambda size: st.tuples(st.just(size), st.integers(0, size - 1))), st.data())
def test_a_proof_is_bound_to_the_size_that_was_signed(sized: tuple[int, int], data: st.DataObject) -> None:
    size, index = sized
    paper = make_paper(size, index)
    assert open_receipt(paper.receipt, ORIGIN, BOX.public, HUB.public).checkpoint.size == size
    _, cose = decode(paper.receipt)
    protected, unprotected, signature = parse_sign1(cose)
    path = decode(unprotected[VDP][INCLUSION][0])[2]
    other = data.draw(st.integers(0, 1 << 44).filter(lambda one: one != size), "other size")
    unprotected[VDP] = {INCLUSION: [encode([other, index, path])]}
    with pytest.raises(UntrustedError):
        open_receipt(encode([paper.entry, sign1(protected, unprotected, signature)]), ORIGIN, BOX.public, HUB.public)


def test_the_text_fits_the_alphanumeric_mode_of_a_qr_code() -> None:
    text = receipt_text(receipt())
    assert text.startswith(PREFIX)
    assert set(text) <= set("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:")
    assert parse_receipt_text(text) == receipt()


def each_text(size: int) -> Iterator[str]:
    """Texts of receipts of such a ledger, as many as are wanted: each is confirmed by another hub."""
    return (receipt_text(make_paper(size, size // 3, hub=SigningKey.make()).receipt) for _ in count())


def to_full_width(text: str) -> str:
    return "".join("\u3000" if one == " " else chr(ord(one) + 0xFEE0) for one in text)


COPIED: dict[str, Callable[[str], str]] = {
    "line end": lambda text: text + "\r\n",
    "spaces around": lambda text: f" \t\n {text}  \n\n",
    "byte order mark": lambda text: "\ufeff" + text,
    "small letters": str.lower,
    "full width": to_full_width,
    "full width, small letters": lambda text: to_full_width(text.lower()),
    "no-break spaces": lambda text: text.replace(" ", "\u00a0"),
    "lines of 40": lambda text: "\n".join(text[at : at + 40] for at in range(0, len(text), 40)),
    "lines of 76, empty ones between": lambda text: "\r\n\r\n".join(
        text[at : at + 76] for at in range(0, len(text), 76)
    ),
    "prefix on a line of its own": lambda text: text.replace(PREFIX, PREFIX + "\n"),
    "broken at spaces": lambda text: text.replace(" ", "\n"),
    "broken behind spaces": lambda text: text.replace(" ", " \n"),
    "wrapped between words": lambda text: textwrap.fill(text, 76, break_long_words=False, break_on_hyphens=False),
}


@pytest.mark.parametrize("way", COPIED)
@pytest.mark.parametrize("size", [3, 1_000_000])
def test_what_scanning_and_copying_do_is_tolerated(way: str, size: int) -> None:
    # Who breaks lines at spaces leaves one of two; about every other receipt has no two in a row.
    text = next(text for text in each_text(size) if " " in text and "  " not in text)
    written = COPIED[way](text)
    assert starts_as_text(written)
    assert parse_receipt_text(written) == parse_receipt_text(text)


@settings(deadline=None)
@given(st.integers(0, 1 << 20), st.integers(12, 200), st.booleans())
def test_lines_of_any_width_are_joined(index: int, width: int, stripped: bool) -> None:
    receipt = make_paper(1 << 20, min(index, (1 << 20) - 1)).receipt
    text = receipt_text(receipt)
    lines = [text[at : at + width] for at in range(0, len(text), width)]
    assert parse_receipt_text("\n".join(line.rstrip() if stripped else line for line in lines)) == receipt


@settings(deadline=None)
@given(st.lists(st.integers(1, 1500)))
def test_added_line_breaks_are_left_out(places: list[int]) -> None:
    text = receipt_text(PAPER.receipt)
    for place in sorted(set(places), reverse=True):
        if place > len(PREFIX):
            text = f"{text[:place]}\n{text[place:]}"
    assert parse_receipt_text(text) == PAPER.receipt


PAPER = make_paper(1_000_000, 333_333)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", 1),
        ("BB8", 1),
        ("MDG2:BB8", 1),
        (PREFIX + "GGW", 6),
        (PREFIX + "B", 6),
        (PREFIX + ":::", 6),
        (PREFIX + "BB8 B_8", 9),
        (PREFIX + "BB8:::\nBB8", 9),
        (PREFIX + "BB8\nBB8\n:", 12),
        (PREFIX + "BB8" * 3000, 4297),
        (PREFIX + "0\n" * 4300, 4297),
    ],
)
def test_other_text_is_no_receipt(text: str, place: int) -> None:
    with pytest.raises(Base45Error) as refused:
        parse_receipt_text(text)
    assert refused.value.fields == {"place": place}


def test_two_spaces_that_became_one_are_not_guessed() -> None:
    double = next(
        text
        for text in each_text(1_000_000)
        if "  " in text and whole_groups(text.removeprefix(PREFIX).replace("  ", " ")) < len(text) - len(PREFIX) - 1
    )
    with pytest.raises(Base45Error):
        parse_receipt_text(double.replace("  ", " "))


@pytest.mark.parametrize("text", ["", "MDG2:00", "BB8", "\ufeff", "MDG1", "\x82\x58"])
def test_what_does_not_begin_as_a_receipts_text(text: str) -> None:
    assert not starts_as_text(text)


def test_a_million_entries_fit_one_qr_code() -> None:
    paper = make_paper(1_000_000, 654_321)
    assert open_receipt(paper.receipt, ORIGIN, BOX.public, HUB.public).cosignature is not None
    code = segno.make(receipt_text(paper.receipt), error="l", micro=False)
    assert (code.mode, code.version, code.error) == ("alphanumeric", 24, "L")


def test_the_receipt_of_a_change_of_the_key_needs_all_keys() -> None:
    first, alone = changed.FIRST_CHANGE, Signers.of(changed.SIGNERS.first)
    for size in (first + 1, first + 2, changed.SIZE):
        assert open_receipt(changed.receipt(first, size), m.ORIGIN, changed.SIGNERS, None).index == first
    for size in (first + 1, first + 2):  # the second one its thief could have made
        with pytest.raises(KeyHistoryError):
            open_receipt(changed.receipt(first, size, m.BOX), m.ORIGIN, alone, None)
    elsewhere = Signers((*alone.periods, SigningPeriod(6, m.SECOND.public)))
    with pytest.raises(KeyHistoryError):  # an entry that tells of no change, where these keys have one
        open_receipt(changed.receipt(4, 5), m.ORIGIN, elsewhere, None)
