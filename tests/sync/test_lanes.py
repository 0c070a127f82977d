"""Both ends of a lane over a line that loses, doubles, swaps and spoils: nothing is lost, nothing comes twice."""

from collections.abc import Callable, Iterator

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.errors import UntrustedError
from appliance.ledger.keys import SigningKey
from appliance.ledger.verify import Batch
from appliance.sync.governor import Governor, Reason
from appliance.sync.incoming import Incoming
from appliance.sync.outgoing import Outgoing
from appliance.sync.ports import Happening, Mirroring, Receipt, Refused, Sent
from appliance.sync.wire import HEADER_BYTES, Ack, Refusal, frame, pack, unpack
from tests.sim.clock import ManualClock
from tests.sync.memory import MemoryMirror, MemoryOwn

BOX, HUB = SigningKey.make(), SigningKey.make()


class Taken:
    done = True


class Pair:
    """A box's end and the hub's end, and what is on its way between them."""

    def __init__(self, governor: Governor | None = None) -> None:
        self.clock = ManualClock()
        self.own, self.mirror = MemoryOwn(BOX), MemoryMirror(BOX.public)
        self.up: list[bytes] = []
        self.back: list[bytes] = []
        self.connected = False
        self.told: list[Happening] = []
        self.incoming = self.make_incoming()
        self.outgoing = Outgoing(
            self.own,
            HUB.public,
            publish=self._into(lambda: self.up),
            governor=governor or Governor((), (), 0),
            clock=self.clock,
            observe=self.told.append,
        )

    def make_incoming(self) -> Incoming:
        publish = self._into(lambda: self.back)
        return Incoming(self.mirror, "hub.test", HUB, publish=publish, clock=self.clock, observe=self.told.append)

    def _into(self, queue: Callable[[], list[bytes]]) -> Callable[[bytes], Taken | None]:
        def publish(payload: bytes) -> Taken | None:
            if not self.connected:
                return None
            queue().append(payload)
            return Taken()

        return publish

    def connect(self) -> None:
        self.connected = True
        self.outgoing.connected()

    def disconnect(self) -> None:
        self.connected = False
        self.up.clear()
        self.back.clear()
        self.outgoing.disconnected()

    def append(self, count: int, bytes_each: int = 8) -> None:
        self.own.append(count, bytes_each)
        self.outgoing.look()

    def take_up(self, at: int = 0) -> None:
        if self.up:
            self.arrive(self.up.pop(at % len(self.up)))

    def arrive(self, payload: bytes) -> None:
        """At the hub."""
        try:
            message = unpack(payload)
        except UntrustedError as error:
            self.incoming.refuse(error.code)
            return
        if isinstance(message, Batch):
            self.incoming.receive(message)

    def take_back(self, at: int = 0) -> None:
        if not self.back:
            return
        try:
            message = unpack(self.back.pop(at % len(self.back)))
        except UntrustedError:
            return
        if isinstance(message, Ack | Refusal):
            self.outgoing.receive(message)

    def wait(self, ms: int) -> None:
        self.clock.advance(ms)
        self.outgoing.tick()

    def settle(self, step_ms: int = 500) -> int:
        """Lets a good line do its work; returns how long it took on the clock, in milliseconds."""
        begin = self.clock.uptime_ms
        for _ in range(2_000):
            while self.up or self.back:
                self.take_up()
                self.take_back()
            if self.own.cosigned == len(self.own.entries):
                return self.clock.uptime_ms - begin
            self.wait(step_ms)
        raise AssertionError("the ledgers never agreed")

    def codes(self) -> list[str]:
        return [one.code for one in self.told if isinstance(one, Refused)]


LINE_STEPS = ("up", "up", "back", "back", "lose_up", "lose_back", "double_up", "double_back", "spoil_up", "spoil_back")
OTHER_STEPS = ("append", "burst", "wait", "long_wait", "cut", "hub_dies", "disk_full", "disk_free")
STEPS = st.sampled_from((*LINE_STEPS, *OTHER_STEPS))


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(STEPS, st.integers(0, 10_000)), max_size=60))
def test_whatever_the_line_does_both_ledgers_agree_in_the_end(steps: list[tuple[str, int]]) -> None:
    pair = Pair()
    pair.connect()
    for step, number in steps:
        match step:
            case "append":
                pair.append(1)
            case "burst":
                pair.append(number % 40)
            case "up":
                pair.take_up(number)
            case "back":
                pair.take_back(number)
            case "lose_up" | "lose_back":
                del (pair.up if step == "lose_up" else pair.back)[:1]
            case "double_up" | "double_back":
                queue = pair.up if step == "double_up" else pair.back
                queue += queue[:1]
            case "spoil_up" | "spoil_back":
                queue = pair.up if step == "spoil_up" else pair.back
                if queue:
                    spoiled = bytearray(queue.pop())
                    spoiled[number % len(spoiled)] ^= 1 << number % 8
                    queue.append(bytes(spoiled))
            case "wait":
                pair.wait(number)
            case "long_wait":
                pair.wait(100 * number)
            case "cut":
                pair.disconnect()
                pair.connect()
            case "hub_dies":  # after the commit, with its answers unsent
                pair.back.clear()
                pair.incoming = pair.make_incoming()
            case "disk_full" | "disk_free":
                pair.mirror.full = step == "disk_full"
        recorded, receipted = len(pair.own.entries), pair.own.cosigned
        assert receipted <= len(pair.mirror.entries) <= recorded
        assert pair.mirror.entries == pair.own.entries[: len(pair.mirror.entries)]
        assert recorded == receipted + (pair.outgoing.size - pair.outgoing.cosigned)
    pair.mirror.full = False
    pair.settle()
    assert pair.mirror.entries == pair.own.entries


def test_a_visit_is_confirmed_without_waiting() -> None:
    pair = Pair()
    pair.connect()
    pair.append(1)
    assert pair.settle() == 0
    assert [type(one) for one in pair.told] == [Sent, Mirroring, Receipt]
    assert pair.outgoing.decision is not None
    assert pair.outgoing.decision.reason is Reason.SMALL


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


def flips(data: bytes) -> Iterator[bytes]:
    for position in range(len(data) * 8):
        flipped = bytearray(data)
        flipped[position // 8] ^= 1 << position % 8
        yield bytes(flipped)


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


def test_a_forged_receipt_is_not_believed() -> None:
    pair, forger = Pair(), Pair()
    forger.incoming = Incoming(
        forger.mirror, "hub.test", SigningKey.make(), publish=forger._into(lambda: forger.back), clock=forger.clock,
        observe=forger.told.append,
    )  # fmt: skip
    pair.connect()
    forger.connect()
    pair.append(2)
    forger.arrive(pair.up[0])
    forged = unpack(forger.back[0])
    assert isinstance(forged, Ack)
    pair.outgoing.receive(forged)
    assert pair.own.cosigned == 0
    assert pair.codes() == ["ledger.signature"]
    pair.settle()


def test_an_entry_that_is_too_big_is_said_and_not_sent() -> None:
    pair = Pair()
    pair.connect()
    pair.append(1, bytes_each=5 << 20)
    assert pair.up == []
    assert pair.codes() == ["sync.oversize"]


def test_a_backlog_in_a_lesson_is_paced_and_a_visit_is_not() -> None:
    pair = Pair(Governor(("00:00-23:59",), (1, 2, 3, 4, 5, 6, 7), 0))
    pair.append(1_000, bytes_each=200)
    pair.connect()
    bits = 8 * len(pair.up[0])
    took_ms = pair.settle(step_ms=50)
    total_bits = 8 * sum(one.bytes for one in pair.told if isinstance(one, Sent))
    assert bits < 8 * 16 * 1024
    rate = total_bits / took_ms * 1000
    assert 100_000 < rate < 260_000, "about the quarter of a megabit that lessons leave"
    pair.append(1)
    assert pair.settle() <= 500


def test_messages_are_small() -> None:
    pair = Pair()
    pair.connect()
    pair.append(1)
    assert len(pair.up[0]) < 400
    pair.take_up()
    assert len(pair.back[0]) < 500
    assert len(pack(Refusal("o", "sync.gap", 1))) < 50


@pytest.mark.parametrize("lost", ["up", "back"])
def test_one_lost_message_costs_one_timeout(lost: str) -> None:
    pair = Pair()
    pair.connect()
    pair.append(1)
    if lost == "back":
        pair.take_up()
    (pair.up if lost == "up" else pair.back).clear()
    assert 3_000 <= pair.settle() <= 5_000
