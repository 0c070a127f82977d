"""Entries and bodies: one value, one encoding; and nothing else is taken for one."""

import re

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
from appliance.sync.fields import MAX_NUMBER
from tests.source import ROOT

VECTORS = ROOT / "tests/vectors/ledger"
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


@pytest.mark.parametrize("number", [1.0, 40.0, 300.0, 1e300, float("nan"), "40", b"40", None, [40], {}])
@pytest.mark.parametrize("place", range(7))
def test_what_only_resembles_a_number_is_refused(place: int, number: object) -> None:
    parts = [1, 1, 0, 0, 0, 0, 0, [], b"\0" * 32]
    for one in (1, 40, 300):  # the same number was there before
        Entry.decode(cbor2.dumps([*parts[:place], one, *parts[place + 1 :]]))
    with pytest.raises(EntryFormError):
        Entry.decode(cbor2.dumps([*parts[:place], number, *parts[place + 1 :]]))


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


def given_types() -> list[tuple[int, str, list[int], str]]:
    """What ``tests/vectors/ledger/entry-types.tsv`` says was ever given: number, name, versions, state."""
    lines = (VECTORS / "entry-types.tsv").read_text(encoding="utf-8").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    return [
        (int(number), name, [int(one) for one in versions.split()], state) for number, name, versions, state in rows
    ]


def test_each_type_is_the_one_that_its_number_was_given_to() -> None:
    assigned = [(number, name, versions[-1]) for number, name, versions, state in given_types() if state == "assigned"]
    assert sorted((one.number, one.label, one.version) for one in EntryType) == assigned


def test_no_number_and_no_name_was_ever_given_twice() -> None:
    numbers, names, versions, states = zip(*given_types(), strict=True)
    assert list(numbers) == sorted(set(numbers))
    assert len(set(names)) == len(names)
    assert set(states) <= {"assigned", "retired"}
    # Versions count from 1 and leave none out, so that what a reader meets was written down by somebody.
    assert [list(one) for one in versions] == [list(range(1, len(one) + 1)) for one in versions]
    assert all(re.fullmatch(r"[a-z]+(_[a-z]+)*\.[a-z]+(_[a-z]+)*", name) for name in names)
    assert all(0 < number < MAX_NUMBER for number in numbers)


def test_an_unknown_type_has_a_label_of_its_number() -> None:
    assert type_label(17) == "guardian.authenticated"
    assert type_label(9_999) == "unknown.9999"
    assert not any(one.label.startswith("unknown.") for one in EntryType)


NUMBERS = st.integers(0, (1 << 64) - 1)


@given(st.lists(NUMBERS, min_size=7, max_size=7), st.lists(NUMBERS, max_size=3), st.binary(min_size=32, max_size=32))
def test_the_form_written_out_is_the_deterministic_encoding(
    numbers: list[int], refs: list[int], commitment: bytes
) -> None:
    kind, version, time_ms, boot, monotonic_ms, actor, subject = numbers
    entry = Entry(kind, version, time_ms, boot, monotonic_ms, actor, subject, tuple(refs), commitment)
    assert entry.encode() == encode([*numbers, refs, commitment])
    assert Entry.decode(entry.encode()) == entry
