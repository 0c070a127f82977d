"""The parts of a message, read with a look at each: what is not of its form is a ``TypeError`` or ``ValueError``.

Every kind of message reads its parts with these, and ``wire.unpack`` says ``MalformedError`` for all of them.
"""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

MAX_NUMBER = 1 << 63
MAX_ITEMS = 1 << 16


def differences(values: list[int]) -> list[int]:
    return [second - first for first, second in pairwise([0, *values])]


def sums(value: Any) -> list[int]:
    """The numbers of which ``value`` has the differences."""
    found, total = [], 0
    for one in listed(value):
        if type(one) is not int:
            raise TypeError
        total += one
        found.append(number(total))
    return found


def chunks(data: bytes, width: int, count: int) -> Iterator[bytes]:
    if len(data) != width * count:
        raise ValueError
    return iter([data[at : at + width] for at in range(0, len(data), width)])


def listed(value: Any) -> list[Any]:
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise TypeError
    return value


def numbers(value: Any) -> list[int]:
    return [number(one) for one in listed(value)]


def number(value: Any) -> int:
    if type(value) is not int or not 0 <= value < MAX_NUMBER:
        raise TypeError
    return value


def text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def octets(value: Any) -> bytes:
    if not isinstance(value, bytes):
        raise TypeError
    return value
