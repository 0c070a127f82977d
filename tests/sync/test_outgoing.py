"""Sending over a line that loses, doubles, swaps and spoils: nothing is lost, nothing comes twice."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.ledger.keys import SigningKey
from appliance.ledger.signers import Signers
from appliance.sync.governor import Governor, Reason
from appliance.sync.incoming import Incoming
from appliance.sync.outgoing import Outgoing
from appliance.sync.ports import Mirroring, Overtaken, Receipt, Sent
from appliance.sync.wire import Ack, Refusal, pack, unpack
from tests.sync.memory import MemoryOwn, sealed
from tests.sync.pair import HUB, Pair

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


def put_back(pair: Pair, size: int, more: int) -> None:
    """The sender goes on from an older copy, with other records on top."""
    pair.disconnect()
    pair.own.entries = [*pair.own.entries[:size], *(sealed(1_000 + number) for number in range(more))]
    pair.own.cosigned = min(pair.own.cosigned, size)
    pair.told.clear()
    pair.outgoing = Outgoing(
        pair.own,
        HUB.public,
        publish=pair._into(lambda: pair.up),
        governor=Governor((), (), 0),
        clock=pair.clock,
        observe=pair.told.append,
    )
    pair.connected = True


@pytest.mark.parametrize("more", [0, 1, 3, 7])
def test_a_repeated_receipt_tells_an_older_copy_so_and_is_not_stored(more: int) -> None:
    pair = Pair()
    pair.connect()
    pair.append(6)
    pair.settle()
    root = pair.mirror.frontier().root()
    put_back(pair, 3, more)
    pair.incoming.repeat()
    pair.take_back()
    (told,) = pair.told
    assert isinstance(told, Overtaken)
    assert (told.origin, told.later.head.size, told.later.head.root) == (pair.own.origin, 6, root)
    assert pair.own.cosigned == 3


def test_a_copy_that_sends_first_is_told_so_as_well() -> None:
    pair = Pair()
    pair.connect()
    pair.append(6)
    pair.settle()
    put_back(pair, 3, 7)
    pair.outgoing.connected()
    for _ in range(100):
        pair.take_up()
        pair.take_back()
        pair.wait(1_000)
    assert any(isinstance(one, Overtaken) for one in pair.told)
    assert len(pair.mirror.entries) == 6


def test_a_repeated_receipt_makes_good_one_that_was_lost() -> None:
    pair = Pair()
    pair.connect()
    pair.append(6)
    pair.take_up()
    pair.back.clear()
    pair.incoming.repeat()
    pair.take_back()
    assert pair.own.cosigned == 6
    assert [type(one) for one in pair.told] == [Sent, Mirroring, Receipt]
    pair.incoming.repeat()  # and again, as a hostile broker would
    pair.take_back()
    assert [type(one) for one in pair.told] == [Sent, Mirroring, Receipt]


def test_what_a_liar_repeats_is_refused_and_nothing_else_happens() -> None:
    pair, liar = Pair(), Pair()
    liar.own = liar.outgoing._ledger = MemoryOwn(SigningKey.make())  # a box that is made up, at the true hub
    liar.mirror.keys = Signers.of(liar.own.public_key)
    liar.incoming = liar.make_incoming()
    for one in (pair, liar):
        one.connect()
        one.append(3)
        one.settle()
    liar.append(9)
    liar.settle()
    liar.incoming.repeat()
    forged = unpack(liar.back.pop())
    assert isinstance(forged, Ack)
    pair.told.clear()
    for message in (forged, replace(forged, origin=pair.own.origin + "7"), replace(forged, origin="elsewhere")):
        pair.outgoing.receive(message)
    assert pair.codes() == ["ledger.signature", "ledger.signature", "ledger.checkpoint"]
    assert len(pair.told) == 3


def test_what_is_said_of_an_earlier_generation_is_no_fault_of_this_one() -> None:
    pair = Pair()
    pair.connect()
    pair.append(3)
    pair.settle()
    pair.incoming.repeat()
    earlier = unpack(pair.back.pop())
    assert isinstance(earlier, Ack)
    pair.own.origin = pair.own.origin.replace("/box/1", "/box/2")
    pair.told.clear()
    pair.outgoing.receive(earlier)
    assert pair.told == []
