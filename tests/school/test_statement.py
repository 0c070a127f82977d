"""A statement is read from its one form and from no other."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.ledger.encoding import decode, encode
from appliance.school.statement import DOMAIN, END_MS, NONCE_BYTES, Statement, StatementFormError

GOOD = Statement("visit", "B113299900018", "架空小学校", "ja", ("来ました。", "二行め。"), bytes(NONCE_BYTES), 5)
TEXT = st.text(st.characters(exclude_categories=["Cs"]))


@given(
    st.builds(
        Statement, TEXT, TEXT, TEXT, TEXT, st.lists(TEXT).map(tuple), st.binary(min_size=16, max_size=16),
        st.integers(0, 2**40),
    )
)  # fmt: skip
def test_it_is_read_as_it_was_written(statement: Statement) -> None:
    assert Statement.parse(statement.canonical()) == statement


def test_other_forms_are_refused() -> None:
    domain, said = decode(GOOD.canonical())
    assert domain == DOMAIN
    wrong: list[object] = [["madoguchi statement v2", said], [domain], [domain, said, said], said, [domain, []]]
    wrong += [[domain, {name: value for name, value in said.items() if name != one}] for one in said]
    wrong += [[domain, {**said, one: None}] for one in said]
    wrong += [[domain, {**said, **more}] for more in ({"more": 1}, {"lines": ["a", 1]}, {"nonce": b""})]
    wrong += [[domain, {**said, "time_ms": ms}] for ms in (-1, END_MS, 2**60)]
    for one in wrong:
        with pytest.raises(StatementFormError):
            Statement.parse(encode(one))


def test_the_same_in_other_bytes_is_refused() -> None:
    canonical = GOOD.canonical()
    longer = canonical.replace(b"\x67time_ms\x05", b"\x67time_ms\x18\x05")
    assert len(longer) == len(canonical) + 1
    for one in (b"", b"\xff", canonical[:-1], canonical + b"\0", longer):
        with pytest.raises(StatementFormError):
            Statement.parse(one)


def test_what_it_says_leaves_nothing_out_but_the_nonce() -> None:
    _, said = decode(GOOD.canonical())
    assert GOOD.said() == {name: value for name, value in said.items() if name != "nonce"}
    assert replace(GOOD, lines=()).said()["lines"] == []
