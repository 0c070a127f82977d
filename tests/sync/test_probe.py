"""The probe on lines that are drawn with a pencil: a rate, a way, losses, and nothing else."""

import os

import pytest

from appliance.sync.probe import HEADER_BYTES, LATE_MS, LONG_MS, MOST_TOTAL_BYTES, MOST_WINDOW_BYTES, Chunk, Probe

FILLER = os.urandom(1 << 18)
NONCE = b"12345678"


def run(bit_s: float, way_ms: int, *, lost_every: int = 0, dead_after_ms: int = 1 << 30) -> tuple[Probe, int]:
    """Plays a probe on a line of this rate that delays each message; returns it and when it was over."""
    probe, free_ms, count = Probe(NONCE, FILLER), 0.0, 0
    coming: list[tuple[float, bytes]] = []

    def send(chunks: list[Chunk], now_ms: int) -> None:
        nonlocal free_ms, count
        for chunk in chunks:
            count += 1
            free_ms = max(free_ms, now_ms) + 8_000 * len(chunk.payload) / bit_s
            if (not lost_every or count % lost_every) and free_ms < dead_after_ms:
                coming.append((free_ms + way_ms, chunk.payload))

    send(probe.begin(0), 0)
    for now_ms in range(1, 60_000):
        while coming and coming[0][0] <= now_ms:
            send(probe.echo(coming.pop(0)[1], now_ms), now_ms)
        if now_ms % 50 == 0:
            send(probe.tick(now_ms), now_ms)
        if probe.over:
            return probe, now_ms
    raise AssertionError("the probe never ended")


@pytest.mark.parametrize("mbit_s", [0.5, 1, 4, 20, 100, 800])
@pytest.mark.parametrize("way_ms", [1, 20, 200])
def test_it_measures_what_the_line_carries(mbit_s: float, way_ms: int) -> None:
    probe, ended_ms = run(mbit_s * 1e6, way_ms)
    result = probe.result
    assert result is not None
    # A window of four megabytes cannot fill what is faster than a window each way.
    possible = min(mbit_s * 1e6, 8_000 * MOST_WINDOW_BYTES / (way_ms + 1))
    assert 0.85 * possible <= result.bit_s <= 1.05 * possible
    assert result.rtt_ms >= way_ms
    assert result.total_bytes <= MOST_TOTAL_BYTES + (1 << 18)
    assert ended_ms <= LONG_MS + LATE_MS + 3_000


def test_what_is_lost_is_left_out_and_ends_nothing() -> None:
    probe, _ = run(20e6, 20, lost_every=7)
    assert probe.result is not None
    assert 0.7 * 20e6 <= probe.result.bit_s <= 20e6


def test_a_line_that_dies_in_the_middle_ends_the_probe_with_what_came_back() -> None:
    probe, ended_ms = run(20e6, 20, dead_after_ms=1_000)
    assert probe.result is not None
    assert ended_ms <= 1_000 + LATE_MS + 100


def test_a_line_that_gives_nothing_back_has_no_result() -> None:
    probe, ended_ms = run(20e6, 20, dead_after_ms=0)
    assert (probe.result, ended_ms) == (None, LATE_MS)


def test_what_belongs_to_another_probe_or_comes_twice_counts_for_nothing() -> None:
    probe = Probe(NONCE, FILLER)
    first = probe.begin(0)[0].payload
    assert probe.echo(b"87654321" + first[8:], 5) == []
    assert probe.echo(b"", 5) == []
    assert probe.echo(first[:HEADER_BYTES], 5) != []  # the number is known, the length is not: lost
    assert probe.echo(first, 6) == []
    assert probe.result is None


def test_a_probe_needs_its_parts() -> None:
    with pytest.raises(ValueError, match=r"^$"):
        Probe(b"short", FILLER)
    with pytest.raises(ValueError, match=r"^$"):
        Probe(NONCE, b"")
