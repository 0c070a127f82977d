"""Lines and raw bytes over one socket, however they are cut and however slowly they come."""

import socket
import threading
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.card.lines import MAX_LINE_BYTES, MAX_SECRET_BYTES, LineReader, RequestError, decoded
from tests.card.table import quietly


def pair() -> tuple[socket.socket, socket.socket]:
    ours, theirs = socket.socketpair()
    ours.settimeout(5)
    theirs.settimeout(5)
    return ours, theirs


@quietly
@given(
    lines=st.lists(st.binary(max_size=200).filter(lambda one: b"\n" not in one), min_size=1, max_size=8),
    raw=st.binary(max_size=MAX_SECRET_BYTES),
    cuts=st.lists(st.integers(1, 50), max_size=20),
)
def test_lines_and_raw_bytes_arrive_however_they_are_cut(lines: list[bytes], raw: bytes, cuts: list[int]) -> None:
    ours, theirs = pair()
    stream = b"\n".join(lines) + b"\n" + raw + b"end\n"
    with ours, theirs:

        def send() -> None:
            rest = stream
            for cut in cuts:
                ours.sendall(rest[:cut])
                rest = rest[cut:]
            ours.sendall(rest)

        sender = threading.Thread(target=send)
        sender.start()
        reader = LineReader(theirs)
        assert [reader.line() for _ in lines] == lines
        assert reader.take(len(raw)) == bytearray(raw)
        assert reader.line() == b"end"
        sender.join()


def test_taken_bytes_are_wiped_from_the_buffer() -> None:
    ours, theirs = pair()
    with ours, theirs:
        ours.sendall(b'{"op":"open"}\n4711{"op":"leave"}\n')
        reader = LineReader(theirs)
        reader.line()
        assert reader.take(4) == bytearray(b"4711")
        assert b"4711" not in bytes(reader._buffer)
        assert reader.line() == b'{"op":"leave"}'
        assert not any(reader._buffer)


@pytest.mark.parametrize("end", [b"", b"\n"])
def test_a_line_too_long_is_refused(end: bytes) -> None:
    ours, theirs = pair()
    with ours, theirs:
        ours.sendall(b"x" * (MAX_LINE_BYTES + 1) + end)
        with pytest.raises(RequestError):
            LineReader(theirs).line()


def test_a_peer_that_hangs_up_gives_nothing() -> None:
    ours, theirs = pair()
    with theirs:
        with ours:
            ours.sendall(b"half a li")
        reader = LineReader(theirs)
        assert reader.line() is None
        assert reader.take(16) is None


@quietly
@given(st.binary(max_size=300))
def test_any_line_is_an_object_or_refused(line: bytes) -> None:
    try:
        message = decoded(line)
    except RequestError:
        return
    assert isinstance(message, dict)


@pytest.mark.parametrize("line", [b"", b"[]", b"1", b"null", b'"x"', b"{", b"[" * 4000, b"{" * 4000, b"\xff\xfe"])
def test_what_is_no_object_is_refused(line: bytes) -> None:
    with pytest.raises(RequestError):
        decoded(line)


@pytest.mark.parametrize("take", [False, True])
def test_what_comes_in_small_parts_must_still_be_whole_in_time(take: bool) -> None:
    ours, theirs = pair()
    with ours, theirs:
        over = threading.Event()

        def drip() -> None:
            while not over.wait(0.02):
                ours.sendall(b"[")

        dripping = threading.Thread(target=drip)
        dripping.start()
        reader, began = LineReader(theirs), time.monotonic()
        with pytest.raises(TimeoutError):
            _ = reader.take(MAX_SECRET_BYTES, within_s=0.2) if take else reader.line(within_s=0.2)
        assert 0.15 < time.monotonic() - began < 2
        over.set()
        dripping.join()
        assert theirs.gettimeout() == 5
