"""Entries and bodies: one value, one encoding; and nothing else is taken for one."""

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import UntrustedError
from appliance.ledger.encoding import EncodingError, decode, encode
from appliance.ledger.entry import (
    Body,
    CommitmentError,
    Entry,
    EntryFormError,
    EntryType,
    check_body,
    type_label,
)

ENTRY = Entry(17, 1, 1_000, 1, 250, 3, 3, (4,), b"\x11" * 32)
keys = st.text(max_size=5) | st.integers(-(2**40), 2**40)
values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4),
    max_leaves=12,
)


@given(values)
def test_encoding_is_a_bijection(value: object) -> None:
    assert decode(encode(value)) == value


@given(st.binary(max_size=60))
def test_bytes_decode_to_themselves_or_are_refused(data: bytes) -> None:
    try:
        value = decode(data)
    except EncodingError:
        return
    assert encode(value) == data


def test_maps_are_ordered_by_encoded_key() -> None:
    # RFC 8949 section 4.2.1 gives this order: 10, 100, -1, "z", "aa".
    assert encode({"aa": 0, "z": 0, -1: 0, 100: 0, 10: 0}).hex() == "a50a00186400200061" + "7a00626161" + "00"


@pytest.mark.parametrize("value", [1.5, {"a": 2.0}, object(), {1, 2}])
def test_what_has_no_place_is_refused(value: object) -> None:
    with pytest.raises(EncodingError):
        encode(value)


@pytest.mark.parametrize("data", ["1800", "9f00ff", "a2616200616100", "c100", "fb3ff8000000000000"])
def test_other_encodings_of_a_value_are_refused(data: str) -> None:
    with pytest.raises(EncodingError):
        decode(bytes.fromhex(data))


def test_an_entry_survives_the_round_trip() -> None:
    assert Entry.decode(ENTRY.encode()) == ENTRY
    assert ENTRY.wall_ms == 1_577_836_801_000


@pytest.mark.parametrize(
    "parts",
    [
        [],
        {},
        [1, 1, 0, 0, 0, 0, 0, []],
        [1, 1, 0, 0, 0, 0, -1, [], b"\0" * 32],
        [1, 1, 0, 0, 0, 0, True, [], b"\0" * 32],
        [1, 1, 0, 0, 0, 0, 0, [-1], b"\0" * 32],
        [1, 1, 0, 0, 0, 0, 0, 0, b"\0" * 32],
        [1, 1, 0, 0, 0, 0, 0, [], b"\0" * 31],
        [1, 1, 0, 0, 0, 0, 0, [], None],
    ],
)
def test_what_is_no_entry_is_refused(parts: object) -> None:
    with pytest.raises(EntryFormError):
        Entry.decode(cbor2.dumps(parts))


def test_a_body_is_bound_to_its_entry() -> None:
    body = Body.of({"purpose": "visit"}, b"s" * 16)
    entry = Entry(17, 1, 0, 0, 0, 0, 0, (), body.commitment())
    check_body(entry, body)
    assert body.read() == {"purpose": "visit"}
    with pytest.raises(CommitmentError):
        check_body(entry, Body.of({"purpose": "other"}, b"s" * 16))
    with pytest.raises(CommitmentError):
        check_body(entry, Body(b"s" * 15, b"\xa0"))
    with pytest.raises(UntrustedError):
        Body(b"s" * 16, encode([1])).read()


def test_type_numbers_and_names_are_unique() -> None:
    assert len({one.number for one in EntryType}) == len({one.label for one in EntryType}) == len(EntryType)
    assert type_label(17) == "guardian.authenticated"
    assert type_label(9_999) == "unknown.9999"


NUMBERS = st.integers(0, (1 << 64) - 1)


@given(st.lists(NUMBERS, min_size=7, max_size=7), st.lists(NUMBERS, max_size=3), st.binary(min_size=32, max_size=32))
def test_the_form_written_out_is_the_deterministic_encoding(
    numbers: list[int], refs: list[int], commitment: bytes
) -> None:
    kind, version, time_ms, boot, monotonic_ms, actor, subject = numbers
    entry = Entry(kind, version, time_ms, boot, monotonic_ms, actor, subject, tuple(refs), commitment)
    assert entry.encode() == encode([*numbers, refs, commitment])
    assert Entry.decode(entry.encode()) == entry
