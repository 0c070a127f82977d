"""How much the line carries: the box sends filler to a topic of its own, and the broker sends it back.

Both directions are loaded at once, and what comes back in a second is what the line carries in each of them, at least:
a box or a broker that is slower than the line measures itself. Events in, commands out; nothing of a probe is kept by
the broker, and nothing in it says anything.
"""

from collections import deque
from dataclasses import dataclass

NONCE_BYTES = 8
NUMBER_BYTES = 4
HEADER_BYTES = NONCE_BYTES + NUMBER_BYTES
FIRST_BYTES, MOST_BYTES = 16 << 10, 256 << 10
FIRST_WINDOW_BYTES, MOST_WINDOW_BYTES = 64 << 10, 4 << 20
CHUNKS_A_WINDOW = 4
SPAN_MS = 1_000
"""The best span of so long counts: a line that is far away needs a while to get going."""
LONG_MS = 3_000
LATE_MS = 6_000
"""An answer that stays away for so long will not come."""
MOST_TOTAL_BYTES = 96 << 20


@dataclass(frozen=True, slots=True)
class Chunk:
    """Publish this to the probe's topic."""

    payload: bytes


@dataclass(frozen=True, slots=True)
class Measured:
    """``bit_s`` is what came back in a second, ``rtt_ms`` the quickest way there and back, ``total_bytes`` what was
    sent."""

    bit_s: int
    rtt_ms: int
    total_bytes: int


class Probe:
    """One measurement; ``nonce`` (8 bytes) tells it from one before, ``filler`` is what cannot be compressed.

    Call ``begin`` once, ``echo`` with what comes back and ``tick`` now and then; each gives the chunks to be sent.
    Times are milliseconds of a clock that never steps back. When ``over`` is set, ``result`` is the measurement, None
    if nothing came back.
    """

    def __init__(self, nonce: bytes, filler: bytes) -> None:
        if len(nonce) != NONCE_BYTES or len(filler) < MOST_BYTES:
            raise ValueError
        self._nonce, self._filler = nonce, filler
        self._window = FIRST_WINDOW_BYTES
        self._out: deque[tuple[int, int, int]] = deque()  # number, bytes, when
        self._next = self._sent = self._in_flight = 0
        self._echoed: list[tuple[int, int]] = []  # when, bytes
        self._began_ms = self._heard_ms = 0
        self._rtt_ms: int | None = None
        self.over = False

    def begin(self, now_ms: int) -> list[Chunk]:
        self._began_ms = self._heard_ms = now_ms
        return self._more(now_ms)

    def echo(self, payload: bytes, now_ms: int) -> list[Chunk]:
        """Something came back; what is not of this measurement, or was lost before it, is left out."""
        number = int.from_bytes(payload[NONCE_BYTES:HEADER_BYTES])
        if self.over or payload[:NONCE_BYTES] != self._nonce or not self._out or number < self._out[0][0]:
            return []
        while self._out and self._out[0][0] <= number:
            sent, size, at_ms = self._out.popleft()
            self._in_flight -= size
            if sent == number and size == len(payload):
                self._heard_ms = now_ms
                self._echoed.append((now_ms, size))
                self._window = min(self._window + size, MOST_WINDOW_BYTES)
                self._rtt_ms = min(now_ms - at_ms, now_ms if self._rtt_ms is None else self._rtt_ms)
        return self._more(now_ms)

    def tick(self, now_ms: int) -> list[Chunk]:
        return self._more(now_ms)

    @property
    def result(self) -> Measured | None:
        if not self._echoed or self._rtt_ms is None:
            return None
        came = [(self._began_ms, 0), *self._echoed]
        best, first, total = 0, 0, 0
        for at_ms, size in came:
            total += size
            # What came at the very mark was on its way before: it begins the span, and is not of it.
            while at_ms - came[first + 1][0] >= SPAN_MS:
                first += 1
                total -= came[first][1]
            best = max(best, 8_000 * total // max(at_ms - came[first][0], SPAN_MS))
        if self._echoed[-1][0] - self._began_ms < SPAN_MS:
            best = 8_000 * total // max(1, self._echoed[-1][0] - self._began_ms)
        return Measured(best, self._rtt_ms, self._sent)

    def _more(self, now_ms: int) -> list[Chunk]:
        ended = now_ms - self._began_ms >= LONG_MS or self._sent >= MOST_TOTAL_BYTES
        if (ended and not self._out) or now_ms - self._heard_ms >= LATE_MS:
            self.over = True
        chunks: list[Chunk] = []
        size = max(FIRST_BYTES, min(self._window // CHUNKS_A_WINDOW, MOST_BYTES))
        while not ended and self._in_flight + size <= self._window and self._sent < MOST_TOTAL_BYTES:
            head = self._nonce + self._next.to_bytes(NUMBER_BYTES)
            chunks.append(Chunk(head + self._filler[: size - HEADER_BYTES]))
            self._out.append((self._next, size, now_ms))
            self._next, self._sent, self._in_flight = self._next + 1, self._sent + size, self._in_flight + size
        return chunks
