"""The sender and the receiver, event by event."""

from dataclasses import replace

import pytest

from appliance.ledger.checkpoint import open_cosignature
from appliance.ledger.keys import SigningKey
from appliance.ledger.merkle import Frontier
from appliance.ledger.verify import Batch
from appliance.sync.replica import (
    FIRST_TIMEOUT_MS,
    LONGEST_TIMEOUT_MS,
    MAX_ENTRIES,
    AckReceived,
    Answer,
    Appended,
    BatchReceived,
    Confirm,
    Confirmed,
    Connected,
    Disconnected,
    Handed,
    Mirrored,
    NotStored,
    Receiver,
    RefusalReceived,
    SendBatch,
    Sender,
    Store,
    Stored,
    Tick,
)
from appliance.sync.wire import Ack, Refusal
from tests.sync.memory import ORIGIN, MemoryOwn, frontier_of, sealed

ACK = Ack(ORIGIN, b"checkpoint", b"cosignature")
BOX, HUB = SigningKey.make(), SigningKey.make()


def connected(size: int, cosigned: int) -> Sender:
    sender = Sender(size, cosigned)
    sender.handle(Connected(), 0)
    return sender


def test_a_sender_begins_at_the_confirmed_size() -> None:
    sender = Sender(10, 4)
    assert sender.handle(Tick(), 0) == []  # not before the line is up
    assert sender.handle(Connected(), 0) == [SendBatch(4, 10)]
    assert sender.pending == 6


def test_one_batch_is_on_its_way_at_a_time() -> None:
    sender = connected(10, 0)
    assert sender.handle(Appended(12), 1) == []
    assert sender.handle(AckReceived(ACK), 2) == [Confirm(ACK)]
    assert sender.handle(Confirmed(10), 3) == [SendBatch(10, 12)]
    assert sender.handle(Confirmed(12), 4) == []
    assert sender.pending == 0


def test_a_long_backlog_goes_in_pieces() -> None:
    sender = Sender(2 * MAX_ENTRIES + 1, 0)
    assert sender.handle(Connected(), 0) == [SendBatch(0, MAX_ENTRIES)]
    assert sender.handle(Confirmed(MAX_ENTRIES), 0) == [SendBatch(MAX_ENTRIES, 2 * MAX_ENTRIES)]


def test_a_lost_answer_is_asked_for_again_and_again_without_end() -> None:
    sender = connected(5, 0)
    now_ms, waits = 0, []
    for _ in range(200):
        begin = now_ms
        while not (commands := sender.handle(Tick(), now_ms)):
            now_ms += 1_000
        assert commands == [SendBatch(0, 5)]
        waits.append(now_ms - begin)
    assert waits[0] == FIRST_TIMEOUT_MS
    assert waits == sorted(waits)
    assert waits[-1] == LONGEST_TIMEOUT_MS


def test_a_new_connection_begins_anew() -> None:
    sender = connected(5, 0)
    assert sender.handle(Disconnected(), 1) == []
    assert sender.handle(Tick(), 10**9) == []
    assert sender.handle(Connected(), 10**9) == [SendBatch(0, 5)]


def test_a_replay_is_repaired_by_the_receipt_that_comes_with_the_refusal() -> None:
    sender = connected(5, 0)
    assert sender.handle(RefusalReceived(Refusal(ORIGIN, "sync.replayed", None, ACK)), 1) == [Confirm(ACK)]
    assert sender.handle(Confirmed(5), 1) == []
    assert sender.pending == 0


def test_a_gap_is_filled_from_the_size_that_is_wanted() -> None:
    sender = connected(20, 10)
    assert sender.handle(RefusalReceived(Refusal(ORIGIN, "sync.gap", 5)), 1) == [SendBatch(5, 20)]
    sender = connected(20, 10)  # an acknowledgement of 15 was lost, and more was appended since
    assert sender.handle(RefusalReceived(Refusal(ORIGIN, "sync.gap", 15, ACK)), 1) == [Confirm(ACK), SendBatch(15, 20)]
    assert sender.handle(Confirmed(15), 1) == []
    assert sender.handle(Confirmed(20), 1) == []
    assert sender.pending == 0


def test_a_peer_that_keeps_refusing_is_not_flooded() -> None:
    sender = connected(20, 10)
    sent = sum(
        len(sender.handle(RefusalReceived(Refusal(ORIGIN, "sync.gap", wanted)), now_ms))
        for now_ms, wanted in enumerate([5, 6, 7, 8, 9] * 100)
    )
    assert sent == 1
    sender = connected(5, 0)
    for now_ms in range(1000):
        assert sender.handle(RefusalReceived(Refusal(ORIGIN, "ledger.signature")), now_ms) == []
    assert sender.handle(Tick(), 1000 + LONGEST_TIMEOUT_MS) == [SendBatch(0, 5)]


def test_a_peer_that_wants_more_than_there_is_gets_nothing_at_once() -> None:
    sender = connected(5, 0)
    assert sender.handle(RefusalReceived(Refusal(ORIGIN, "sync.gap", 50)), 1) == []


def test_a_refusal_out_of_nowhere_delays_nothing() -> None:
    sender = connected(5, 5)
    assert sender.handle(RefusalReceived(Refusal(ORIGIN, "sync.malformed")), 1) == []
    assert sender.handle(Appended(6), 2) == [SendBatch(5, 6)]


def test_a_late_double_of_a_receipt_does_not_send_twice() -> None:
    sender = connected(10, 0)
    assert sender.handle(Appended(12), 0) == []
    assert sender.handle(Confirmed(10), 1) == [SendBatch(10, 12)]
    assert sender.handle(Confirmed(10), 2) == []


def test_the_pace_is_kept() -> None:
    sender = connected(3_000, 0)
    sender.handle(Handed(5_000), 0)
    assert sender.handle(Confirmed(1_000), 10) == []
    assert sender.handle(Tick(), 4_999) == []
    assert sender.handle(Tick(), 5_000) == [SendBatch(1_000, 2_000)]


def batch(own: MemoryOwn, first: int, last: int) -> Batch:
    return Batch(own.origin, first, tuple(own.items(first, last)), own.checkpoint_at(last))


def receiver() -> Receiver:
    return Receiver(ORIGIN, BOX.public, "hub.test", HUB)


def test_a_batch_is_acknowledged_only_after_it_is_stored() -> None:
    own = MemoryOwn(BOX)
    own.append(3)
    (command,) = receiver().handle(BatchReceived(batch(own, 0, 3), Mirrored(Frontier(), 0, None)), 77)
    assert isinstance(command, Store)
    assert command.batch.frontier.size == 3
    cosigned = open_cosignature(command.ack.cosignature, frontier_of(own.entries).root(), ORIGIN, HUB.public)
    assert (cosigned.signer, cosigned.size, cosigned.time_s) == ("hub.test", 3, 77)
    assert receiver().handle(Stored(command.ack), 78) == [Answer(command.ack)]
    assert receiver().handle(NotStored("store.disk_full"), 78) == [Answer(Refusal(ORIGIN, "store.disk_full"))]


@pytest.mark.parametrize(
    ("first", "last", "expected"),
    [
        (0, 2, Refusal(ORIGIN, "sync.replayed", None, ACK)),
        (3, 4, Refusal(ORIGIN, "sync.gap", 2, ACK)),
        (1, 4, Refusal(ORIGIN, "sync.gap", 2, ACK)),
    ],
)
def test_what_does_not_fit_is_answered_with_what_is_there(first: int, last: int, expected: Refusal) -> None:
    own = MemoryOwn(BOX)
    own.append(4)
    mirrored = Mirrored(frontier_of(own.entries[:2]), 1000, ACK)
    assert receiver().handle(BatchReceived(batch(own, first, last), mirrored), 0) == [Answer(expected)]


def test_what_is_not_true_is_refused_by_name_and_without_a_receipt() -> None:
    own, stranger = MemoryOwn(BOX), MemoryOwn(SigningKey.make())
    own.append(2)
    stranger.append(2)
    mirrored = Mirrored(Frontier(), 0, None)
    other_school = MemoryOwn(BOX, ORIGIN.replace("18/", "19/"))
    other_school.append(2)
    for ledger, code in ((stranger, "ledger.signature"), (other_school, "sync.other_school")):
        (command,) = receiver().handle(BatchReceived(batch(ledger, 0, 2), mirrored), 0)
        assert command == Answer(Refusal(ORIGIN, code))


def test_a_sender_that_seems_to_be_an_older_copy_hears_the_last_receipt_with_its_root() -> None:
    own, other = MemoryOwn(BOX), MemoryOwn(BOX)
    own.append(4)
    other.append(2)
    other.entries += [sealed(1_000), sealed(1_001)]  # what an older copy recorded on top
    mirrored = Mirrored(frontier_of(own.entries[:3]), 2000, ACK)
    proof = replace(ACK, root=own.root_at(3))
    for forked in (batch(other, 3, 4), replace(batch(own, 3, 4), checkpoint=own.checkpoint_at(3))):
        refusal, again = receiver().handle(BatchReceived(forked, mirrored), 0)
        assert isinstance(refusal, Answer)
        assert isinstance(refusal.message, Refusal)
        assert refusal.message.ack is None
        assert again == Answer(proof)
    second = Receiver(ORIGIN.replace("/box/1", "/box/2"), BOX.public, "hub.test", HUB)
    refusal, again = second.handle(BatchReceived(batch(own, 3, 4), mirrored), 0)
    assert again == Answer(proof)
    third = MemoryOwn(BOX, ORIGIN.replace("/box/1", "/box/3"))
    third.append(1)
    assert len(second.handle(BatchReceived(batch(third, 0, 1), mirrored), 0)) == 1  # that one is not behind
