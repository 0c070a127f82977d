"""One-time codes that staff print and a guardian types on a number pad, to link a card the first time.

Eight digits, shown as ``1234 5671``. The last one is a check digit by the Damm algorithm (H. M. Damm, "Total
anti-symmetrische Quasigruppen", Marburg 2004), which finds every single wrong digit and every swap of neighbours: so a
slip of the finger is told apart from a code that nobody was given, and is not counted as an attempt. An individual
number has twelve digits, so no code can be one and none is taken for one.

A guess hits one of 10,000,000 codes. With 400 codes open and the limit of a day used up every day for the life of a
code, the chance to find one is 1.7 %, at a kiosk that has already seen the guesser's card and PIN.
"""

import hashlib
import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from appliance.errors import RefusedError

CODE_DIGITS = 8
VALID_MS = 14 * 24 * 60 * 60 * 1000
TRIES_PER_VISIT = 3
TRIES_PER_HOUR = 10
TRIES_PER_DAY = 30
DOMAIN = b"madoguchi link code v1\0"
LEAST_KEY_BYTES = 16

DAMM = (
    (0, 3, 1, 7, 5, 9, 8, 6, 4, 2),
    (7, 0, 9, 2, 1, 5, 4, 8, 6, 3),
    (4, 2, 0, 6, 8, 7, 1, 3, 5, 9),
    (1, 7, 5, 0, 9, 8, 3, 4, 2, 6),
    (6, 1, 2, 3, 0, 4, 5, 9, 7, 8),
    (3, 6, 7, 4, 2, 0, 9, 5, 8, 1),
    (5, 8, 6, 9, 7, 2, 0, 1, 3, 4),
    (8, 9, 4, 5, 3, 6, 2, 0, 1, 7),
    (9, 4, 3, 8, 6, 1, 7, 2, 0, 5),
    (2, 5, 8, 1, 4, 3, 6, 7, 9, 0),
)
"""The quasigroup of order 10: the check digit is what leads the digits so far to 0."""

# What a keyboard, a copied text or an input method may put between or instead of the digits.
GAPS = " \t\u00a0\u2009\u202f\u3000-\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u30fc\uff0d"
PLAIN = str.maketrans({chr(0xFF10 + digit): str(digit) for digit in range(10)} | dict.fromkeys(GAPS, ""))


class LinkCodeError(RefusedError):
    """The code does not link; nothing was linked and nothing was used up."""

    code = "link.code"


class CodeFormError(LinkCodeError):
    """Not eight digits; ``digits`` says how many were found."""

    code = "link.code_form"


class CodeCheckError(LinkCodeError):
    """Eight digits that no printed code can have: a typing mistake, not counted as an attempt."""

    code = "link.code_check"


class CodeUnknownError(LinkCodeError):
    """A well-formed code that this school did not give out; counts as an attempt."""

    code = "link.code_unknown"


class CodeExpiredError(LinkCodeError):
    code = "link.code_expired"


class CodeUsedError(LinkCodeError):
    code = "link.code_used"


class CodeWithdrawnError(LinkCodeError):
    """Staff printed a newer code for the same guardian, or took this one back."""

    code = "link.code_withdrawn"


class TooManyCodesError(LinkCodeError):
    """``within`` is the limit that was reached: ``visit``, ``hour`` or ``day``."""

    code = "link.too_many"


@dataclass(frozen=True, slots=True)
class LinkCode:
    """A well-formed code. Its digits are kept out of ``repr``, so that no log or traceback shows them."""

    digits: str = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.digits) != CODE_DIGITS or not (self.digits.isascii() and self.digits.isdigit()):
            raise CodeFormError(digits=len(self.digits))
        if _damm(self.digits) != 0:
            raise CodeCheckError()

    @property
    def shown(self) -> str:
        """As it stands on paper: two groups of four."""
        return f"{self.digits[:4]} {self.digits[4:]}"


class IssuedCode(Protocol):
    """What the box keeps of a code. Times are milliseconds since 1970; None is "not so far"."""

    @property
    def expires_ms(self) -> int: ...
    @property
    def used_ms(self) -> int | None: ...
    @property
    def withdrawn_ms(self) -> int | None: ...


def make_link_code(random: Callable[[int], int]) -> LinkCode:
    """A new code; ``random(n)`` gives a number from 0 to n - 1 (``secrets.randbelow`` in the product)."""
    payload = f"{random(10 ** (CODE_DIGITS - 1)):0{CODE_DIGITS - 1}d}"
    return LinkCode(payload + str(_damm(payload)))


def parse_link_code(text: str) -> LinkCode:
    """The code that a person typed, with or without gaps, in narrow or full-width digits.

    Raises ``CodeFormError`` or ``CodeCheckError``; neither repeats what was typed.
    """
    return LinkCode(text.translate(PLAIN))


def digest(code: LinkCode, key: bytes) -> bytes:
    """HMAC-SHA-256 of the code under the school's key, 32 bytes: the only form in which the box keeps a code.

    The key is needed because 10,000,000 plain hashes are tried in a second.
    """
    if len(key) < LEAST_KEY_BYTES:
        raise ValueError(f"a key of at least {LEAST_KEY_BYTES} bytes is needed")
    return hmac.new(key, DOMAIN + code.digits.encode(), hashlib.sha256).digest()


def expiry_ms(issued_ms: int) -> int:
    """When a code printed at ``issued_ms`` ends; at that millisecond it is no longer good."""
    return issued_ms + VALID_MS


def check_code(issued: IssuedCode | None, now_ms: int) -> None:
    """Raises unless the code may be used now: unknown, used, withdrawn, expired are asked in this order."""
    if issued is None:
        raise CodeUnknownError()
    if issued.used_ms is not None:
        raise CodeUsedError()
    if issued.withdrawn_ms is not None:
        raise CodeWithdrawnError()
    if now_ms >= issued.expires_ms:
        raise CodeExpiredError()


def check_attempts(*, this_visit: int, last_hour: int, last_day: int) -> None:
    """Raises ``TooManyCodesError`` if no further code may be tried after so many wrong ones.

    Asked before a code is looked up, so that a guesser who goes on learns nothing, not even from a right code.
    """
    limits = {"visit": (this_visit, TRIES_PER_VISIT), "hour": (last_hour, TRIES_PER_HOUR)}
    for within, (wrong, most) in (limits | {"day": (last_day, TRIES_PER_DAY)}).items():
        if wrong >= most:
            raise TooManyCodesError(within=within)


def _damm(digits: str) -> int:
    state = 0
    for digit in digits:
        state = DAMM[state][int(digit)]
    return state
