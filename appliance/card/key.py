"""The two keys of the application and what opens each: the PIN of four digits, the password of six to sixteen signs.

A secret is checked for its form before the card hears of it: a slip of the finger must not cost one of few tries.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, unique
from typing import Final

from appliance.errors import RefusedError

PIN_DIGITS: Final = 4
LEAST_PASSWORD, MOST_PASSWORD = 6, 16
_DIGITS = range(0x30, 0x3A)
_CAPITALS = range(0x41, 0x5B)
_SMALL = range(0x61, 0x7B)


class PinFormError(RefusedError):
    """Not four digits; the card was not asked."""

    code = "card.pin_form"


class WrongPinError(RefusedError):
    code = "card.wrong_pin"


class LastTryError(RefusedError):
    """One try is left and nobody said yes to risking it; the card was not asked."""

    code = "card.last_try"


class LockedError(RefusedError):
    """No try is left, or the PIN was locked on purpose; the municipal counter lifts the lock."""

    code = "card.locked"


class PasswordFormError(RefusedError):
    """Not six to sixteen letters A to Z and digits; the card was not asked."""

    code = "card.password_form"


class WrongPasswordError(RefusedError):
    code = "card.wrong_password"


class PasswordLastTryError(RefusedError):
    """As ``LastTryError``, for the signature key."""

    code = "card.password_last_try"


class PasswordLockedError(RefusedError):
    """As ``LockedError``, for the signature key."""

    code = "card.password_locked"


@dataclass(frozen=True)
class Secret:
    """What opens a key: ``ready`` checks its form in place, ``tries`` is the counter after the right one."""

    tries: int
    ready: Callable[[bytearray], None]
    wrong: type[RefusedError]
    last_try: type[RefusedError]
    locked: type[RefusedError]


def ready_pin(pin: bytearray) -> None:
    """Raises ``PinFormError`` unless it is four ASCII digits."""
    if len(pin) != PIN_DIGITS or not all(one in _DIGITS for one in pin):
        raise PinFormError(digits=PIN_DIGITS)


def ready_password(password: bytearray) -> None:
    """Makes small letters capital where they lie, as the card has them registered: it compares bytes.

    Raises ``PasswordFormError`` unless it is six to sixteen ASCII letters and digits then.
    """
    for place, one in enumerate(password):
        if one in _SMALL:
            password[place] = one - 0x20
    if not LEAST_PASSWORD <= len(password) <= MOST_PASSWORD or not all(
        one in _DIGITS or one in _CAPITALS for one in password
    ):
        raise PasswordFormError(least=LEAST_PASSWORD, most=MOST_PASSWORD)


@unique
class Key(Enum):
    """A key by the EF ids of the private key, of the secret that opens it, and of its certificate."""

    AUTHENTICATION = (0x0017, 0x0018, 0x000A)
    SIGNATURE = (0x001A, 0x001B, 0x0001)

    @property
    def key(self) -> int:
        return self.value[0]

    @property
    def pin(self) -> int:
        return self.value[1]

    @property
    def certificate(self) -> int:
        return self.value[2]

    @property
    def secret(self) -> Secret:
        return PIN if self is Key.AUTHENTICATION else PASSWORD


PIN: Final = Secret(3, ready_pin, WrongPinError, LastTryError, LockedError)
PASSWORD: Final = Secret(5, ready_password, WrongPasswordError, PasswordLastTryError, PasswordLockedError)
