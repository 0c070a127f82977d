"""Deterministic CBOR, section 1 of docs/ledger.md, and how something is refused."""

from typing import Any, NoReturn


class RefusedError(Exception):
    """Not what it should be; the text says which rule was broken."""


def refuse(rule: str) -> NoReturn:
    raise RefusedError(rule)


def need(holds: bool, rule: str) -> None:
    if not holds:
        refuse(rule)


def read_item(data: bytes, at: int) -> tuple[Any, int]:
    """One deterministic CBOR item and where it ends."""
    need(at < len(data), "cut")
    major, number = data[at] >> 5, data[at] & 31
    at += 1
    if major == 7:
        need(number in (20, 21, 22), "only false, true and null")
        return {20: False, 21: True, 22: None}[number], at
    need(number < 28, "length at the beginning")
    if number >= 24:
        width = 1 << (number - 24)
        need(at + width <= len(data), "cut")
        number = int.from_bytes(data[at : at + width], "big")
        at += width
        need(number >= (24 if width == 1 else 1 << (4 * width)), "shortest head")
    if major == 0:
        return number, at
    if major == 1:
        return -1 - number, at
    if major in (2, 3):
        need(at + number <= len(data), "cut")
        raw = data[at : at + number]
        return raw if major == 2 else text_of(raw), at + number
    if major == 4:
        items = []
        for _ in range(number):
            item, at = read_item(data, at)
            items.append(item)
        return items, at
    need(major == 5, "no tags")
    found: dict[Any, Any] = {}
    before = b""
    for _ in range(number):
        start = at
        key, at = read_item(data, at)
        need(type(key) in (int, str, bytes) and before < data[start:at], "keys of a kind that may be, in order")
        before = data[start:at]
        found[key], at = read_item(data, at)
    return found, at


def text_of(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        refuse("UTF-8")


def read(data: bytes) -> Any:
    """The one item that these bytes are."""
    try:
        value, end = read_item(data, 0)
    except RecursionError:
        refuse("too deep")
    need(end == len(data), "nothing after the item")
    return value


def head(major: int, number: int) -> bytes:
    if number < 24:
        return bytes([major << 5 | number])
    width = next(one for one in (1, 2, 4, 8) if number < 1 << 8 * one)
    return bytes([major << 5 | {1: 24, 2: 25, 4: 26, 8: 27}[width]]) + number.to_bytes(width, "big")


def byte_string(data: bytes) -> bytes:
    return head(2, len(data)) + data


def is_number(value: Any) -> bool:
    return type(value) is int and value >= 0
