"""Deterministic CBOR (RFC 8949 section 4.2.1): one value has exactly one encoding, so hashes can be compared.

Allowed: whole numbers of at most 64 bits, texts, bytes, booleans, null, lists, and maps with numbers, texts or bytes as
keys. Floating point, tags and indefinite lengths are refused both ways.
"""

from functools import lru_cache
from typing import Any, NoReturn

import cbor2

from appliance.errors import UntrustedError

MAX_DEPTH = 64
SMALLEST, LARGEST = -(1 << 64), (1 << 64) - 1
BYTES, TEXT, LIST, MAP, TAG = 2, 3, 4, 5, 6
FIRST_WIDE, FIRST_RESERVED = 24, 28
Value = int | str | bytes | bool | None | list["Value"] | dict[Any, "Value"]


class EncodingError(UntrustedError):
    """Bytes that are not CBOR, or not the one deterministic encoding of their value."""

    code = "ledger.encoding"


def encode(value: Any) -> bytes:
    """The deterministic encoding; raises ``EncodingError`` for a kind of value that the ledger does not know."""
    return cbor2.dumps(_ordered(value))


def decode(data: bytes) -> Any:
    """The value of exactly these bytes; raises ``EncodingError`` if ``encode`` would not give them back."""
    value = parse(data)
    if encode(value) != data:
        raise EncodingError(reason="not deterministic")
    return value


def parse(data: bytes) -> Any:
    """The value of these bytes, for who then compares them with the one encoding; raises ``EncodingError``."""
    try:
        return cbor2.loads(
            data,
            semantic_decoders=_NO_TAGS,
            max_depth=MAX_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
        )
    except (cbor2.CBORDecodeError, UnicodeDecodeError, OverflowError, MemoryError, RecursionError) as error:
        raise EncodingError(reason="not CBOR") from error


def item_end(data: bytes | bytearray, start: int) -> int | None:
    """Where the item that begins at ``start`` ends, None if that is beyond the end of the data; looks at heads only.

    Raises ``EncodingError`` for a length that is not given at the start (RFC 8949 section 3.2).
    """
    at, items = start, 1
    while items:
        if at >= len(data):
            return None
        kind, number = data[at] >> 5, data[at] & 31
        at += 1
        if number >= FIRST_RESERVED:
            raise EncodingError(reason="not CBOR")
        if number >= FIRST_WIDE:
            width = 1 << number - FIRST_WIDE
            number = int.from_bytes(data[at : at + width])
            at += width
        items += (number if kind == LIST else 2 * number if kind == MAP else 1 if kind == TAG else 0) - 1
        at += number if kind in (BYTES, TEXT) else 0
    return at if at <= len(data) else None


def unsigned(number: int) -> bytes:
    """The encoding of an unsigned number (RFC 8949 section 3, major type 0): the shortest head that holds it."""
    if 0 <= number < 24:
        return _SHORTEST[number]
    if not 0 <= number <= LARGEST:
        raise EncodingError(reason="not an unsigned number of 64 bits")
    if number < 1 << 8:
        return b"\x18" + number.to_bytes(1)
    if number < 1 << 16:
        return b"\x19" + number.to_bytes(2)
    return b"\x1a" + number.to_bytes(4) if number < 1 << 32 else b"\x1b" + number.to_bytes(8)


def _refuse_tag(*_: object) -> NoReturn:
    raise cbor2.CBORDecodeError("a tag")


# The tags that the library would act on: dates, huge numbers, patterns, mail, shared and cyclic values. It leaves any
# other tag as an object that ``encode`` does not know.
_KNOWN_TAGS = (0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)
_NO_TAGS = dict.fromkeys(_KNOWN_TAGS, _refuse_tag)


def _ordered(value: Any) -> Any:
    kind = type(value)
    if kind in _PLAIN:
        return value
    if kind is int:
        return _bounded(value)
    if kind is dict:
        order, ordered, numbers = _plan(tuple(value), tuple(map(type, value)), tuple(map(type, value.values())))
        if numbers is None:
            return {key: _ordered(value[key]) for key in order}
        for key in numbers:
            _bounded(value[key])
        return value if ordered else {key: value[key] for key in order}
    if kind is list or kind is tuple:
        return [_ordered(one) for one in value]
    raise EncodingError(reason=f"{kind.__name__} has no place in a record")


def _bounded(number: int) -> int:
    if SMALLEST <= number <= LARGEST:
        return number
    raise EncodingError(reason="a number of more than 64 bits has no place in a record")


@lru_cache(maxsize=512)
def _plan(
    keys: tuple[Any, ...], key_kinds: tuple[type, ...], kinds: tuple[type, ...]
) -> tuple[tuple[Any, ...], bool, tuple[Any, ...] | None]:
    """The order of a map's keys; whether they are in it; which values are numbers, None if one needs a closer look.

    Section 4.2.1 orders by the bytes of the encoded keys, not by their length first. Records share few sets of keys
    and kinds of values, so this is found out once; the keys' kinds are given because to a cache 1 and true are the
    same key.
    """
    if not _KEYS.issuperset(key_kinds):
        raise EncodingError(reason="a key that is no number, text or bytes has no place in a record")
    for key in keys:
        if type(key) is int:
            _bounded(key)
    order = tuple(sorted(keys, key=cbor2.dumps))
    flat = all(kind in _PLAIN or kind is int for kind in kinds)
    numbers = tuple(key for key, kind in zip(keys, kinds, strict=True) if kind is int) if flat else None
    return order, order == keys, numbers


_PLAIN = frozenset((str, bytes, bool, type(None)))
_KEYS = frozenset((int, str, bytes))
_SHORTEST = [bytes([number]) for number in range(24)]
