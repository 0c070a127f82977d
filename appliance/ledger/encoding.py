"""Deterministic CBOR (RFC 8949 section 4.2.1): one value has exactly one encoding, so hashes can be compared.

Allowed: whole numbers of at most 64 bits, texts, bytes, booleans, null, lists, and maps with numbers, texts or bytes as
keys. Floating point, tags and indefinite lengths are refused both ways.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache
from operator import itemgetter
from typing import Any, NoReturn

import cbor2

from appliance.errors import UntrustedError

MAX_DEPTH = 64
SMALLEST, LARGEST = -(1 << 64), (1 << 64) - 1
NEGATIVE, BYTES, TEXT, LIST, MAP, TAG = 1, 2, 3, 4, 5, 6
FALSE, TRUE, NULL = b"\xf4", b"\xf5", b"\xf6"
MANY = 256
WORD_LENGTH = 32
FIRST_WIDE, FIRST_RESERVED = 24, 28
Value = int | str | bytes | bool | None | list["Value"] | dict[Any, "Value"]


class EncodingError(UntrustedError):
    """Bytes that are not CBOR, or not the one deterministic encoding of their value."""

    code = "ledger.encoding"


def encode(value: Any) -> bytes:
    """The deterministic encoding; raises ``EncodingError`` for a kind of value that the ledger does not know."""
    try:
        return _WRITERS[type(value)](value)
    except KeyError as error:
        raise EncodingError(reason=f"{error.args[0].__name__} has no place in a record") from None


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


common_unsigned = lru_cache(maxsize=4096)(unsigned)
"""The same for numbers that come again and again."""


def _refuse_tag(*_: object) -> NoReturn:
    raise cbor2.CBORDecodeError("a tag")


# The tags that the library would act on: dates, huge numbers, patterns, mail, shared and cyclic values. It leaves any
# other tag as an object that ``encode`` does not know.
_KNOWN_TAGS = (0, 1, 2, 3, 4, 5, 25, 28, 29, 30, 35, 36, 37, 52, 54, 100, 256, 258, 260, 261, 1004, 43000, 55799)
_NO_TAGS = dict.fromkeys(_KNOWN_TAGS, _refuse_tag)


# Each kind of value is written by a small function. That is twice as fast as checking the kinds and bringing the maps
# into order for the library, which has another order and other limits.


def _head(kind: int, number: int) -> bytes:
    """The head of an item: its major type and, in the shortest form, a number or how much follows."""
    first, *rest = unsigned(number)
    return bytes([kind << 5 | first, *rest])


def _write_number(number: int) -> bytes:
    if 0 <= number < 24:
        return _SHORTEST[number]
    if SMALLEST <= number <= LARGEST:
        return unsigned(number) if number >= 0 else _head(NEGATIVE, -1 - number)
    raise EncodingError(reason="a number of more than 64 bits has no place in a record")


def _write_bytes(data: bytes) -> bytes:
    size = len(data)
    return (_BYTES_HEADS[size] if size < MANY else _head(BYTES, size)) + data


def _write_text(text: str) -> bytes:
    return _write_word(text) if len(text) <= WORD_LENGTH else _write_long_text(text)


def _write_long_text(text: str) -> bytes:
    try:
        data = text.encode()
    except UnicodeEncodeError as error:
        raise EncodingError(reason="a text that is not Unicode has no place in a record") from error
    return _head(TEXT, len(data)) + data


# Records say the same few words again and again.
_write_word = lru_cache(maxsize=512)(_write_long_text)


def _write_list(items: Sequence[Any]) -> bytes:
    return _head(LIST, len(items)) + b"".join([_WRITERS[type(one)](one) for one in items])


def _write_map(items: dict[Any, Any]) -> bytes:
    head, order = _plan(*items)
    parts = [head]
    for key, written in order:
        one = items[key]
        parts.append(written)
        parts.append(_WRITERS[type(one)](one))
    return b"".join(parts)


@lru_cache(maxsize=512, typed=True)
def _plan(*keys: Any) -> tuple[bytes, tuple[tuple[Any, bytes], ...]]:
    """The head of a map with these keys, and the keys with their encoding in the order of section 4.2.1: by the bytes
    of the encoded keys, not by their length first. Records share few sets of keys, so this is found out once; the
    cache looks at the keys' kinds, too, because otherwise 1 and true are the same key."""
    if not _KEYS.issuperset(map(type, keys)):
        raise EncodingError(reason="a key that is no number, text or bytes has no place in a record")
    return _head(MAP, len(keys)), tuple(sorted(((key, encode(key)) for key in keys), key=itemgetter(1)))


_KEYS = frozenset((int, str, bytes))
_SHORTEST = [bytes([number]) for number in range(24)]
_BYTES_HEADS = [_head(BYTES, size) for size in range(MANY)]
# By the exact type: to Python true is a number, too.
_WRITERS: dict[type, Callable[[Any], bytes]] = {
    int: _write_number,
    str: _write_text,
    bytes: _write_bytes,
    bool: lambda value: TRUE if value else FALSE,
    type(None): lambda _: NULL,
    list: _write_list,
    tuple: _write_list,
    dict: _write_map,
}
