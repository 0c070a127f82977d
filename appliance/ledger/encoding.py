"""Deterministic CBOR (RFC 8949 section 4.2.1): one value has exactly one encoding, so hashes can be compared.

Allowed: whole numbers, texts, bytes, booleans, null, lists and maps of these. Floating point, tags and indefinite
lengths are refused both ways.
"""

from typing import Any

import cbor2

from appliance.errors import UntrustedError

Value = int | str | bytes | bool | None | list["Value"] | dict[Any, "Value"]


class EncodingError(UntrustedError):
    """Bytes that are not CBOR, or not the one deterministic encoding of their value."""

    code = "ledger.encoding"


def encode(value: Any) -> bytes:
    """The deterministic encoding; raises ``EncodingError`` for a kind of value that the ledger does not know."""
    return cbor2.dumps(_ordered(value))


def decode(data: bytes) -> Any:
    """The value of exactly these bytes; raises ``EncodingError`` if ``encode`` would not give them back."""
    try:
        value = cbor2.loads(data)
    except (cbor2.CBORDecodeError, UnicodeDecodeError, OverflowError, MemoryError, RecursionError) as error:
        raise EncodingError(reason="not CBOR") from error
    if encode(value) != data:
        raise EncodingError(reason="not deterministic")
    return value


def _ordered(value: Any) -> Any:
    if isinstance(value, dict):
        # Section 4.2.1 orders by the bytes of the encoded keys, not by their length first.
        return {key: _ordered(value[key]) for key in sorted(value, key=cbor2.dumps)}
    if isinstance(value, list | tuple):
        return [_ordered(one) for one in value]
    if value is None or isinstance(value, int | str | bytes):
        return value
    raise EncodingError(reason=f"{type(value).__name__} has no place in a record")
