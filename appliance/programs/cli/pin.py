"""Takes a PIN from a pipe or a terminal into a buffer that can be wiped, never into a text or an argument."""

import os
import sys
import termios
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from appliance.card.apdu import wipe
from appliance.errors import ConfigError

MOST_BYTES: Final = 64  # far over any PIN: a longer input is refused for its form, not read to its end
LINE_ENDS: Final = b"\r\n"


class PinSourceError(ConfigError):
    """The descriptor cannot be read, or there is no terminal to ask at."""

    code = "cli.pin_source"


def read_pin(descriptor: int | None, prompt: str) -> bytearray:
    """The bytes up to the first end of line or of input; from the terminal, unseen, after the prompt for None.

    Raises ``PinSourceError``. Whether it looks like a PIN is for the caller to judge.
    """
    try:
        if descriptor is not None:
            return _read_line(descriptor)
        terminal = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY)
        try:
            with _unseen(terminal):
                os.write(terminal, prompt.encode())
                return _read_line(terminal)
        finally:
            os.close(terminal)
    except (OSError, termios.error) as error:
        raise PinSourceError(reason=type(error).__name__, descriptor=descriptor) from error


def _read_line(descriptor: int) -> bytearray:
    buffer, filled = bytearray(MOST_BYTES), 0
    try:
        with memoryview(buffer) as view:
            while filled < MOST_BYTES:
                with view[filled:] as free:
                    count = os.readv(descriptor, [free])
                filled += count
                if not count or any(end in buffer for end in LINE_ENDS):
                    break
        length = next((place for place in range(filled) if buffer[place] in LINE_ENDS), filled)
        pin = bytearray(length)
        for place in range(length):
            pin[place] = buffer[place]
        return pin
    finally:
        wipe(buffer)


@contextmanager
def _unseen(terminal: int) -> Iterator[None]:
    before = termios.tcgetattr(terminal)
    hidden = [*before]
    hidden[3] &= ~termios.ECHO
    termios.tcsetattr(terminal, termios.TCSAFLUSH, hidden)
    try:
        yield
    finally:
        termios.tcsetattr(terminal, termios.TCSAFLUSH, before)
        os.write(terminal, b"\n")
        sys.stdout.flush()
