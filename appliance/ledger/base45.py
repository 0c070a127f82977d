"""Base45 (RFC 9285): bytes as the characters that a QR code stores most densely.

Two bytes are three characters, a last single byte is two. The space is one of the digits, but never the last character
of a text: 65,535 and 255, the largest numbers, end in ``W`` and ``5``.
"""

from appliance.errors import RefusedError

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
GROUP = 3
VALUES = {digit: value for value, digit in enumerate(DIGITS)}


class Base45Error(RefusedError):
    """A text that is not the encoding of any bytes; ``place`` counts characters from 1."""

    code = "receipt.text"


def encode45(data: bytes) -> str:
    """The one text of these bytes."""
    out = []
    for at in range(0, len(data), 2):
        pair = data[at : at + 2]
        number = int.from_bytes(pair)
        for _ in range(len(pair) + 1):
            number, digit = divmod(number, 45)
            out.append(DIGITS[digit])
    return "".join(out)


def decode45(text: str) -> bytes:
    """The bytes of exactly this text; raises ``Base45Error`` with the place of the first group that is none."""
    good = whole_groups(text)
    if good < len(text):
        raise Base45Error(place=good + 1)
    groups = (text[at : at + GROUP] for at in range(0, len(text), GROUP))
    return b"".join(_number(group).to_bytes(len(group) - 1) for group in groups)


def whole_groups(text: str) -> int:
    """How many characters from the beginning on are groups of this encoding; the last group may have two."""
    for at in range(0, len(text), GROUP):
        group = text[at : at + GROUP]
        if len(group) == 1 or not all(one in VALUES for one in group) or _number(group) >= 1 << 8 * (len(group) - 1):
            return at
    return len(text)


def _number(group: str) -> int:
    return sum(VALUES[digit] * 45**power for power, digit in enumerate(group))
