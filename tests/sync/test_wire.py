"""Messages as bytes: exact both ways, small, bounded, and nonsense has one name."""

import dataclasses
import os

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from appliance.ledger.encoding import EncodingError, encode
from appliance.ledger.entry import Body, Entry
from appliance.ledger.verify import Batch, Sealed
from appliance.sync.renewal import RenewalAnswer, RenewalRequest
from appliance.sync.wire import (
    HEADER_BYTES,
    MAX_MESSAGE_BYTES,
    MAX_PLAIN_BYTES,
    Ack,
    Lane,
    MalformedError,
    OversizeError,
    Refusal,
    State,
    frame,
    pack,
    parse_topic,
    topic,
    unpack,
)

SCHOOL = "B113299900018"
NUMBERS = st.integers(0, (1 << 63) - 1)
SALTS = st.binary(min_size=16, max_size=16)
BODIES = st.builds(Body.of, st.dictionaries(st.text(max_size=5), NUMBERS, max_size=3), SALTS)


@st.composite
def sealed(draw: st.DrawFn) -> Sealed:
    body = draw(BODIES | st.none())
    commitment = os.urandom(32) if body is None else body.commitment()
    fields = [draw(NUMBERS) for _ in range(7)]
    refs = tuple(draw(st.lists(NUMBERS, max_size=3)))
    kind, version, time_ms, boot, uptime_ms, actor, subject = fields
    return Sealed(Entry(kind, version, time_ms, boot, uptime_ms, actor, subject, refs, commitment).encode(), body)


ROOTS = st.none() | st.binary(min_size=32, max_size=32)
ACKS = st.builds(Ack, st.text(max_size=50), st.binary(max_size=200), st.binary(max_size=200), ROOTS)
MESSAGES = (
    st.builds(Batch, st.text(max_size=50), NUMBERS, st.lists(sealed(), max_size=6).map(tuple), st.binary(max_size=200))
    | ACKS
    | st.builds(Refusal, st.text(max_size=50), st.text(max_size=20), st.none() | NUMBERS, st.none() | ACKS)
    | st.builds(State, st.booleans(), NUMBERS, NUMBERS, NUMBERS)
    | st.builds(RenewalRequest, st.binary(max_size=200))
    | st.builds(RenewalAnswer, st.binary(max_size=200), st.text(max_size=20))
)


def visits(count: int) -> Batch:
    items = []
    for number in range(count):
        body = Body.of({"purpose": "visit"}, os.urandom(16))
        entry = Entry(17, 1, 200_000_000_000 + 61_234 * number, 0, 61_230 * number, 0, number, (), body.commitment())
        items.append(Sealed(entry.encode(), body))
    return Batch(f"madoguchi/1/{SCHOOL}/box/1", 1000, tuple(items), os.urandom(180))


@given(MESSAGES)
def test_every_message_comes_back_exactly(message: Batch | Ack | Refusal | State) -> None:
    assert unpack(pack(message)) == message


@given(st.binary(max_size=100), st.integers(0, 3), st.lists(st.none() | st.integers() | st.binary() | st.text()))
def test_nonsense_is_malformed(data: bytes, kind: int, parts: list[object]) -> None:
    squeezed = zstandard.ZstdCompressor().compress(data or b"\0")
    for bad in (data, frame(data), b"\x01" + data, frame(squeezed)):
        with pytest.raises(MalformedError):
            unpack(bad)
    try:
        plain = encode([kind, *parts])
    except EncodingError:
        return
    try:
        message = unpack(frame(zstandard.ZstdCompressor().compress(plain)))
    except MalformedError:
        return
    assert unpack(pack(message)) == message


def test_every_flipped_bit_and_every_truncation_is_malformed() -> None:
    good = pack(visits(3))
    for cut in range(len(good)):
        with pytest.raises(MalformedError):
            unpack(good[:cut])
    with pytest.raises(MalformedError):
        unpack(good + b"\0")
    for position in range(len(good) * 8):
        flipped = bytearray(good)
        flipped[position // 8] ^= 1 << position % 8
        with pytest.raises(MalformedError):
            unpack(bytes(flipped))


def test_a_flipped_bit_under_a_new_checksum_is_malformed_or_another_message() -> None:
    good = pack(visits(3))[HEADER_BYTES:]
    for position in range(len(good) * 8):
        flipped = bytearray(good)
        flipped[position // 8] ^= 1 << position % 8
        try:
            message = unpack(frame(bytes(flipped)))
        except MalformedError:
            continue
        # Where the flip hit a salt, a number or a text, the tree and its signature tell: see test_incoming.py.
        assert unpack(pack(message)) == message


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    packed = zstandard.ZstdCompressor(19).compress(b"\0" * (MAX_PLAIN_BYTES + 1))
    assert len(packed) < 2_000
    with pytest.raises(MalformedError):
        unpack(frame(packed))
    streamed = zstandard.ZstdCompressor(write_content_size=False).compress(b"\0" * 1000)  # says no size at all
    with pytest.raises(MalformedError):
        unpack(frame(streamed))
    with pytest.raises(MalformedError):
        unpack(frame(bytes(MAX_MESSAGE_BYTES)))


def test_what_the_other_side_would_refuse_is_not_sent() -> None:
    body = Body.of({"photo": os.urandom(MAX_MESSAGE_BYTES)}, b"s" * 16)
    entry = Entry(17, 1, 0, 0, 0, 0, 0, (), body.commitment()).encode()
    for content in (body, dataclasses.replace(body, content=bytes(MAX_PLAIN_BYTES))):
        with pytest.raises(OversizeError):
            pack(Batch("ledger", 0, (Sealed(entry, content),), b""))


def test_a_body_takes_the_place_of_its_commitment() -> None:
    batch = visits(100)
    bare = dataclasses.replace(batch, items=tuple(dataclasses.replace(one, body=None) for one in batch.items))
    assert unpack(pack(bare)) == bare
    assert len(pack(batch)) < len(pack(bare))  # 16 bytes of salt against 32 of commitment
    assert len(pack(batch)) < 100 * 32


def test_topics_name_one_school_and_one_lane() -> None:
    for lane in Lane:
        assert parse_topic(topic(SCHOOL, lane)) == (SCHOOL, lane)
    assert topic(SCHOOL, Lane.UP) == f"madoguchi/1/{SCHOOL}/up"
    for text in ("", "up", f"madoguchi/2/{SCHOOL}/up", f"madoguchi/1/{SCHOOL}/other", "madoguchi/1/short/up"):
        with pytest.raises(MalformedError):
            parse_topic(text)


def packed(*plain: object) -> bytes:
    return frame(zstandard.ZstdCompressor().compress(encode(list(plain))))


def test_an_ordinary_receipt_is_what_it_was_before_there_were_roots() -> None:
    # Peers of both ages read it; one with a root goes out only beside an ordinary answer, never in its place.
    assert unpack(packed(1, "o", b"c", b"s")) == Ack("o", b"c", b"s")
    assert pack(Ack("o", b"c", b"s")) == frame(zstandard.ZstdCompressor(9).compress(encode([1, "o", b"c", b"s"])))
    root = bytes(32)
    assert unpack(packed(1, "o", b"c", b"s", root)) == Ack("o", b"c", b"s", root)
    assert unpack(packed(2, "o", "x", 3, ["o", b"c", b"s", root])) == Refusal("o", "x", 3, Ack("o", b"c", b"s", root))


@pytest.mark.parametrize("root", [b"", bytes(31), bytes(33), "0" * 32, None, [bytes(32)]])
def test_a_root_of_another_form_is_malformed(root: object) -> None:
    for message in (packed(1, "o", b"c", b"s", root), packed(1, "o", b"c", b"s", bytes(32), root)):
        with pytest.raises(MalformedError):
            unpack(message)
