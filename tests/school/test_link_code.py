"""Link codes: what a finger gets wrong is found, what nobody was given is refused, and guessing does not pay."""

import hashlib
import itertools
import random
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.school.link_code import (
    CODE_DIGITS,
    DAMM,
    TRIES_PER_DAY,
    TRIES_PER_HOUR,
    TRIES_PER_VISIT,
    CodeCheckError,
    CodeExpiredError,
    CodeFormError,
    CodeUnknownError,
    CodeUsedError,
    CodeWithdrawnError,
    LinkCode,
    TooManyCodesError,
    check_attempts,
    check_code,
    digest,
    expiry_ms,
    make_link_code,
    parse_link_code,
)

codes = st.integers(0, 9_999_999).map(lambda number: make_link_code(lambda _: number))
KEY = b"k" * 32
NEIGHBOURS = list(itertools.pairwise(range(CODE_DIGITS)))


@dataclass(frozen=True)
class Stored:
    expires_ms: int = 2_000
    used_ms: int | None = None
    withdrawn_ms: int | None = None


def test_the_table_is_a_totally_antisymmetric_quasigroup() -> None:
    # The two properties on which the detection of wrong digits and of swaps rests.
    digits = range(10)
    assert all(sorted(row) == list(digits) for row in DAMM)
    assert all(sorted(row[column] for row in DAMM) == list(digits) for column in digits)
    assert all(DAMM[one][one] == 0 for one in digits)
    for state, x, y in itertools.product(digits, repeat=3):
        assert x == y or DAMM[DAMM[state][x]][y] != DAMM[DAMM[state][y]][x]


def test_the_example_of_the_literature() -> None:
    # 572 has the check digit 4 in the published example; leading zeros do not change it.
    assert make_link_code(lambda _: 572).digits == "00005724"


@given(codes)
def test_a_code_reads_back_in_every_way_it_may_be_typed(code: LinkCode) -> None:
    wide = code.shown.translate({ord(str(digit)): 0xFF10 + digit for digit in range(10)})
    ways = [code.digits, code.shown, code.shown.replace(" ", "-"), f"  {code.shown}\t", wide.replace(" ", "\u3000")]
    assert {parse_link_code(way) for way in ways} == {code}


@given(codes, st.integers(0, CODE_DIGITS - 1), st.integers(1, 9))
def test_one_wrong_digit_is_a_typing_mistake(code: LinkCode, place: int, off: int) -> None:
    wrong = (int(code.digits[place]) + off) % 10
    with pytest.raises(CodeCheckError):
        parse_link_code(f"{code.digits[:place]}{wrong}{code.digits[place + 1 :]}")


@given(codes, st.sampled_from(NEIGHBOURS))
def test_swapped_neighbours_are_a_typing_mistake(code: LinkCode, places: tuple[int, int]) -> None:
    typed = list(code.digits)
    typed[places[0]], typed[places[1]] = typed[places[1]], typed[places[0]]
    if "".join(typed) == code.digits:
        return
    with pytest.raises(CodeCheckError):
        parse_link_code("".join(typed))


@pytest.mark.parametrize(
    "text", ["", "1234567", "123456789", "1234 567a", "１２３４５６７", "٠٠٠٠٠٠٠٠", "0000\n0000", "²²²²²²²²"]
)
def test_what_is_no_code_is_refused(text: str) -> None:
    with pytest.raises(CodeFormError):
        parse_link_code(text)


def test_a_number_of_twelve_digits_is_never_a_code_and_never_repeated() -> None:
    with pytest.raises(CodeFormError) as caught:
        parse_link_code("123456789018")
    assert caught.value.fields == {"digits": 12}
    assert "123456789018" not in f"{caught.value} {caught.value!r}"


def test_a_code_is_not_in_its_repr() -> None:
    code = make_link_code(lambda _: 7_654_321)
    assert "7654321" not in repr(code)
    assert code.shown.startswith("7654 321")


def test_codes_are_spread_over_the_whole_range() -> None:
    source = random.Random(1)
    made = [make_link_code(source.randrange).digits for _ in range(2_000)]
    assert len(set(made)) > 1_995
    assert {code[0] for code in made} == set("0123456789")


@given(codes, codes)
def test_the_digest_depends_on_code_and_key(one: LinkCode, other: LinkCode) -> None:
    assert (digest(one, KEY) == digest(other, KEY)) == (one == other)
    assert digest(one, KEY) != digest(one, b"x" * 32)
    assert digest(one, KEY) != hashlib.sha256(one.digits.encode()).digest()
    assert len(digest(one, KEY)) == 32


def test_a_short_key_is_a_fault_of_the_program() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        digest(make_link_code(lambda _: 1), b"short")


def test_a_code_lives_for_fourteen_days_to_the_millisecond() -> None:
    end = expiry_ms(1_000)
    assert end == 1_000 + 14 * 86_400_000
    check_code(Stored(expires_ms=end), end - 1)
    with pytest.raises(CodeExpiredError):
        check_code(Stored(expires_ms=end), end)


@pytest.mark.parametrize(
    ("stored", "error"),
    [
        (None, CodeUnknownError),
        (Stored(used_ms=5), CodeUsedError),
        (Stored(withdrawn_ms=5), CodeWithdrawnError),
        (Stored(used_ms=5, expires_ms=0), CodeUsedError),
        (Stored(withdrawn_ms=5, expires_ms=0), CodeWithdrawnError),
        (Stored(expires_ms=0), CodeExpiredError),
    ],
)
def test_each_refusal_has_its_own_reason(stored: Stored | None, error: type[Exception]) -> None:
    with pytest.raises(error):
        check_code(stored, 1_000)


@pytest.mark.parametrize(
    ("within", "counts"),
    [
        ("visit", (TRIES_PER_VISIT, 0, 0)),
        ("hour", (0, TRIES_PER_HOUR, TRIES_PER_HOUR)),
        ("day", (0, 0, TRIES_PER_DAY)),
    ],
)
def test_each_limit_stops_at_its_number(within: str, counts: tuple[int, int, int]) -> None:
    visit, hour, day = counts
    with pytest.raises(TooManyCodesError) as caught:
        check_attempts(this_visit=visit, last_hour=hour, last_day=day)
    assert caught.value.fields == {"within": within}
    check_attempts(this_visit=max(visit - 1, 0), last_hour=max(hour - 1, 0), last_day=max(day - 1, 0))
