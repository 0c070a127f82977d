"""The box's keys as lines on paper, for the board's safe: how they come back when the TPM or the disk is gone.

Each key has 32 bytes; three bytes of SHA-256 over its name and itself follow, and these 280 bits are two lines of 28
symbols in Crockford's Base32, which has no I, L, O and U. Every line ends with one check symbol, computed over the
line's number as well: it finds any one wrong symbol, any two that changed places, and a line typed in place of
another. What gets past it (one of 32 other mistakes) is found by the three bytes.
"""

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from appliance.errors import RefusedError
from appliance.ledger.archive_keys import ArchiveSigningKey
from appliance.ledger.keys import KeyFormError, SigningKey
from appliance.services.founding import ARCHIVE_KEY, DATABASE_KEY, DEVICE_KEY, LINE_KEY, STAFF_KEY
from appliance.store.database import KEY_BYTES

RECOVERED: Final = (DATABASE_KEY, DEVICE_KEY, LINE_KEY, STAFF_KEY, ARCHIVE_KEY)
SYMBOLS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MISREAD: Final = str.maketrans("ILO", "110")
DIGEST_BYTES: Final = 3
LINES_PER_KEY: Final = 2
LINES: Final = LINES_PER_KEY * len(RECOVERED)
OLD_LINES: Final = LINES_PER_KEY * RECOVERED.index(ARCHIVE_KEY)
"""So many has a paper that was printed before there was an archive key."""
DATA_SYMBOLS: Final = 28
GROUP: Final = 4
NUMBERED = re.compile(r"\s*(\d+)\s*[:.]\s*(.*)")


class RecoveryNumberError(RefusedError):
    """A line does not begin with its number and a colon, or there is no line of that number; ``row`` counts rows of
    the text."""

    code = "recovery.number"


class RecoverySymbolError(RefusedError):
    """A line holds a character that no recovery text has."""

    code = "recovery.symbol"


class RecoveryLengthError(RefusedError):
    """A line has too many or too few characters; spaces and hyphens do not count."""

    code = "recovery.length"


class RecoveryCheckError(RefusedError):
    """The check character of a line does not fit the rest: something in it is mistyped."""

    code = "recovery.check"


class RecoveryTwiceError(RefusedError):
    """Two lines have the same number and differ."""

    code = "recovery.twice"


class RecoveryMissingError(RefusedError):
    """Lines were left out."""

    code = "recovery.missing"


class RecoveryKeyError(RefusedError):
    """Every line of a key passes its own check, and together they are not what was printed."""

    code = "recovery.key"


def write_lines(keys: Mapping[str, bytes]) -> list[str]:
    """The lines for the keys of ``RECOVERED``; raises ``KeyFormError`` for a key that is none of a box."""
    lines: list[str] = []
    for name in RECOVERED:
        short = _shorten(name, keys[name])
        whole = _to_symbols(short + _digest(name, short))
        for part in (whole[:DATA_SYMBOLS], whole[DATA_SYMBOLS:]):
            number = len(lines) + 1
            groups = [part[at : at + GROUP] for at in range(0, DATA_SYMBOLS, GROUP)]
            lines.append(f"{number}: {' '.join([*groups, _check(number, part)])}")
    return lines


def read_keys(text: str) -> dict[str, bytes]:
    """The keys that ``write_lines`` wrote, from lines in any order; empty rows and such as begin with # are passed.
    Of an older paper they come without the archive key.

    Raises the errors above, each of which names the line.
    """
    found: dict[int, str] = {}
    for row, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        numbered = NUMBERED.fullmatch(unicodedata.normalize("NFKC", line))
        if numbered is None or not 1 <= int(numbered[1]) <= LINES:
            raise RecoveryNumberError(row=row, lines=LINES)
        number = int(numbered[1])
        data = read_line(number, numbered[2])
        if found.setdefault(number, data) != data:
            raise RecoveryTwiceError(line=number)
    return join_lines(found)


def read_line(number: int, typed: str) -> str:
    """The 28 symbols of a line, as the paper has them, from what somebody typed after its number.

    Raises ``RecoverySymbolError``, ``RecoveryLengthError`` or ``RecoveryCheckError``.
    """
    # A Japanese keyboard may have given full-width characters.
    plain = re.sub(r"[\s-]", "", unicodedata.normalize("NFKC", typed)).upper().translate(MISREAD)
    for symbol in plain:
        if symbol not in SYMBOLS:
            raise RecoverySymbolError(line=number, symbol=symbol)
    if len(plain) != DATA_SYMBOLS + 1:
        raise RecoveryLengthError(line=number, found=len(plain), wanted=DATA_SYMBOLS + 1)
    data, check = plain[:DATA_SYMBOLS], plain[DATA_SYMBOLS:]
    if _check(number, data) != check:
        raise RecoveryCheckError(line=number)
    return data


def join_lines(found: Mapping[int, str]) -> dict[str, bytes]:
    """The keys from the symbols of all lines, those of an older paper from ``OLD_LINES``.

    Raises ``RecoveryMissingError`` or ``RecoveryKeyError``.
    """
    lines = LINES if any(number > OLD_LINES for number in found) else OLD_LINES
    missing = [number for number in range(1, lines + 1) if number not in found]
    if missing:
        raise RecoveryMissingError(missing=", ".join(map(str, missing)))
    keys = {}
    for at, name in enumerate(RECOVERED[: lines // LINES_PER_KEY]):
        first = at * LINES_PER_KEY + 1
        whole = _from_symbols("".join(found[first + offset] for offset in range(LINES_PER_KEY)))
        short = whole[:KEY_BYTES]
        if whole[KEY_BYTES:] != _digest(name, short):
            raise RecoveryKeyError(first=first, last=first + LINES_PER_KEY - 1)
        keys[name] = _lengthen(name, short)
    return keys


def _shorten(name: str, key: bytes) -> bytes:
    if name == DATABASE_KEY:
        if len(key) != KEY_BYTES:
            raise KeyFormError(reason=f"the database key must have {KEY_BYTES} bytes")
        return key
    if name == ARCHIVE_KEY:
        return ArchiveSigningKey.from_pem(key).seed()
    SigningKey.from_pem(key)
    loaded = serialization.load_pem_private_key(key, None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise KeyFormError(reason="not a P-256 key")
    return loaded.private_numbers().private_value.to_bytes(KEY_BYTES)


def _lengthen(name: str, short: bytes) -> bytes:
    if name == DATABASE_KEY:
        return short
    if name == ARCHIVE_KEY:
        return ArchiveSigningKey.from_seed(short).pem()
    return SigningKey(ec.derive_private_key(int.from_bytes(short), ec.SECP256R1())).pem()


def _digest(name: str, short: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\0" + short).digest()[:DIGEST_BYTES]


def _to_symbols(data: bytes) -> str:
    number = int.from_bytes(data)
    return "".join(SYMBOLS[number >> shift & 31] for shift in range(len(data) * 8 - 5, -1, -5))


def _from_symbols(symbols: str) -> bytes:
    number = 0
    for symbol in symbols:
        number = number << 5 | SYMBOLS.index(symbol)
    return number.to_bytes(len(symbols) * 5 // 8)


def _check(number: int, data: str) -> str:
    """A Reed-Solomon symbol over GF(32) with x^5 + x^2 + 1: each place weighs another power of x, below x^31 = 1."""
    total = 0
    for value in (number, *map(SYMBOLS.index, data)):
        total = _double(total ^ value)
    return SYMBOLS[total]


def _double(value: int) -> int:
    return (value << 1 ^ (0b100101 if value & 16 else 0)) & 31
