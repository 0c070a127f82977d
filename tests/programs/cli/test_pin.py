import os
import pty
import subprocess
import sys
import time

import pytest

from appliance.programs.cli.pin import MOST_BYTES, PinSourceError, read_pin


def piped(*parts: bytes) -> bytearray:
    reading, writing = os.pipe()
    try:
        for part in parts:
            os.write(writing, part)
        os.close(writing)
        return read_pin(reading, "PIN: ")
    finally:
        os.close(reading)


@pytest.mark.parametrize("typed", [b"1234", b"1234\n", b"1234\r\n", b"1234\nmore", b"1234\r"])
def test_a_pin_ends_with_the_line_or_the_input(typed: bytes) -> None:
    assert piped(typed) == bytearray(b"1234")


def test_an_empty_input_is_an_empty_pin() -> None:
    assert piped() == bytearray()
    assert piped(b"\n") == bytearray()


def test_a_longer_input_is_cut_not_taken_for_a_pin() -> None:
    assert len(piped(b"1" * 500)) == MOST_BYTES


def test_a_descriptor_that_is_not_open() -> None:
    with pytest.raises(PinSourceError) as caught:
        read_pin(987, "PIN: ")
    assert caught.value.fields == {"reason": "OSError", "descriptor": 987}


def test_what_is_typed_at_a_terminal_is_not_shown() -> None:
    program = "from appliance.programs.cli.pin import read_pin; print('got', len(read_pin(None, 'PIN: ')))"
    ours, theirs = pty.openpty()
    # setsid makes the terminal the one that /dev/tty means in there.
    command = ["setsid", "--ctty", "--wait", sys.executable, "-c", program]
    asking = subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = b""
    while b"PIN: " not in shown:
        shown += os.read(ours, 100)
    time.sleep(0.1)
    os.write(ours, b"4719\n")
    while b"got 4" not in shown:
        shown += os.read(ours, 100)
    asking.wait(10)
    os.close(ours)
    assert b"got 4" in shown
    assert b"4719" not in shown


def test_without_a_terminal_nobody_is_asked() -> None:
    program = "from appliance.programs.cli.pin import read_pin; read_pin(None, 'PIN: ')"
    ran = subprocess.run(
        [sys.executable, "-c", program], stdin=subprocess.DEVNULL, capture_output=True, start_new_session=True
    )
    assert b"PinSourceError" in ran.stderr
