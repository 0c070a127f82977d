"""What the hub does with each message, without a network."""

import dataclasses
from collections.abc import Callable
from threading import Thread

import pytest

from appliance.config import CredentialSource
from appliance.ledger.checkpoint import cosign, open_checkpoint
from appliance.ledger.entry import EntryType
from appliance.ledger.generation import Reason
from appliance.ledger.keys import SigningKey, VerifyingKey
from appliance.ledger.rollback import LaterHead
from appliance.ledger.verify import Batch
from appliance.log import EventLog
from appliance.programs.hub.admission import admit
from appliance.programs.hub.ingest import Ingest
from appliance.programs.hub.registry import Registry
from appliance.programs.hub.revocation import Revocations
from appliance.programs.hub.settings import DATABASE_KEY
from appliance.services.enrolment import make_request
from appliance.services.generations import begin_generation
from appliance.store.appending import Draft
from appliance.store.database import Database
from appliance.store.erasing import erase_earlier, tell_erased
from appliance.store.faults import StoreError
from appliance.store.ledger import OwnLedger
from appliance.store.mirror import MirrorLedger
from appliance.sync.mqtt import Arrived, LineDown, LineUp
from appliance.sync.wire import Ack, Lane, Message, Refusal, State, pack, topic
from tests.programs.hub.conftest import FoundedBox, FoundedHub
from tests.sim.paper_line import PaperLine

CODE, OTHER = "B113299900018", "C113299900028"
MakeBox = Callable[[str, str], FoundedBox]


class Desk:
    """The ingest, fed by hand."""

    def __init__(self, hub: FoundedHub, key: SigningKey) -> None:
        self.line = PaperLine()
        log = EventLog("hub")
        self.ingest = Ingest(hub.database, key, "hub.test", line=self.line, clock=hub.clock, log=log)

    def hear(self, code: str, lane: Lane, message: Message | bytes) -> list[tuple[str, Message]]:
        payload = message if isinstance(message, bytes) else pack(message)
        self.line.events.put(Arrived(topic(code, lane), payload))
        self.ingest.step()
        return [(paper.topic, paper.message) for paper in self.line.take()]


@pytest.fixture
def desk(hub: FoundedHub) -> Desk:
    key = (hub.settings.hub.state_dir.parent / "hub-keys" / "hub.key").read_bytes()
    desk = Desk(hub, SigningKey.from_pem(key))
    desk.line.events.put(LineUp())
    desk.ingest.step()
    return desk


def batch(box: FoundedBox) -> Batch:
    ledger = box.box.ledger
    head = ledger.head()
    assert head.checkpoint is not None
    return Batch(ledger.origin, 0, tuple(ledger.items(0, head.size)), head.checkpoint)


def refusals(answers: list[tuple[str, Message]]) -> list[tuple[str, str]]:
    return [(where, one.code) for where, one in answers if isinstance(one, Refusal)]


def test_a_school_that_is_admitted_while_the_hub_runs_is_heard(desk: Desk, hub: FoundedHub, make_box: MakeBox) -> None:
    box = make_box(CODE, "見本小学校")
    assert desk.hear(CODE, Lane.UP, batch(box)) == []  # never heard of
    hub.admit(box)
    ((where, ack),) = desk.hear(CODE, Lane.UP, batch(box))
    assert where == topic(CODE, Lane.ACK)
    assert isinstance(ack, Ack)
    bundle = hub.admit(box)
    assert (
        box.box.ledger.confirm(ack.checkpoint, ack.cosignature, VerifyingKey.from_pem(bundle.hub_key.encode())).size
        == 1
    )


def test_a_box_that_goes_on_in_a_new_generation_is_heard_while_the_hub_runs(
    desk: Desk, hub: FoundedHub, make_box: MakeBox
) -> None:
    box = make_box(CODE, "見本小学校")
    hub.admit(box)
    assert isinstance(desk.hear(CODE, Lane.UP, batch(box))[0][1], Ack)
    key, before, earlier = SigningKey.make(), box.box.school.origin, batch(box)
    origin = begin_generation(box.box.database, key, box.box.clock, Reason.RESTORED)
    ledger = OwnLedger.find(box.box.database, origin)
    head = ledger.head()
    assert head.checkpoint is not None
    first = Batch(origin, 0, tuple(ledger.items(0, head.size)), head.checkpoint)
    assert refusals(desk.hear(CODE, Lane.UP, first)) == [(topic(CODE, Lane.ACK), "sync.other_school")]
    request = make_request(box.box, box.line_key)
    asked = dataclasses.replace(request, origin=origin, device_key=key.public.pem().decode())
    with Database.open(hub.database.path, CredentialSource(DATABASE_KEY)) as database:  # as a command of its own does
        admit(hub.settings, database, hub.clock, asked, new_generation=True)
    desk.line.events.put(LineUp())
    hub.clock.advance(1_000)
    desk.ingest.step()  # looks for what has changed in the database
    assert isinstance(desk.hear(CODE, Lane.UP, first)[0][1], Ack)
    assert refusals(desk.hear(CODE, Lane.UP, earlier)) == [(topic(CODE, Lane.ACK), "sync.other_school")]
    (school,) = hub.registry.overview()
    assert (school.mirrored, school.earlier) == (head.size, ((before, 1),))
    assert school.forks == ()  # a person has admitted it
    (succession,) = hub.registry.successions(CODE)
    assert (succession.reason, succession.carried, succession.branch) == ("restored", 1, "complete")


def receipts(answers: list[tuple[str, Message]]) -> list[Ack]:
    return [one for _, one in answers if isinstance(one, Ack)]


def test_a_box_that_was_put_back_is_told_so_and_taken_in_its_new_generation(
    desk: Desk, hub: FoundedHub, make_box: MakeBox, caplog: pytest.LogCaptureFixture
) -> None:
    box = make_box(CODE, "見本小学校")
    hub.admit(box)
    first = box.box.ledger
    (receipt,) = receipts(desk.hear(CODE, Lane.UP, batch(box)))
    # Nothing is wrong with one that knows its receipt. One that does not, hears it again with the root.
    assert receipts(desk.hear(CODE, Lane.STATE, State(True, 1, 1, 0))) == []
    (again,) = receipts(desk.hear(CODE, Lane.STATE, State(True, 1, 0, 0)))
    assert again == dataclasses.replace(receipt, root=first.root_at(1))
    assert again.root is not None
    head = open_checkpoint(again.checkpoint, again.root, again.origin, first.public_key)
    later = LaterHead(head, again.cosignature)
    begin_generation(box.box.database, box.device_key, box.box.clock, Reason.ROLLED_BACK, peer=later)
    box.box.look_again()
    assert hub.registry.overview()[0].online
    (ack,) = receipts(desk.hear(CODE, Lane.UP, batch(box)))
    assert ack.origin == box.box.school.origin == hub.registry.origin_of(CODE)
    (school,) = hub.registry.overview()
    assert (school.mirrored, school.online, school.size) == (2, True, None)
    assert [(one.before, one.carried, one.branch) for one in school.forks] == [(first.origin, 1, "complete")]
    assert [one for one in (record.msg for record in caplog.records) if one in ("hub.forked", "hub.branch")] == [
        "hub.forked",
        "hub.branch",
    ]
    # What another copy sends in the ledger before is refused, and answered with what proves that it is one.
    refusal, proof = (message for _, message in desk.hear(CODE, Lane.UP, earlier_batch(box, first)))
    assert isinstance(refusal, Refusal)
    assert refusal.code == "sync.other_school"
    assert proof == dataclasses.replace(ack, root=box.box.ledger.frontier().root())


def earlier_batch(box: FoundedBox, ledger: OwnLedger) -> Batch:
    head = ledger.head()
    assert head.checkpoint is not None
    return Batch(ledger.origin, 0, tuple(ledger.items(0, head.size)), head.checkpoint)


def test_a_new_generation_that_nobody_proved_is_refused_and_nothing_changes(
    desk: Desk, hub: FoundedHub, make_box: MakeBox
) -> None:
    box = make_box(CODE, "見本小学校")
    hub.admit(box)
    desk.hear(CODE, Lane.UP, batch(box))
    before = box.box.school.origin
    begin_generation(box.box.database, box.device_key, box.box.clock, Reason.ROLLED_BACK)
    box.box.look_again()
    answers = desk.hear(CODE, Lane.UP, batch(box))
    assert refusals(answers) == [(topic(CODE, Lane.ACK), "sync.other_school")]
    assert hub.registry.origin_of(CODE) == before
    assert hub.registry.overview()[0].forks == ()


def test_bodies_of_an_earlier_generation_are_erased_here_too_and_never_those_of_another_school(
    desk: Desk, hub: FoundedHub, make_box: MakeBox
) -> None:
    box, other = make_box(CODE, "見本小学校"), make_box(OTHER, "見本中学校")
    for one in (box, other):
        hub.admit(one)
        with one.box.ledger.append() as appending:
            appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"purpose": "visit"}))
    for code, one in ((CODE, box), (OTHER, other)):
        desk.hear(code, Lane.UP, batch(one))
    first = box.box.ledger
    key = SigningKey.make()
    origin = begin_generation(box.box.database, key, box.box.clock, Reason.RESTORED)
    ledger = OwnLedger.find(box.box.database, origin).attach(key, box.box.clock)
    request = make_request(box.box, box.line_key)
    asked = dataclasses.replace(request, origin=origin, device_key=key.public.pem().decode())
    admit(hub.settings, hub.database, hub.clock, asked, new_generation=True)
    desk.ingest._look_for_schools()
    with ledger.append() as appending:
        erase_earlier(appending, first, [1], "order")
    size = ledger.head().size
    sent = Batch(origin, 0, tuple(ledger.items(0, size)), ledger.checkpoint_at(size))
    assert isinstance(desk.hear(CODE, Lane.UP, sent)[0][1], Ack)
    earlier = MirrorLedger.find(hub.database, first.origin)
    assert [earlier.body(index) is None for index in range(2)] == [False, True]
    with ledger.append() as appending:
        tell_erased(appending, other.box.school.origin, [1], "hostile")
    hostile = Batch(origin, size, tuple(ledger.items(size, size + 1)), ledger.checkpoint_at(size + 1))
    assert refusals(desk.hear(CODE, Lane.UP, hostile)) == [(topic(CODE, Lane.ACK), "ledger.erasure")]
    assert MirrorLedger.find(hub.database, other.box.school.origin).body(1) is not None


def test_every_refusal_is_answered_and_remembered(desk: Desk, hub: FoundedHub, make_box: MakeBox) -> None:
    box, other = make_box(CODE, "見本小学校"), make_box(OTHER, "見本中学校")
    for one in (box, other):
        hub.admit(one)
    where = topic(CODE, Lane.ACK)
    assert refusals(desk.hear(CODE, Lane.UP, b"nonsense")) == [(where, "sync.malformed")]
    assert refusals(desk.hear(CODE, Lane.UP, batch(other))) == [(where, "sync.other_school")]
    assert hub.registry.overview()[0].refused_code == "sync.other_school"
    assert desk.hear(CODE, Lane.UP, batch(box))
    assert refusals(desk.hear(CODE, Lane.UP, batch(box))) == [(where, "sync.replayed")]
    assert hub.registry.overview()[0].refused_code == "sync.replayed"
    assert hub.registry.overview()[1].refused_code is None


def test_a_message_on_the_wrong_lane_changes_nothing(desk: Desk, hub: FoundedHub, make_box: MakeBox) -> None:
    box = make_box(CODE, "見本小学校")
    hub.admit(box)
    assert desk.hear(CODE, Lane.STATE, batch(box)) == []
    assert desk.hear(CODE, Lane.UP, State(True, 1, 0, 0)) == []
    (school,) = hub.registry.overview()
    assert (school.mirrored, school.online, school.refused_code) == (0, False, "sync.malformed")
    mirror = MirrorLedger.find(hub.database, box.box.school.origin)
    assert mirror.head().size == 0


def test_a_feed_goes_to_boxes_that_are_there(desk: Desk, hub: FoundedHub, make_box: MakeBox) -> None:
    hub.admit(make_box(CODE, "見本小学校"))
    assert desk.hear(CODE, Lane.STATE, State(False, 0, 0, 0)) == []
    ((where, feed),) = desk.hear(CODE, Lane.STATE, State(True, 9, 2, 0))
    assert where == topic(CODE, Lane.DOWN)
    assert isinstance(feed, Batch)
    assert (feed.first, len(feed.items)) == (0, 2)
    assert (hub.registry.overview()[0].online, hub.registry.overview()[0].pending) == (True, 7)
    assert desk.hear(CODE, Lane.STATE, State(True, 9, 9, 0)) == []  # one batch on its way is enough
    desk.line.events.put(LineDown("line.lost"))
    desk.ingest.step()
    assert hub.registry.overview()[0].online is False


def test_a_broken_database_answers_nothing_and_ends_nothing(desk: Desk, hub: FoundedHub, make_box: MakeBox) -> None:
    box = make_box(CODE, "見本小学校")
    hub.admit(box)
    desk.hear(CODE, Lane.STATE, State(True, 1, 0, 0))
    with hub.database.transaction() as transaction:
        transaction.run("ALTER TABLE entry RENAME TO gone")
    assert refusals(desk.hear(CODE, Lane.UP, batch(box))) == [(topic(CODE, Lane.ACK), "store.fault")]
    with hub.database.transaction() as transaction:
        transaction.run("ALTER TABLE gone RENAME TO entry")
    ((_, ack),) = desk.hear(CODE, Lane.UP, batch(box))
    assert isinstance(ack, Ack)


def test_a_disk_that_takes_nothing_for_a_while_keeps_no_box_from_its_feed(
    desk: Desk, hub: FoundedHub, make_box: MakeBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.admit(make_box(CODE, "見本小学校"))
    desk.hear(CODE, Lane.STATE, State(False, 0, 0, 0))
    with monkeypatch.context() as broken:
        for deed in ("note_state", "note_offline", "note_all_offline"):
            broken.setattr(Registry, deed, failing)
        ((_, feed),) = desk.hear(CODE, Lane.STATE, State(True, 9, 2, 0))
        assert isinstance(feed, Batch)
        desk.line.events.put(LineDown("line.lost"))
        desk.ingest.step()
    # What was missed does not stay so: it is there at the next word.
    ((_, feed),) = desk.hear(CODE, Lane.STATE, State(True, 9, 2, 0))
    assert isinstance(feed, Batch)
    assert hub.registry.overview()[0].online


def test_a_school_that_is_admitted_while_the_disk_fails_is_found_later(
    desk: Desk, hub: FoundedHub, make_box: MakeBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make_box(CODE, "見本小学校")
    admitting = Thread(target=hub.admit, args=(box,))  # a connection of its own, as the command has
    admitting.start()
    admitting.join()
    with monkeypatch.context() as broken:
        broken.setattr(Registry, "codes", failing)
        hub.clock.advance(1_000)
        desk.ingest.step()
    hub.clock.advance(1_000)
    desk.ingest.step()
    with monkeypatch.context() as blind:  # no word of it makes it look again
        blind.setattr(Registry, "codes", lambda _: [])
        ((_, ack),) = desk.hear(CODE, Lane.UP, batch(box))
    assert isinstance(ack, Ack)


def failing(*_: object) -> None:
    raise StoreError(reason="disk I/O error")


def test_what_the_box_appends_is_mirrored_with_its_bodies(desk: Desk, hub: FoundedHub, make_box: MakeBox) -> None:
    box = make_box(CODE, "見本小学校")
    hub.admit(box)
    with box.box.ledger.append() as appending:
        appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"purpose": "visit"}))
    desk.hear(CODE, Lane.UP, batch(box))
    mirror = MirrorLedger.find(hub.database, box.box.school.origin)
    body = mirror.body(1)
    assert body is not None
    assert body.read() == {"purpose": "visit"}
    assert b"visit" not in hub.database.path.read_bytes()


def test_a_box_that_changed_its_key_is_followed(
    desk: Desk, hub: FoundedHub, make_box: MakeBox, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    box, second = make_box(CODE, "見本小学校"), SigningKey.make()
    hub.admit(box)
    ledger = box.box.ledger
    period = ledger.hand_over(second)
    with ledger.append() as appending:
        appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"purpose": "visit"}))
    forged = dataclasses.replace(batch(box), successions=())
    assert refusals(desk.hear(CODE, Lane.UP, forged)) == [(topic(CODE, Lane.ACK), "ledger.key_history")]
    ((_, ack),) = desk.hear(CODE, Lane.UP, dataclasses.replace(batch(box), successions=(period.succession,)))
    assert isinstance(ack, Ack)
    assert MirrorLedger.find(hub.database, ledger.origin).keys == ledger.keys
    told = [one for one in caplog.records if one.message == "hub.device_key_changed"]
    assert len(told) == 1
    (school,) = hub.registry.overview()
    assert school.mirrored == ledger.head().size


def test_receipts_for_the_feed_are_of_the_newest_key(desk: Desk, hub: FoundedHub, make_box: MakeBox) -> None:
    box, second = make_box(CODE, "見本小学校"), SigningKey.make()
    bundle = hub.admit(box)
    period = box.box.ledger.hand_over(second)
    desk.hear(CODE, Lane.UP, dataclasses.replace(batch(box), successions=(period.succession,)))
    answers = desk.hear(CODE, Lane.STATE, State(True, 2, 2, 1))
    (sent,) = [one for _, one in answers if isinstance(one, Batch)]
    feed = OwnLedger.find(hub.database, bundle.feed_origin)
    opened = open_checkpoint(sent.checkpoint, feed.root_at(2), feed.origin, feed.keys)
    for key, size in ((box.device_key, 0), (second, 2)):
        cosignature = cosign(opened, box.box.school.origin, 1, key)
        desk.hear(CODE, Lane.UP, Ack(feed.origin, sent.checkpoint, cosignature))
        assert feed.head().cosigned_size == size


def test_a_revoked_box_hears_only_that_it_is_and_its_session_ends(
    desk: Desk, hub: FoundedHub, make_box: MakeBox
) -> None:
    box, ended = make_box(CODE, "見本小学校"), list[str]()
    hub.admit(box)
    desk.ingest._cut_off = ended.append
    desk.hear(CODE, Lane.STATE, State(True, 1, 0, 0))
    with Database.open(hub.database.path, CredentialSource(DATABASE_KEY)) as database:  # as a command of its own does
        Revocations(database).revoke(CODE, "lost", hub.clock.now_ms())
    hub.clock.advance(1_000)
    desk.line.events.put(LineUp())
    desk.ingest.step()
    told = [(paper.topic, paper.message) for paper in desk.line.take()]
    assert refusals(told) == [(topic(CODE, Lane.ACK), "hub.revoked")]
    assert ended == [CODE]
    assert refusals(desk.hear(CODE, Lane.UP, batch(box))) == [(topic(CODE, Lane.ACK), "hub.revoked")]
    assert desk.hear(CODE, Lane.STATE, State(True, 1, 0, 0)) == []
    (school,) = hub.registry.overview()
    assert (school.mirrored, school.online, school.refused_code) == (0, False, "hub.revoked")
    with Database.open(hub.database.path, CredentialSource(DATABASE_KEY)) as database:
        admit(hub.settings, database, hub.clock, make_request(box.box, box.line_key))
    hub.clock.advance(1_000)
    desk.line.events.put(LineUp())
    desk.ingest.step()
    assert isinstance(desk.hear(CODE, Lane.UP, batch(box))[-1][1], Ack)
