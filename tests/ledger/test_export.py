"""An exported ledger is read item by item, and a file that is not whole or not as written is refused by name."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import UntrustedError
from appliance.ledger.encoding import encode
from appliance.ledger.export import (
    BEGINNING,
    MOST_ITEM_BYTES,
    End,
    ExportAlteredError,
    ExportCutError,
    ExportFormError,
    ExportVersionError,
    Header,
    read_export,
    write_export,
)
from appliance.ledger.verify import Sealed
from tests.ledger import changed
from tests.ledger.material import BOX, OTHER, export, export_items, header

FILE = export(bodies=True)


def pieces(data: bytes, length: int) -> Iterator[bytes]:
    return (data[at : at + length] for at in range(0, len(data), length))


def again(data: bytes, length: int) -> bytes:
    return b"".join(write_export(read_export(pieces(data, length))))


@pytest.mark.parametrize("length", [1, 7, 64, 1 << 16])
def test_what_was_written_is_read_in_whatever_pieces_it_comes(length: int) -> None:
    assert again(FILE, length) == FILE
    items = list(read_export(pieces(FILE, length)))
    assert isinstance(items[0], Header)
    assert isinstance(items[-1], End)
    assert items[1:-1] == export_items(bodies=True)[1:-1]


def test_every_file_begins_with_the_name_of_the_form() -> None:
    assert FILE.startswith(BEGINNING)
    for foreign in (b"%PDF-1.7", b"\x83\x00", b"PK\x03\x04" * 100, b"MDG1:AAA"):
        with pytest.raises(ExportFormError):
            list(read_export([foreign]))


def test_a_file_that_was_cut_off_is_told_apart() -> None:
    for length in range(len(FILE)):
        with pytest.raises(ExportCutError):
            list(read_export([FILE[:length]]))


def test_no_flipped_bit_before_the_end_passes() -> None:
    for at in range(FILE.rindex(b"\x83\x02")):
        bad = bytearray(FILE)
        bad[at] ^= 1 << at % 8
        with pytest.raises(UntrustedError):
            list(read_export([bytes(bad)]))


def test_a_byte_that_was_changed_inside_an_item_is_told_apart() -> None:
    at = FILE.index(bytes([4]) * 16)  # the salt of entry 4
    with pytest.raises(ExportAlteredError):
        list(read_export([FILE[:at] + b"\x05" + FILE[at + 1 :]]))


def test_nothing_may_follow_the_end() -> None:
    for more in (b"\0", b"\xf6", FILE[-40:], FILE):
        with pytest.raises(UntrustedError):
            list(read_export([FILE + more]))


def test_a_later_version_is_not_called_damaged() -> None:
    with pytest.raises(ExportVersionError) as error:
        list(read_export([BEGINNING + b"\x02\xa0"]))
    assert error.value.fields == {"version": 2}


def test_an_item_has_a_greatest_length() -> None:
    long = Sealed(bytes(MOST_ITEM_BYTES), None)
    with pytest.raises(ExportFormError):
        list(write_export([header(), long]))
    beginning = next(write_export([header()]))
    for chunks in ([beginning + encode([0, long.entry, None])], pieces(beginning + encode([0, long.entry]), 1 << 20)):
        with pytest.raises(ExportFormError):
            list(read_export(chunks))


FIELDS = {
    "origin": "o",
    "size": 1,
    "whole": True,
    "bodies": False,
    "keys": [[0, BOX.public.spki]],
    "hub": None,
    "time": 0,
}


def test_a_header_has_exactly_these_fields() -> None:
    assert isinstance(next(read_export([encode(["madoguchi-ledger", 1, FIELDS])])), Header)


@pytest.mark.parametrize(
    "change",
    [
        {"origin": b"o"},
        {"size": 0},
        {"size": True},
        {"whole": 1},
        {"bodies": None},
        {"time": -1},
        {"more": 0},
        {"hub": ["hub.example"]},
        {"hub": ["hub.example", b"key"]},
        {"keys": []},
        {"keys": {}},
        {"keys": [[0, b"key"]]},
        {"keys": [[1, BOX.public.spki]]},
        {"keys": [[0, BOX.public.spki], [0, OTHER.public.spki]]},
        {"keys": [[0, BOX.public.spki, 0]]},
        {"keys": [[False, BOX.public.spki]]},
    ],
)
def test_any_other_header_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ExportFormError):
        list(read_export([encode(["madoguchi-ledger", 1, FIELDS | change])]))


@pytest.mark.parametrize(
    "item",
    [
        [],
        {},
        [3, b"", b""],
        [False, b"entry", None],
        [0, b"entry"],
        [0, "entry", None],
        [0, b"entry", b"body"],
        [0, b"entry", [b"short salt", b""]],
        [1, b"checkpoint"],
        [2, b"checkpoint", None],
    ],
)
def test_any_other_item_is_refused(item: object) -> None:
    with pytest.raises(ExportFormError):
        list(read_export([next(write_export([header()])) + encode(item)]))


def test_every_key_comes_back_with_its_statement() -> None:
    items = list(read_export([changed.export(bodies=True)]))
    assert items[0] == changed.header(bodies=True)
    assert isinstance(items[0], Header)
    assert items[0].signers == changed.SIGNERS


@given(st.binary(max_size=200), st.integers(1, 9))
def test_bytes_are_an_export_or_refused(data: bytes, length: int) -> None:
    for start in (b"", BEGINNING):
        with pytest.raises(UntrustedError):
            list(read_export(pieces(start + data, length)))
