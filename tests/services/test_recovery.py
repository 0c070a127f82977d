"""Keys on paper: what is typed back opens the box again, and every kind of slip is named with its line."""

import base64
import hashlib
import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.errors import MadoguchiError
from appliance.ledger.archive_keys import ArchiveKeyFormError, ArchiveSigningKey
from appliance.ledger.keys import KeyFormError, SigningKey
from appliance.services.recovery import (
    DATA_SYMBOLS,
    LINES,
    OLD_LINES,
    RECOVERED,
    SYMBOLS,
    RecoveryCheckError,
    RecoveryKeyError,
    RecoveryLengthError,
    RecoveryMissingError,
    RecoveryNumberError,
    RecoverySymbolError,
    RecoveryTwiceError,
    join_lines,
    read_keys,
    read_line,
    write_lines,
)


def make_keys(database_key: bytes) -> dict[str, bytes]:
    signing = {name: SigningKey.make().pem() for name in ("device.key", "line.key", "staff.key")}
    return {"database.key": database_key, **signing, "archive.key": ArchiveSigningKey.make().pem()}


KEYS = make_keys(bytes(range(32)))
PAPER = write_lines(KEYS)
SYMBOLS_IN_A_LINE = st.lists(st.sampled_from(SYMBOLS), min_size=DATA_SYMBOLS, max_size=DATA_SYMBOLS).map("".join)


def check(number: int, data: str) -> str:
    """The one symbol that a line may end with."""
    (found,) = (one for one in SYMBOLS if fits(number, data + one))
    return found


def fits(number: int, typed: str) -> bool:
    try:
        read_line(number, typed)
    except RecoveryCheckError:
        return False
    return True


def refusal(lines: list[str]) -> MadoguchiError:
    with pytest.raises(MadoguchiError) as caught:
        read_keys("\n".join(lines))
    return caught.value


def but(number: int, line: str) -> list[str]:
    """The paper with another line in the place of this one."""
    return [line if at == number else one for at, one in enumerate(PAPER, 1)]


@given(st.binary(min_size=32, max_size=32))
def test_what_was_printed_comes_back(database_key: bytes) -> None:
    keys = KEYS | {"database.key": database_key}
    assert read_keys("\n".join(write_lines(keys))) == keys


def test_the_form_on_paper() -> None:
    assert len(PAPER) == LINES == 10
    assert PAPER[0] == "1: 000G 40R4 0M30 E209 185G R38E 1W81 B"
    whole = KEYS["database.key"] + hashlib.sha256(b"database.key\0" + KEYS["database.key"]).digest()[:3]
    rfc4648 = str.maketrans("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", SYMBOLS)
    typed = "".join(line[3:-1].replace(" ", "") for line in PAPER[:2])
    assert typed == base64.b32encode(whole).decode().translate(rfc4648)
    assert [len(line) for line in PAPER] == [len(PAPER[0])] * 9 + [len(PAPER[0]) + 1]
    assert set(KEYS) == set(RECOVERED)


@pytest.mark.parametrize(
    "typed",
    [
        "\n".join(reversed(PAPER)),
        "# the box of the school\n\n" + "\n".join(f"  {line.lower()}  " for line in PAPER),
        "\n".join(line.replace(" ", "") for line in PAPER),
        "\n".join(line[:4] + line[4:].replace(" ", "-") for line in PAPER),
        "\n".join(line[:3] + line[3:].replace("0", "o").replace("1", "l") for line in PAPER),
        "\n".join(line[:3] + line[3:].replace("0", "O").replace("1", "I") for line in PAPER),
        "\r\n".join([*PAPER, PAPER[2]]),
        "１：" + "\n".join(PAPER)[2:],
        "\n".join("".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else "\u3000" for c in line) for line in PAPER),
    ],
    ids=["order", "lower case", "no spaces", "hyphens", "letters", "capitals", "twice", "colon", "full width"],
)
def test_how_it_is_typed_does_not_matter(typed: str) -> None:
    assert read_keys(typed) == KEYS


@given(st.integers(1, LINES), SYMBOLS_IN_A_LINE, st.integers(0, DATA_SYMBOLS), st.sampled_from(SYMBOLS))
def test_any_one_wrong_symbol_is_found(number: int, data: str, place: int, other: str) -> None:
    line = data + check(number, data)
    wrong = line[:place] + other + line[place + 1 :]
    assert fits(number, wrong) == (wrong == line)


@given(st.integers(1, LINES), SYMBOLS_IN_A_LINE, st.integers(0, DATA_SYMBOLS), st.integers(0, DATA_SYMBOLS))
def test_any_two_symbols_that_changed_places_are_found(number: int, data: str, one: int, other: int) -> None:
    line = data + check(number, data)
    symbols = list(line)
    symbols[one], symbols[other] = symbols[other], symbols[one]
    assert fits(number, "".join(symbols)) == ("".join(symbols) == line)


@given(st.integers(1, LINES), st.integers(1, LINES), SYMBOLS_IN_A_LINE)
def test_a_line_typed_in_place_of_another_is_found(number: int, other: int, data: str) -> None:
    assert fits(other, data + check(number, data)) == (other == number)


def test_every_slip_is_named_with_its_line() -> None:
    third = PAPER[2]
    wrong = "7" if third[4] != "7" else "8"
    cases: list[tuple[list[str], type[MadoguchiError], dict[str, object]]] = [
        (but(3, third[:4] + wrong + third[5:]), RecoveryCheckError, {"line": 3}),
        (but(3, third + "7"), RecoveryLengthError, {"line": 3, "found": 30, "wanted": 29}),
        (but(3, third[:-1]), RecoveryLengthError, {"line": 3, "found": 28, "wanted": 29}),
        (but(3, third[:4] + "u" + third[5:]), RecoverySymbolError, {"line": 3, "symbol": "U"}),
        (but(3, third[:4] + "ア" + third[5:]), RecoverySymbolError, {"line": 3, "symbol": "ア"}),
        (but(3, "4" + third[1:]), RecoveryCheckError, {"line": 4}),
        (but(3, "11" + third[1:]), RecoveryNumberError, {"row": 3, "lines": 10}),
        (but(3, "0" + third[1:]), RecoveryNumberError, {"row": 3, "lines": 10}),
        (but(3, third[3:]), RecoveryNumberError, {"row": 3, "lines": 10}),
        ([*PAPER[:2], *PAPER[3:7]], RecoveryMissingError, {"missing": "3, 8"}),
        (PAPER[:9], RecoveryMissingError, {"missing": "10"}),
        ([*PAPER[:7], PAPER[9]], RecoveryMissingError, {"missing": "8, 9"}),
        ([], RecoveryMissingError, {"missing": "1, 2, 3, 4, 5, 6, 7, 8"}),
        ([*PAPER, write_lines(KEYS | {"database.key": bytes(32)})[0]], RecoveryTwiceError, {"line": 1}),
    ]
    for lines, kind, fields in cases:
        error = refusal(lines)
        assert (type(error), error.fields) == (kind, fields)


def test_lines_of_two_papers_do_not_make_a_key() -> None:
    other = write_lines(make_keys(os.urandom(32)))
    error = refusal(but(3, other[2]))
    assert isinstance(error, RecoveryKeyError)
    assert error.fields == {"first": 3, "last": 4}


def test_a_paper_from_before_there_was_an_archive_key_still_opens_the_box() -> None:
    """Such a paper is in many safes."""
    old = dict(list(KEYS.items())[:4])
    assert OLD_LINES == 8
    assert read_keys("\n".join(PAPER[:OLD_LINES])) == old
    assert join_lines({number: read_line(number, PAPER[number - 1][3:]) for number in range(1, 9)}) == old


def test_lines_nine_and_ten_of_another_paper_do_not_make_an_archive_key() -> None:
    other = write_lines(make_keys(bytes(32)))
    error = refusal([*PAPER[:9], other[9]])
    assert (type(error), error.fields) == (RecoveryKeyError, {"first": 9, "last": 10})


def test_a_key_that_is_none_of_a_box_is_not_printed() -> None:
    for wrong in ({"database.key": bytes(31)}, {"device.key": b"no key"}):
        with pytest.raises(KeyFormError):
            write_lines(KEYS | wrong)
    for key in (b"no key", KEYS["device.key"]):
        with pytest.raises(ArchiveKeyFormError):
            write_lines(KEYS | {"archive.key": key})


def test_no_error_can_hold_a_key() -> None:
    secret_free = {"row", "lines", "line", "symbol", "found", "wanted", "missing", "first", "last"}
    third = PAPER[2]
    for lines in (but(3, third + "U"), but(3, third + "77"), but(3, "x" + third), but(3, third[:-1] + "%"), PAPER[:5]):
        error = refusal(lines)
        assert set(error.fields) <= secret_free
        assert not any(len(str(value)) > 10 for value in error.fields.values())
