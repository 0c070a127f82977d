"""What a ledger says of erasing in an earlier one is of one form, and of an earlier ledger of its own writer."""

from typing import Any

import pytest

from appliance.ledger.entry import Body, Entry, EntryType
from appliance.ledger.erasure import MOST_INDICES, EarlierErasure, ErasureFormError, erasure_of, is_earlier

FIRST, SECOND = "madoguchi/1/B113299900018/box/1", "madoguchi/1/B113299900018/box/2"
GOOD: dict[str, Any] = {"origin": FIRST, "indices": [0, 7], "rule": "order: 12"}


def body(**change: object) -> Body:
    return Body.of({name: value for name, value in (GOOD | change).items() if value is not None}, bytes(16))


def entry(kind: int, version: int = 1) -> Entry:
    return Entry(kind, version, 0, 0, 0, 0, 0, (), bytes(32))


def test_what_is_written_is_read() -> None:
    erasure = EarlierErasure(FIRST, (0, 7), "order: 12")
    assert erasure.content() == GOOD
    assert EarlierErasure.read(body(), SECOND) == erasure
    most = EarlierErasure(FIRST, tuple(range(MOST_INDICES)), "rule")
    assert EarlierErasure.read(Body.of(most.content(), bytes(16)), SECOND) == most


@pytest.mark.parametrize(
    "wrong",
    [
        Body(bytes(16), b"no CBOR"),
        Body(bytes(16), b"\x80"),
        body(origin=None),
        body(origin=7),
        body(rule=None),
        body(more=1),
        body(indices={}),
        body(indices=[]),
        body(indices=[7, 0]),
        body(indices=[7, 7]),
        body(indices=[-1]),
        body(indices=[True]),
        body(indices=["7"]),
        body(indices=list(range(MOST_INDICES + 1))),
        body(origin=SECOND),
        body(origin="madoguchi/1/B113299900018/box/3"),
        body(origin="madoguchi/1/C113299900028/box/1"),
        body(origin="madoguchi/1/B113299900018/feed/1"),
    ],
)
def test_anything_else_is_refused(wrong: Body) -> None:
    with pytest.raises(ErasureFormError):
        EarlierErasure.read(wrong, SECOND)


def test_other_entries_and_later_versions_say_nothing_of_it() -> None:
    kind = EntryType.EARLIER_BODY_ERASED
    assert erasure_of(entry(kind.number), body(), SECOND) == EarlierErasure(FIRST, (0, 7), "order: 12")
    assert erasure_of(entry(kind.number), None, SECOND) is None
    assert erasure_of(entry(kind.number, 2), body(), SECOND) is None
    assert erasure_of(entry(EntryType.BODY_ERASED.number), body(), SECOND) is None


@pytest.mark.parametrize(
    ("origin", "writer", "earlier"),
    [
        (FIRST, SECOND, True),
        ("x/9", "x/10", True),
        (FIRST, FIRST, False),
        (SECOND, FIRST, False),
        ("x/10", "x/9", False),
        ("x/01", "x/2", False),
        ("x/0", "x/2", False),
        ("x/-1", "x/2", False),
        ("x/１", "x/2", False),
        ("x/" + "1" * 10, "x/" + "2" * 10, False),
        ("y/1", "x/2", False),
        ("1", "2", False),
        ("", "", False),
    ],
)
def test_a_generation_is_the_last_part_of_a_name(origin: str, writer: str, earlier: bool) -> None:
    assert is_earlier(origin, writer) is earlier
