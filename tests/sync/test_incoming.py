"""What a mirror takes, and what it refuses by name."""

from collections.abc import Iterator

import zstandard

from appliance.sync.wire import HEADER_BYTES, Refusal, frame, unpack
from tests.sync.pair import Pair


def flips(data: bytes) -> Iterator[bytes]:
    for position in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[position // 8] ^= 1 << position % 8
        yield bytes(flipped)


def test_a_recorded_batch_that_is_played_again_is_refused_and_changes_nothing() -> None:
    pair = Pair()
    pair.connect()
    pair.append(3)
    recording = pair.up[0]
    pair.settle()
    before = list(pair.mirror.entries)
    pair.arrive(recording)
    assert pair.mirror.entries == before
    refusal = unpack(pair.back[-1])
    assert isinstance(refusal, Refusal)
    assert (refusal.code, refusal.ack is not None) == ("sync.replayed", True)
    pair.settle()


def test_every_flipped_bit_of_a_batch_is_refused_and_the_good_one_still_comes() -> None:
    pair = Pair()
    pair.connect()
    pair.append(2)
    good = pair.up.pop()
    for flipped in flips(good):
        pair.arrive(flipped)
        assert pair.mirror.entries == []
    assert pair.codes() == ["sync.malformed"] * len(good) * 8
    pair.back.clear()
    pair.settle()


def test_every_forged_bit_under_a_good_checksum_is_found_by_the_tree_or_its_signature() -> None:
    pair = Pair()
    pair.connect()
    pair.append(2)
    plain = zstandard.ZstdDecompressor().decompress(pair.up.pop()[HEADER_BYTES:])
    for forged in flips(plain):
        pair.arrive(frame(zstandard.ZstdCompressor().compress(forged)))
        assert pair.mirror.entries == []
    assert len(pair.codes()) == len(plain) * 8
    assert set(pair.codes()) >= {"sync.malformed", "sync.other_school", "ledger.signature", "ledger.checkpoint"}
    pair.back.clear()
    pair.settle()


def test_a_full_disk_at_the_hub_is_waited_out() -> None:
    pair = Pair()
    pair.mirror.full = True
    pair.connect()
    pair.append(2)
    pair.take_up()
    pair.take_back()
    assert pair.codes() == ["store.disk_full", "store.disk_full"]  # once here, once heard
    pair.mirror.full = False
    assert pair.settle() > 0
