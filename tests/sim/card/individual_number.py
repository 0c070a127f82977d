"""The individual number (個人番号): its check digit, and finding one where it must never be.

Twelve digits, the last one a check digit: 平成26年総務省令第85号 第5条. Numbers made here are drawn at random for
cards that nobody holds.
"""

import random
import re
from collections.abc import Iterator

DIGITS = 12
# Twelve digits in one, or in three groups of four as on the card, in half or full width. Where Latin letters, digits or
# a decimal point adjoin it is something else: a school code (B and twelve digits), a time stamp (13 digits and more, or
# twelve and Z in a certificate), part of a key in hexadecimal, a fraction.
ADJOINING = "0-9A-Za-z\uff10-\uff19\uff21-\uff3a\uff41-\uff5a"
WRITTEN = re.compile(
    rf"(?<![{ADJOINING}])(?<!\d\.)"
    r"(\d{4})([ \-\u3000\u2010-\u2015\u30fc]?)(\d{4})\2(\d{4})"
    rf"(?![{ADJOINING}]|\.\d)"
)


def check_digit(eleven: str) -> int:
    """Of the first eleven digits."""
    # The nth digit from the right weighs n + 1 up to the sixth, n - 5 after it.
    weights = [n + 1 if n <= 6 else n - 5 for n in range(1, 12)]
    rest = sum(int(digit) * weight for digit, weight in zip(reversed(eleven), weights, strict=True)) % 11
    return 0 if rest <= 1 else 11 - rest


def make(source: random.Random) -> str:
    """Some number with a right check digit."""
    eleven = "".join(source.choices("0123456789", k=DIGITS - 1))
    return f"{eleven}{check_digit(eleven)}"


def found_in(text: str) -> Iterator[str]:
    """Everything in a text that a person or a program would take for an individual number: about one in eleven of all
    numbers with twelve digits is one."""
    for found in WRITTEN.finditer(text):
        around = text[found.start() - 1 : found.start()], text[found.end() : found.end() + 1]
        if found[2] == "-" and "-" in around:  # the middle of a UUID
            continue
        number = "".join(str(int(digit)) for digit in found[1] + found[3] + found[4])
        if check_digit(number[:-1]) == int(number[-1]):
            yield number


def forms(number: str) -> dict[str, bytes]:
    """How a program may have written down a number that is known: as text, packed, or as a whole number."""
    return {
        "text": number.encode(),
        "UTF-16": number.encode("utf-16-le"),
        "full width": "".join(chr(ord(digit) + 0xFEE0) for digit in number).encode(),
        "packed decimal": bytes.fromhex(number),
        "hexadecimal of text": number.encode().hex().encode(),
        "whole number": int(number).to_bytes(5),
        "whole number, little-endian": int(number).to_bytes(5, "little"),
    }
