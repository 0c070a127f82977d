"""A card may hand out an answer in portions, or want to be asked anew: what arrives is the same."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.card.connection import Chained, Meter, conversation
from appliance.card.files import ReaderTraits
from appliance.card.jpki import JpkiSession
from tests.card.table import quietly
from tests.fuzz.der import sequence
from tests.sim.card.apdu import parse

READ = bytes.fromhex("00B08A0000")


@dataclass
class Portioned:
    """Answers READ BINARY with part of a file and everything else with nothing, in portions of changing sizes.

    ``sizes`` and ``pedantic`` are gone through again and again: how much comes at once, and whether a wrong Le is
    answered with the right one instead.
    """

    file: bytes
    sizes: list[int]
    pedantic: list[bool]
    last: int = 0x9000
    turn: int = 0
    waiting: bytes = field(default=b"")

    def transmit(self, command: bytes | bytearray) -> tuple[bytes, int]:
        read = parse(bytes(command))
        if read.ins == 0xB0:
            offset = 0 if read.p1 & 0x80 else read.p1 << 8 | read.p2
            self.waiting = self.file[offset : offset + (read.le or 0)]
            return b"", self._announced()
        if read.ins != 0xC0:
            return b"", self.last
        self.turn += 1
        portion = self.waiting[: self.sizes[self.turn % len(self.sizes)]][: read.le]
        if self.pedantic[self.turn % len(self.pedantic)] and read.le != len(portion):
            self.turn -= 1
            return b"", 0x6C00 | len(portion) & 0xFF
        self.waiting = self.waiting[len(portion) :]
        return portion, self._announced()

    def _announced(self) -> int:
        return 0x6100 | min(len(self.waiting), 256) & 0xFF if self.waiting else self.last


sizes = st.lists(st.integers(1, 256), min_size=1, max_size=8)
habits = st.lists(st.booleans(), min_size=1, max_size=4)


@quietly
@given(st.binary(max_size=256), sizes, habits, st.sampled_from([0x9000, 0x6282, 0x6985]))
def test_an_answer_in_portions_is_the_answer(data: bytes, sizes: list[int], pedantic: list[bool], last: int) -> None:
    card = Portioned(data, sizes, pedantic, last)
    assert Chained(card).transmit(READ) == (data, last)


@quietly
@given(st.integers(300, 3000), sizes, habits, st.booleans())
def test_a_certificate_in_portions_is_the_certificate(
    length: int, sizes: list[int], pedantic: list[bool], extended: bool
) -> None:
    whole = sequence(bytes(number % 251 for number in range(length)))
    card = Portioned(whole + b"\xff" * 100, [max(16, size) for size in sizes], pedantic)
    session = JpkiSession(conversation(card, Meter()), ReaderTraits(extended_le=extended))
    assert session.read_certificate() == whole


@pytest.mark.parametrize("size", [1, 255, 256])
def test_portions_of_one_size(size: int) -> None:
    data = bytes(range(256))
    assert Chained(Portioned(data, [size], [False])).transmit(READ) == (data, 0x9000)
