"""Which new generation the hub takes by itself, and which a person has to admit."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from appliance.errors import UntrustedError
from appliance.ledger.checkpoint import cosign, open_checkpoint, sign_checkpoint
from appliance.ledger.encoding import encode
from appliance.ledger.entry import Body, Entry, EntryType
from appliance.ledger.generation import Reason, Told
from appliance.ledger.keys import SigningKey
from appliance.ledger.merkle import Frontier, leaf_hash
from appliance.ledger.rollback import LaterHead
from appliance.ledger.succession import chain_of
from appliance.ledger.verify import Batch, Sealed, verify_batch
from appliance.programs.hub.succession import Successions
from appliance.services.generations import begin_generation
from appliance.services.opening import OpenBox, box_origin, open_box
from appliance.store.appending import Draft
from appliance.store.ledger import LedgerStore, NoLedgerError
from appliance.store.mirror import MirrorLedger
from tests.programs.hub.conftest import FoundedBox, FoundedHub

CODE = "B113299900018"
MakeBox = Callable[[str, str], FoundedBox]


class Story:
    """A box that the hub has mirrored, and an older copy of it that goes on."""

    def __init__(self, hub: FoundedHub, box: FoundedBox) -> None:
        self.hub, self.lost, self.key = hub, box.box, box.device_key
        self.successions = Successions(hub.database)
        self.hub_key = SigningKey.from_pem((hub.settings.hub.state_dir.parent / "hub-keys" / "hub.key").read_bytes())

    def record(self, box: OpenBox, count: int = 1) -> None:
        for number in range(count):
            with box.append() as appending:
                appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"number": number, "of": id(box)}))

    def mirror(self, box: OpenBox) -> None:
        """All of the box's ledger reaches the hub, and the receipt reaches the box."""
        ledger = box.ledger
        mirror = MirrorLedger.find(self.hub.database, ledger.origin)
        first, head = mirror.head().size, ledger.head()
        assert head.checkpoint is not None
        told = tuple(chain_of(ledger.keys))
        batch = Batch(ledger.origin, first, tuple(ledger.items(first, head.size)), head.checkpoint, told)
        last_ms = mirror.head().last_time_ms
        verified = verify_batch(batch, mirror.origin, mirror.frontier(), last_ms, mirror.keys)
        cosignature = cosign(verified.checkpoint, "hub.test", 1_790_000_000, self.hub_key)
        mirror.store(verified, cosignature, 1)
        ledger.confirm(head.checkpoint, cosignature, self.hub_key.public)

    def copy(self) -> OpenBox:
        while not self.lost.database.checkpoint():
            pass
        path = self.lost.database.path
        folder = path.parent.with_name("copy")
        folder.mkdir()
        (folder / path.name).write_bytes(path.read_bytes())
        return self.opened(folder)

    def opened(self, folder: Path) -> OpenBox:
        database_key = (self.lost.database.path.parent / "keys" / "database.key").read_bytes()
        return open_box(folder, database_key, self.key, self.lost.clock)

    def proof(self, size: int | None = None) -> LaterHead:
        """What the hub says of its mirror, or of an earlier state of it."""
        ledger = self.lost.ledger
        at = ledger.head().size if size is None else size
        head = open_checkpoint(ledger.checkpoint_at(at), ledger.root_at(at), ledger.origin, ledger.public_key)
        return LaterHead(head, cosign(head, "hub.test", 1_790_000_000, self.hub_key))

    def go_on(self, box: OpenBox, proof: LaterHead, **more: Any) -> Batch:
        """The first batch of the new generation."""
        given: dict[str, Any] = {"reason": Reason.ROLLED_BACK, "peer": proof} | more
        origin = begin_generation(box.database, self.key, box.clock, given.pop("reason"), **given)
        box.look_again()
        ledger = LedgerStore.find(box.database, origin)
        head = ledger.head()
        assert head.checkpoint is not None
        return Batch(origin, 0, tuple(ledger.items(0, head.size)), head.checkpoint)

    def origin(self) -> str | None:
        return self.hub.registry.origin_of(CODE)


@pytest.fixture
def story(hub: FoundedHub, make_box: MakeBox) -> Story:
    box = make_box(CODE, "見本小学校")
    hub.admit(box)
    story = Story(hub, box)
    story.record(box.box, 3)
    story.mirror(box.box)
    return story


@pytest.fixture
def older(story: Story) -> OpenBox:
    """The copy, with one visit on top; the hub has two more of the ledger that is lost."""
    older = story.copy()
    story.record(older)
    story.record(story.lost, 2)
    story.mirror(story.lost)
    return older


def test_a_box_that_was_put_back_is_taken_and_the_fork_is_shown(story: Story, older: OpenBox) -> None:
    before, own = older.school.origin, older.ledger.head().size
    batch = story.go_on(older, story.proof())
    taken = story.successions.take(batch, before, 77)
    assert story.origin() == older.school.origin == box_origin(CODE, 2)
    assert (taken.school, taken.reason, taken.at_ms, taken.before) == (CODE, "rolled back", 77, before)
    assert (taken.mirrored, taken.closed, taken.closed_size) == (6, before, own)
    assert (taken.first, taken.carried, taken.branch, taken.seen_ms) == (4, 1, "pending", None)
    assert LedgerStore.find(story.hub.database, before).head().size == 6
    assert story.successions.check(older.school.origin) is None  # nothing of it is here yet
    story.mirror(older)
    checked = story.successions.check(older.school.origin)
    assert checked == replace(taken, branch="complete")
    assert story.successions.check(older.school.origin) is None  # said once
    (school,) = story.hub.registry.overview()
    assert school.forks == (checked,)
    assert (school.mirrored, school.earlier) == (2, ((before, 6),))
    assert story.hub.registry.see(CODE, 99) == [checked]
    assert story.hub.registry.see(CODE, 100) == []
    assert story.hub.registry.overview()[0].forks == ()
    assert story.hub.registry.successions(CODE) == [replace(checked, seen_ms=99)]


def test_a_mirror_that_has_grown_meanwhile_is_no_hindrance(story: Story, older: OpenBox) -> None:
    # A batch of the lost ledger was still at the broker when the hub gave the proof.
    batch = story.go_on(older, story.proof(5))
    assert story.successions.take(batch, story.lost.school.origin, 1).mirrored == 6


def test_what_a_hub_that_was_killed_had_begun_is_taken(story: Story, older: OpenBox) -> None:
    batch = story.go_on(older, story.proof())
    MirrorLedger.add(story.hub.database, batch.origin, story.key.public)
    assert story.successions.take(batch, story.lost.school.origin, 1).origin == batch.origin


def outgrown(story: Story, older: OpenBox, *, told: bool = True) -> Batch:
    """The first batch of a copy that is older than a change of the key, as it begins at its next start."""
    ledger, present = story.lost.ledger, story.key
    story.key = SigningKey.make()
    ledger.hand_over(story.key)
    (succession,) = chain_of(ledger.keys)
    followed = [Told(ledger.origin, succession)] if told else []
    assert older.ledger.public_key == present.public
    return story.go_on(older, story.proof(), peer=None, followed=followed)


def test_a_copy_older_than_the_key_is_taken_by_a_hub_that_never_heard_of_the_change(
    story: Story, older: OpenBox
) -> None:
    before = older.school.origin
    batch = outgrown(story, older)
    taken = story.successions.take(batch, before, 77)
    assert (taken.before, taken.mirrored, taken.carried) == (before, 6, 1)
    assert MirrorLedger.find(story.hub.database, batch.origin).public_key == story.key.public
    story.mirror(story.opened(older.database.path.parent))
    assert story.successions.check(batch.origin) == replace(taken, branch="complete")


def test_a_copy_older_than_the_key_is_taken_by_a_hub_that_knows_the_change(story: Story, older: OpenBox) -> None:
    before, batch = older.school.origin, outgrown(story, older)
    story.lost = story.opened(story.lost.database.path.parent)
    story.mirror(story.lost)
    mirror = MirrorLedger.find(story.hub.database, before)
    assert mirror.public_key == story.key.public
    assert story.successions.take(batch, before, 1).origin == batch.origin


def test_a_key_that_nobody_leads_to_is_refused(story: Story, older: OpenBox) -> None:
    refused(story, outgrown(story, older, told=False))


def test_a_change_that_the_copy_has_is_no_proof_that_it_is_older(story: Story) -> None:
    story.key = SigningKey.make()
    ledger = story.lost.ledger
    ledger.hand_over(story.key)
    told = [Told(ledger.origin, one) for one in chain_of(ledger.keys)]
    refused(story, story.go_on(story.lost, story.proof(), peer=None, followed=told))


def test_changes_that_are_no_such_thing_are_refused(story: Story, older: OpenBox) -> None:
    batch = outgrown(story, older)
    entry, body = Entry.decode(batch.items[0].entry), batch.items[0].body
    assert body is not None
    for wrong in (7, [7], [["origin"]], [[b"origin", b"x"]], [["origin", "x"]], "text"):
        other = Body(body.salt, encode(body.read() | {"followed": wrong}))
        forged = Sealed(replace(entry, commitment=other.commitment()).encode(), other)
        refused(story, replace(batch, items=(forged, *batch.items[1:])))


def refused(story: Story, batch: Batch) -> None:
    known = story.origin()
    assert known is not None
    with pytest.raises(UntrustedError):
        story.successions.take(batch, known, 1)
    assert story.origin() == known
    assert story.hub.registry.successions(CODE) == []
    with pytest.raises(NoLedgerError):
        MirrorLedger.find(story.hub.database, box_origin(CODE, 2))


def test_a_part_of_it_or_a_spoilt_one_is_refused(story: Story, older: OpenBox) -> None:
    batch = story.go_on(older, story.proof())
    other = replace(batch.items[0], body=None)
    for wrong in (
        replace(batch, first=1),
        replace(batch, items=batch.items[1:]),
        replace(batch, items=()),
        replace(batch, items=(other, *batch.items[1:])),
        replace(batch, checkpoint=older.ledger.checkpoint_at(1)),
        replace(batch, origin=story.lost.school.origin),
        replace(batch, origin=box_origin("C113299900028", 2)),
        replace(batch, origin=box_origin(CODE, 3)),
    ):
        refused(story, wrong)


def test_another_key_is_for_a_person_to_admit(story: Story, older: OpenBox) -> None:
    story.key = SigningKey.make()
    begin_generation(older.database, story.key, older.clock, Reason.ROLLED_BACK, peer=story.proof())
    ledger = LedgerStore.find(older.database, box_origin(CODE, 2))
    head = ledger.head()
    assert head.checkpoint is not None
    refused(story, Batch(ledger.origin, 0, tuple(ledger.items(0, head.size)), head.checkpoint))


def test_without_a_proof_of_this_hub_it_is_refused(story: Story, older: OpenBox) -> None:
    refused(story, story.go_on(older, story.proof(), peer=None))


def test_a_restored_box_is_for_a_person_to_admit(story: Story, older: OpenBox) -> None:
    refused(story, story.go_on(older, story.proof(), reason=Reason.RESTORED))


def test_a_head_that_this_hub_never_had_is_refused(story: Story, older: OpenBox) -> None:
    story.record(story.lost)  # signed by the box, and never mirrored
    refused(story, story.go_on(older, story.proof()))


def test_another_tree_of_the_same_size_is_refused(story: Story, older: OpenBox) -> None:
    true, ledger = story.proof(), older.ledger
    forged = open_checkpoint(ledger.checkpoint_at(5), ledger.root_at(5), ledger.origin, ledger.public_key)
    refused(story, story.go_on(older, replace(true, head=forged)))


def test_a_first_entry_of_another_kind_is_refused(story: Story, older: OpenBox) -> None:
    origin = box_origin(CODE, 2)
    body = story.go_on(older, story.proof()).items[0].body
    assert body is not None
    entry = Entry(EntryType.BOX_STARTED.number, 1, 1, 0, 1, 0, 0, (), body.commitment())
    frontier = Frontier()
    frontier.append(leaf_hash(entry.encode()))
    head = sign_checkpoint(origin, 1, frontier.root(), 1, story.key)
    refused(story, Batch(origin, 0, (Sealed(entry.encode(), body),), head))


def test_a_branch_with_a_hole_is_said_to_be_one(story: Story, older: OpenBox) -> None:
    before = older.school.origin
    batch = story.go_on(older, story.proof())
    story.successions.take(batch, before, 1)
    story.mirror(older)
    with story.hub.database.transaction() as transaction:
        transaction.run("UPDATE entry SET body = NULL WHERE id >> 44 = (SELECT max(id) FROM ledger) AND id & 255 = 1")
    checked = story.successions.check(older.school.origin)
    assert checked is not None
    assert checked.branch == "incomplete"


def test_a_generation_that_a_person_admitted_is_remembered_as_seen(story: Story, older: OpenBox) -> None:
    story.go_on(older, story.proof(), reason=Reason.RESTORED, peer=None)
    MirrorLedger.add(story.hub.database, older.school.origin, story.key.public)
    story.mirror(older)
    story.successions.note_admitted(CODE, older.school.origin, 5)
    story.successions.note_admitted(CODE, older.school.origin, 6)
    checked = story.successions.check(older.school.origin)
    assert checked is not None
    assert (checked.reason, checked.branch, checked.seen_ms) == ("restored", "complete", 5)
    assert story.hub.registry.overview()[0].forks == ()


def test_a_first_generation_is_no_succession(story: Story) -> None:
    story.successions.note_admitted(CODE, story.lost.school.origin, 5)
    assert story.hub.registry.successions(CODE) == []
