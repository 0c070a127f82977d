"""How generations are named, and what the first entry of a later one has to say."""

from typing import Any

import pytest

from appliance.ledger.generation import NamedHead, Opening, OpeningError, Reason, generation_of, is_later

BASE = "madoguchi/1/B113299900018/box"
ROOT = b"\x07" * 32
HEAD = {"origin": f"{BASE}/1", "size": 9, "root": ROOT, "checkpoint": b"c"}
CONTENT: dict[str, Any] = {
    "origin": f"{BASE}/3",
    "reason": "rolled back",
    "previous": HEAD,
    "peer": HEAD | {"origin": f"{BASE}/2", "size": 4},
    "carried": {"first": 5, "count": 4},
}


@pytest.mark.parametrize(
    "origin",
    [f"{BASE}/{end}" for end in ("", "0", "01", "-1", "+1", "1 ", "１", "²", "x", "1" * 10)] + ["", "7", "/7", "a"],
)
def test_what_is_no_name_of_a_generation(origin: str) -> None:
    assert generation_of(origin) is None
    assert not is_later(origin, than=f"{BASE}/1")
    assert not is_later(f"{BASE}/9", than=origin)


def test_a_later_generation_is_of_the_same_ledger() -> None:
    assert generation_of(f"{BASE}/10") == (BASE, 10)
    assert is_later(f"{BASE}/10", than=f"{BASE}/9")
    assert not is_later(f"{BASE}/9", than=f"{BASE}/9")
    assert not is_later(f"{BASE}/9", than=f"{BASE}/10")
    assert not is_later("madoguchi/1/B113299900027/box/10", than=f"{BASE}/9")
    assert not is_later(f"{BASE.replace('box', 'feed')}/10", than=f"{BASE}/9")


def test_an_opening_is_read_whole() -> None:
    assert Opening.read(CONTENT) == Opening(
        f"{BASE}/3",
        Reason.ROLLED_BACK,
        NamedHead(f"{BASE}/1", 9, ROOT),
        NamedHead(f"{BASE}/2", 4, ROOT),
        first=5,
        count=4,
    )


def test_the_first_generation_has_none_and_an_older_version_carried_nothing() -> None:
    assert Opening.read({"origin": f"{BASE}/1", "school": "B113299900018"}) is None
    older = {name: value for name, value in CONTENT.items() if name not in ("carried", "peer")}
    opening = Opening.read(older | {"reason": "restored"})
    assert opening is not None
    assert (opening.reason, opening.peer, opening.first, opening.count) == (Reason.RESTORED, None, 9, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"reason": "for fun"},
        {"reason": 1},
        {"origin": 3},
        {"previous": None},
        {"previous": HEAD | {"root": ROOT[1:]}},
        {"previous": HEAD | {"size": -1}},
        {"previous": HEAD | {"size": True}},
        {"previous": {"origin": f"{BASE}/1"}},
        {"peer": [1]},
        {"carried": {"first": 5}},
        {"carried": {"first": 5, "count": -4}},
        {"carried": "4"},
    ],
)
def test_what_says_it_wrongly_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(OpeningError):
        Opening.read(CONTENT | change)
