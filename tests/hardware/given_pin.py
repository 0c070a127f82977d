"""The PIN that a person gave, handed out so that a mistyped one costs one try and never two."""

from collections.abc import Iterator
from contextlib import contextmanager

from appliance.card.apdu import wipe


class PinInDoubtError(RuntimeError):
    """The PIN was sent before and the card did not take it, or nobody knows whether it did."""


class GivenPin:
    """Takes the buffer over. Prints as ``<pin>``."""

    def __init__(self, pin: bytearray) -> None:
        self._pin = pin
        self._in_doubt = False

    @contextmanager
    def once(self) -> Iterator[bytearray]:
        """A copy for one VERIFY, wiped at the end of the ``with``.

        Whatever escapes from there leaves the PIN in doubt; then, and while a copy is out, ``PinInDoubtError``.
        """
        if self._in_doubt:
            raise PinInDoubtError("the PIN is not sent again: the card did not take it, or did not say so")
        self._in_doubt = True
        copy = bytearray(self._pin)
        try:
            yield copy
            self._in_doubt = False
        finally:
            wipe(copy)

    def wrong(self) -> bytearray:
        """A PIN of the same form that is certainly another one; only ``wrong_secret`` may send it."""
        wrong = bytearray(self._pin)
        wrong[-1] = ord("0") + (wrong[-1] - ord("0") + 1) % 10
        return wrong

    def wipe(self) -> None:
        """The PIN is gone, and is not handed out any more."""
        self._in_doubt = True
        wipe(self._pin)

    def __repr__(self) -> str:
        return "<pin>"
