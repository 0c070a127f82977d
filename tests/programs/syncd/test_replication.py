"""Both lanes of a box, without a network."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Thread

import pytest

from appliance.ledger.checkpoint import cosign, open_checkpoint
from appliance.ledger.entry import EntryType
from appliance.ledger.generation import Reason
from appliance.ledger.keys import SigningKey
from appliance.ledger.merkle import Frontier
from appliance.ledger.verify import Batch, verify_batch
from appliance.log import EventLog
from appliance.programs.syncd.replication import ANSWER_EVERY_MS, BEGIN_AGAIN_MS, Replication
from appliance.services.generations import begin_generation
from appliance.services.opening import OpenBox, found_box
from appliance.services.rollback import PAUSE_MS
from appliance.store.appending import Draft
from appliance.store.faults import StoreBusyError, StoreError
from appliance.store.mirror import MirrorLedger
from appliance.store.signal import SignalStore
from appliance.sync.enrolment import EnrolmentBundle
from appliance.sync.governor import Governor
from appliance.sync.mqtt import Arrived, LineDown, LineUp, Rejected
from appliance.sync.wire import Ack, Lane, Message, Refusal, State, pack, topic
from tests.sim.clock import ManualClock
from tests.sim.paper_line import PaperLine
from tests.sync.memory import MemoryOwn

CODE = "B113299900018"
FEED = f"madoguchi/1/{CODE}/feed/1"
HUB = SigningKey.make()


class Box:
    """A box whose replication is stepped by hand, and the hub's side of the talk."""

    def __init__(self, box: OpenBox, device_key: SigningKey, clock: ManualClock) -> None:
        self.box, self.clock, self.line, self.device_key = box, clock, PaperLine(), device_key
        if box.database.row("SELECT 1 FROM ledger WHERE origin = ?", (FEED,)) is None:
            MirrorLedger.add(box.database, FEED, HUB.public)
        pem = HUB.public.pem().decode()
        bundle = EnrolmentBundle(CODE, "localhost", 8883, "-", "-", "hub.test", pem, b"", FEED, pem)
        governor = Governor((), (), 0)
        self.replication = Replication(box, bundle, line=self.line, governor=governor, log=EventLog("syncd"))

    def anew(self) -> "Box":
        """The replication that ``syncd`` makes when this one is over."""
        return Box(self.box, self.device_key, self.clock)

    def hear(self, lane: Lane, message: Message | bytes, code: str = CODE) -> list[Message]:
        payload = message if isinstance(message, bytes) else pack(message)
        self.line.events.put(Arrived(topic(code, lane), payload))
        return self.step()

    def step(self, after_ms: int = 0) -> list[Message]:
        self.clock.advance(after_ms)
        self.replication.step()
        return [paper.message for paper in self.line.take()]

    def connect(self) -> list[Message]:
        self.line.events.put(LineUp())
        return self.step()

    def visit(self) -> None:
        with self.box.ledger.append() as appending:
            appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"purpose": "visit"}))

    def ack(self, batch: Batch) -> Ack:
        """The receipt that a hub would give for a batch that holds the whole ledger."""
        verified = verify_batch(batch, self.box.school.origin, Frontier(), 0, self.box.ledger.public_key)
        return Ack(batch.origin, batch.checkpoint, cosign(verified.checkpoint, "hub.test", 1, HUB))

    def said(self) -> dict[str, object]:
        found = SignalStore(self.box.database).read("sync")
        assert found is not None
        return found.value


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    clock, device_key = ManualClock(), SigningKey.make()
    opened = found_box(tmp_path, b"k" * 32, device_key, clock, CODE, "見本小学校")
    with opened.database:
        yield Box(opened, device_key, clock)


def test_what_is_pending_goes_out_when_the_line_comes_up(box: Box) -> None:
    assert box.step() == []
    state, batch = box.connect()
    assert state == State(True, 1, 0, box.clock.now_ms())
    assert isinstance(batch, Batch)
    assert (batch.first, len(batch.items)) == (0, 1)
    assert box.hear(Lane.ACK, box.ack(batch)) == [State(True, 1, 1, box.clock.now_ms())]
    assert box.box.ledger.head().cosigned_size == 1
    said = box.said()
    assert (said["connected"], said["cosigned_size"], said["sent_size"], said["refused"]) == (True, 1, 1, None)
    assert said["confirmed_ms"] == box.clock.now_ms()


def test_a_visit_costs_the_hub_one_word_about_the_state(box: Box) -> None:
    _, batch = box.connect()
    assert isinstance(batch, Batch)
    box.hear(Lane.ACK, box.ack(batch))
    writer = Thread(target=box.visit)
    writer.start()
    writer.join()
    assert [type(one) for one in box.step()] == [Batch]
    assert box.step(after_ms=500) == []
    (pending,) = box.step(after_ms=600)  # it takes long: now the hub hears of it
    assert isinstance(pending, State)
    assert (pending.size, pending.cosigned) == (2, 1)


def test_what_an_entry_took_on_the_line_is_said_for_those_who_wait(box: Box) -> None:
    box.step()
    assert box.said()["bytes_an_entry"] is None
    box.connect()
    box.step(after_ms=500)
    took = box.said()["bytes_an_entry"]
    assert isinstance(took, int)
    assert 100 < took < 2_000
    assert box.said()["until_ms"] is None


def test_another_program_that_appends_is_noticed(box: Box) -> None:
    _, batch = box.connect()
    assert isinstance(batch, Batch)
    box.hear(Lane.ACK, box.ack(batch))
    # A thread has a connection of its own, as the kiosk's process has.
    writer = Thread(target=box.visit)
    writer.start()
    writer.join()
    sent = [one for one in box.step() if isinstance(one, Batch)]
    assert [(one.first, len(one.items)) for one in sent] == [(1, 1)]


def test_a_refusal_is_shown_until_something_is_confirmed(box: Box) -> None:
    _, batch = box.connect()
    assert isinstance(batch, Batch)
    box.hear(Lane.ACK, Refusal(batch.origin, "ledger.signature"))
    assert box.said()["refused"] == "ledger.signature"
    box.hear(Lane.ACK, box.ack(batch))
    assert box.said()["refused"] is None


def test_a_receipt_of_a_stranger_is_not_stored(box: Box) -> None:
    _, batch = box.connect()
    assert isinstance(batch, Batch)
    good = box.ack(batch)
    box.hear(Lane.ACK, Ack(good.origin, good.checkpoint, good.cosignature[:-1] + b"\0"))
    assert box.box.ledger.head().cosigned_size == 0
    assert box.said()["refused"] == "ledger.signature"


def test_the_feed_is_mirrored_and_confirmed(box: Box) -> None:
    feed = MemoryOwn(HUB, FEED)
    feed.append(3)
    box.connect()
    (ack,) = box.hear(Lane.DOWN, Batch(FEED, 0, tuple(feed.entries), feed.checkpoint_at(3)))
    assert isinstance(ack, Ack)
    assert feed.confirm(ack.checkpoint, ack.cosignature, box.box.ledger.public_key).signer == box.box.school.origin
    forged = MemoryOwn(SigningKey.make(), FEED)
    forged.append(4)
    refusal, again = box.hear(Lane.DOWN, Batch(FEED, 3, tuple(forged.entries[3:]), forged.checkpoint_at(4)))
    assert refusal == Refusal(FEED, "ledger.signature")
    assert again == replace(ack, root=feed.root_at(3))  # a hub that lost its own feed would know it by this
    assert box.said()["refused"] is None  # that is the hub's trouble, not the box's records


def test_nonsense_is_refused_and_ends_nothing(box: Box) -> None:
    box.connect()
    assert box.hear(Lane.DOWN, b"nonsense") == [Refusal(FEED, "sync.malformed")]
    assert box.hear(Lane.ACK, b"nonsense") == []
    assert box.hear(Lane.ACK, State(True, 1, 1, 1)) == []
    assert box.hear(Lane.DOWN, Refusal(FEED, "sync.gap", 1), code="B113299900028") == []
    box.line.events.put(Rejected("Not authorized"))
    assert box.step() == []


def test_a_line_that_goes_down_is_said_with_its_reason(box: Box) -> None:
    box.connect()
    since = box.said()["since_ms"]
    box.clock.advance(5_000)
    box.line.events.put(LineDown("line.lost"))
    box.step()
    said = box.said()
    assert (said["connected"], said["error"]) == (False, "line.lost")
    assert said["since_ms"] == int(str(since)) + 5_000
    box.visit()
    assert box.step(after_ms=600_000) == []  # nothing is handed to a line that is down


def test_it_keeps_saying_that_it_lives(box: Box) -> None:
    box.step()
    first = SignalStore(box.box.database).read("sync")
    box.step(after_ms=31_000)
    second = SignalStore(box.box.database).read("sync")
    assert first is not None
    assert second is not None
    assert second.at_ms - first.at_ms == 31_000


@pytest.mark.parametrize("step_ms", [86_400_000, -86_400_000])
def test_a_clock_that_was_set_does_not_make_it_look_silent(box: Box, step_ms: int) -> None:
    box.step()
    box.clock.ms += step_ms
    box.step(after_ms=1_000)
    said = SignalStore(box.box.database).read("sync")
    assert said is not None
    assert said.at_ms == box.clock.ms
    box.step(after_ms=1_000)
    again = SignalStore(box.box.database).read("sync")
    assert again == said  # once is enough


def test_a_broken_database_ends_nothing(box: Box) -> None:
    _, batch = box.connect()
    assert isinstance(batch, Batch)
    with box.box.database.transaction() as transaction:
        transaction.run("ALTER TABLE cosignature RENAME TO gone")
    box.hear(Lane.ACK, box.ack(batch))
    with box.box.database.transaction() as transaction:
        transaction.run("ALTER TABLE gone RENAME TO cosignature")
    again = [one for one in box.step(after_ms=5_000) if isinstance(one, Batch)]
    assert [one.first for one in again] == [0]
    box.hear(Lane.ACK, box.ack(again[0]))
    assert box.box.ledger.head().cosigned_size == 1


# The hub has more of the ledger than is here: the database is an older copy.


def lost(box: Box, more: int = 2) -> Ack:
    """What a hub repeats that holds so many entries more than there are here, signed by the box before it was put back.

    The same key and origin, so the ledger can be made anew in memory.
    """
    ledger = MemoryOwn(box.device_key, box.box.school.origin)
    ledger.append(box.box.ledger.head().size + more)
    size = len(ledger.entries)
    root = ledger.root_at(size)
    head = open_checkpoint(ledger.checkpoint_at(size), root, ledger.origin, ledger.public_key)
    return Ack(ledger.origin, head.cose, cosign(head, "hub.test", 1, HUB), root)


def test_a_proof_begins_a_new_generation_and_ends_this_replication(box: Box) -> None:
    box.connect()
    before, proof = box.box.school.origin, lost(box)
    overs = [box.replication.over]
    box.hear(Lane.ACK, proof)
    overs.append(box.replication.over)
    assert overs == [False, True]
    assert box.box.school.origin == before.replace("/box/1", "/box/2")
    assert box.box.ledger.head().size == 2  # the beginning, and the one entry that nobody has confirmed
    # What comes before a new one is made changes nothing any more.
    box.hear(Lane.ACK, proof)
    assert box.box.school.origin == before.replace("/box/1", "/box/2")


def test_a_generation_that_another_program_began_ends_it_too(box: Box) -> None:
    box.connect()
    writer = Thread(
        target=lambda: begin_generation(box.box.database, box.device_key, box.clock, Reason.ROLLED_BACK, note=None)
    )
    writer.start()
    writer.join()
    box.step()
    assert box.replication.over


def test_what_proves_nothing_begins_nothing(box: Box) -> None:
    _, batch = box.connect()
    assert isinstance(batch, Batch)
    good, proof = box.ack(batch), lost(box)
    root = box.box.ledger.root_at(1)
    for hostile in (
        replace(proof, root=bytes(32)),
        replace(proof, root=None),
        replace(proof, origin=proof.origin + "0"),
        replace(proof, cosignature=good.cosignature),
        replace(proof, checkpoint=good.checkpoint),
        replace(good, root=root),  # a true receipt, again and again
        replace(good, root=root),
    ):
        box.hear(Lane.ACK, hostile)
    assert not box.replication.over
    assert box.box.ledger.head().size == 1
    assert box.said()["overtaken_ms"] is None


def test_the_next_one_waits_and_is_said_to(box: Box) -> None:
    box.connect()
    box.hear(Lane.ACK, lost(box))
    again = box.anew()
    again.connect()
    begun = again.box.school.origin
    again.hear(Lane.ACK, lost(again))
    assert again.said()["overtaken_ms"] == again.clock.now_ms()
    again.step(after_ms=PAUSE_MS - 10_000)
    assert again.box.school.origin == begun
    again.step(after_ms=20_000)
    assert again.replication.over
    assert again.box.school.origin == begun.replace("/box/2", "/box/3")


def test_a_database_that_cannot_be_written_is_tried_again(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.connect()

    def fail(*_: object, **__: object) -> None:
        raise StoreBusyError()

    with monkeypatch.context() as patched:
        patched.setattr("appliance.services.rollback.begin_generation", fail)
        box.hear(Lane.ACK, lost(box))
        box.step(after_ms=1_000)
    assert not box.replication.over
    box.step(after_ms=BEGIN_AGAIN_MS)
    assert box.replication.over


def test_a_disk_that_cannot_be_read_for_a_while_hides_no_record(
    box: Box, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    _, batch = box.connect()
    assert isinstance(batch, Batch)
    box.hear(Lane.ACK, box.ack(batch))
    writer = Thread(target=box.visit)
    writer.start()
    writer.join()
    with monkeypatch.context() as broken:
        broken.setattr(type(box.box.ledger), "head", failing)
        for _ in range(5):
            assert box.step(after_ms=100) == []
    sent = [one for one in box.step(after_ms=100) if isinstance(one, Batch)]
    assert [(one.first, len(one.items)) for one in sent] == [(1, 1)]
    # Told once: a log that fills the rest of a broken disk helps nobody.
    assert [record.message for record in caplog.records].count("sync.fault") == 1


def failing(*_: object) -> None:
    raise StoreError(reason="disk I/O error")


def test_after_a_change_of_the_key_the_feed_waits_until_the_hub_knows_it(box: Box) -> None:
    _, batch = box.connect()
    assert isinstance(batch, Batch)
    box.hear(Lane.ACK, box.ack(batch))
    feed = MemoryOwn(HUB, FEED)
    feed.append(2)
    sent = Batch(FEED, 0, tuple(feed.entries), feed.checkpoint_at(2))
    command = Thread(target=box.box.ledger.hand_over, args=(SigningKey.make(),))
    command.start()
    command.join()
    (changing,) = [one for one in box.step() if isinstance(one, Batch)]
    assert changing.successions == (box.box.ledger.keys.newest.succession,)
    assert box.hear(Lane.DOWN, sent) == []
    root, keys, origin = box.box.ledger.root_at(2), box.box.ledger.keys, box.box.school.origin
    opened = open_checkpoint(changing.checkpoint, root, origin, keys)
    box.hear(Lane.ACK, Ack(origin, changing.checkpoint, cosign(opened, "hub.test", 1, HUB)))
    (ack,) = box.hear(Lane.DOWN, sent)
    assert isinstance(ack, Ack)
    assert feed.confirm(ack.checkpoint, ack.cosignature, keys.newest.key).size == 2


def test_a_flood_of_nonsense_is_not_answered_by_another_flood(box: Box) -> None:
    box.connect()
    answers = [one for _ in range(50) for one in box.hear(Lane.DOWN, b"nonsense") if isinstance(one, Refusal)]
    assert [one.code for one in answers] == ["sync.malformed"]
    box.clock.advance(ANSWER_EVERY_MS)
    again = [one for one in box.hear(Lane.DOWN, b"nonsense") if isinstance(one, Refusal)]
    assert [one.code for one in again] == ["sync.malformed"]
