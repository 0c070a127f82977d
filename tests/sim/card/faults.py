"""What can go wrong with one answer on its way from the card, and how long answers take."""

import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

from tests.sim.card.apdu import Ins

NAMES = ("cut", "overlong", "random", "silent", "a status word such as 6F00")


class CardRemovedError(Exception):
    """The card left the field during an exchange; there is no answer."""


class SilentCardError(Exception):
    """The exchange failed on the way although the card is still there; there is no answer."""


@dataclass(frozen=True)
class Fault:
    """``spoil`` makes the answer that arrives from the one the card gave.

    With ``reaches_card`` false the card never sees the command, so no counter moves.
    """

    spoil: Callable[[bytes], bytes]
    reaches_card: bool = True


def status(sw: int) -> Fault:
    """Answers with a bare status word instead of doing the command."""
    return Fault(lambda _: sw.to_bytes(2), reaches_card=False)


def cut(length: int = 1) -> Fault:
    """Only the first bytes of the answer arrive."""
    return Fault(lambda answer: answer[:length])


def overlong(extra: int = 64) -> Fault:
    """Bytes nobody asked for stand between data and status word."""
    return Fault(lambda answer: answer[:-2] + bytes(range(256))[:extra] + answer[-2:])


def random_bytes(seed: int = 0, longest: int = 300) -> Fault:
    source = random.Random(seed)
    noise = source.randbytes(source.randint(1, longest))
    return Fault(lambda _: noise)


def silent() -> Fault:
    """The command was carried out, but its answer never arrives."""

    def no_answer(_: bytes) -> bytes:
        raise SilentCardError

    return Fault(no_answer)


def named(name: str) -> Fault:
    """The fault of this name. Raises ``ValueError`` for another one."""
    plain = {"cut": cut, "overlong": overlong, "random": random_bytes, "silent": silent}
    if name in plain:
        return plain[name]()
    if len(name) == 4 and all(digit in "0123456789abcdefABCDEF" for digit in name):
        return status(int(name, 16))
    raise ValueError(f"{', '.join(NAMES)}, not {name!r}")


@dataclass(frozen=True)
class Timing:
    """Milliseconds an exchange takes: a fixed part, a part per byte both ways, and the instruction's own work."""

    each_ms: float = 0.0
    byte_ms: float = 0.0
    work_ms: dict[int, float] = field(default_factory=dict)

    def takes_ms(self, ins: int, transferred: int) -> float:
        return self.each_ms + self.byte_ms * transferred + self.work_ms.get(ins, 0.0)


INSTANT = Timing()


def contactless(rate_kbit_s: float, signature_ms: float) -> Timing:
    """The order of magnitude of ISO/IEC 14443 at 106, 212 or 424 kbit/s: start bits and guard times make ten bits of a
    byte, and the card thinks for a moment before it answers anything."""
    work_ms: dict[int, float] = {
        Ins.SELECT: 12.0,
        Ins.READ_BINARY: 3.0,
        Ins.VERIFY: 40.0,
        Ins.COMPUTE_SIGNATURE: signature_ms,
    }
    return Timing(4.0, 10 / rate_kbit_s, work_ms)


def as_in_life(name: str) -> Timing:
    """The pace of one card, always the same for its name: between the slowest and the fastest that were seen."""
    source = random.Random(f"pace of {name}")
    return contactless(source.choice((106, 212, 424)), source.uniform(300, 600))


CONTACTLESS = contactless(106, 480)
# ISO/IEC 7816-3 at the speed most readers settle on with such a card: 9600 bit/s times eight.
CONTACT = replace(CONTACTLESS, each_ms=6.0, byte_ms=0.13)
