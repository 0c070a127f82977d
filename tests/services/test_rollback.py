"""A box that the hub proves to be an older copy begins a new generation by itself, once, and not again and again."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.ledger.checkpoint import cosign, open_checkpoint
from appliance.ledger.entry import EntryType
from appliance.ledger.generation import NamedHead, Reason, Told
from appliance.ledger.keys import SigningKey
from appliance.ledger.rollback import Claim, LaterHead, verify_later_head
from appliance.ledger.signers import SigningPeriod
from appliance.ledger.succession import leading_on, sign_succession
from appliance.services import rollback as module
from appliance.services.audit import audit
from appliance.services.device_key_rotation import remember_keys
from appliance.services.enrolment import EnrolmentStore
from appliance.services.generations import begin_generation, opening_of
from appliance.services.opening import OpenBox, box_origin, open_box
from appliance.services.rollback import PAUSE_MS, Rollback, outgrown_generation
from appliance.store.appending import Draft
from appliance.store.database import Database
from appliance.store.faults import DiskFullError
from appliance.store.key_memory import KeyMemory
from appliance.store.ledger import LedgerStore, SigningKeyError
from tests.school.small import CODE
from tests.sim.box import DATABASE_KEY, confirm
from tests.sim.clock import ManualClock

HUB = SigningKey.make()


def record(box: OpenBox, name: str) -> int:
    with box.append() as appending:
        return appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"name": name}))


class Copied:
    """A box, and an older copy of its database that can be put back."""

    def __init__(self, box: OpenBox, device_key: SigningKey, clock: ManualClock) -> None:
        self.first, self.device_key, self.clock = box, device_key, clock
        self.folder = box.database.path.parent
        self.opened: list[OpenBox] = []

    def copy(self) -> bytes:
        while not self.first.database.checkpoint():
            pass
        return self.first.database.path.read_bytes()

    def put_back(self, copy: bytes, folder: Path | None = None) -> OpenBox:
        """What an older copy would be opened as; the newer one stays open, as the hub's memory of it."""
        target = folder or self.folder.with_name(f"state-{len(self.opened)}")
        target.mkdir()
        (target / "box.db").write_bytes(copy)
        note = self.folder / "box.head"
        if note.exists():
            (target / "box.head").write_bytes(note.read_bytes())
        self.opened.append(self.open(target))
        return self.opened[-1]

    def open(self, folder: Path) -> OpenBox:
        return open_box(folder, DATABASE_KEY, self.device_key, self.clock)

    def hub_has(self, lost: OpenBox, box: OpenBox) -> LaterHead:
        """The proof that the hub gives, which holds all of ``lost``."""
        ledger = lost.ledger
        size, root = ledger.head().size, ledger.frontier().root()
        head = open_checkpoint(ledger.checkpoint_at(size), root, ledger.origin, ledger.public_key)
        claim = Claim(head.origin, head.cose, cosign(head, "hub.test", 1_790_000_000, HUB), root)
        own = box.ledger
        later = verify_later_head(claim, own.origin, own.head().size, own.root_at, own.public_key, HUB.public)
        assert later is not None
        return later


@pytest.fixture
def copied(box: OpenBox, device_key: SigningKey, clock: ManualClock) -> Iterator[Copied]:
    copied = Copied(box, device_key, clock)
    yield copied
    for one in copied.opened:
        one.database.close()


def test_it_begins_a_generation_that_names_what_is_here_and_what_the_hub_has(copied: Copied, box: OpenBox) -> None:
    record(box, "confirmed")
    confirm(box, box.ledger.head().size, HUB)
    record(box, "in the copy, and not confirmed there")
    with box.database.transaction() as transaction:
        transaction.run("INSERT INTO enrolment VALUES (1, '{}', 1)")
    copy = copied.copy()
    for number in range(3):
        record(box, f"lost {number}")
    older = copied.put_back(copy)
    own = record(older, "on top of the copy")
    closed = older.ledger
    proof = copied.hub_has(box, older)
    origin = Rollback(older).answer(proof)
    assert origin == older.school.origin == older.ledger.origin == box_origin(box.school.code, 2)
    opening = opening_of(older.ledger)
    assert opening is not None
    assert opening.reason is Reason.ROLLED_BACK
    assert opening.previous == NamedHead(closed.origin, own + 1, closed.frontier().root())
    assert opening.peer == NamedHead(closed.origin, box.ledger.head().size, box.ledger.frontier().root())
    assert (opening.first, opening.count) == (closed.head().cosigned_size, own + 1 - closed.head().cosigned_size)
    assert opening.count == 2
    assert older.ledger.head().size == 1 + opening.count
    assert closed.head().size == own + 1
    assert older.database.rows("SELECT bundle FROM enrolment") == [("{}",)]  # the keys are the same: it stays
    assert audit(older, HUB.public).faults == []
    noted = older.note.read()
    assert noted is not None
    assert (noted.origin, noted.size) == (origin, older.ledger.head().size)


def test_the_same_proof_begins_no_further_generation(copied: Copied, box: OpenBox) -> None:
    copy = copied.copy()
    record(box, "lost")
    older = copied.put_back(copy)
    proof = copied.hub_has(box, older)
    rollback = Rollback(older)
    origin = rollback.answer(proof)
    assert rollback.answer(proof) == origin
    copied.clock.advance(2 * PAUSE_MS)
    assert Rollback(older).answer(proof) == origin


def test_two_boxes_with_one_key_do_not_chase_each_other(copied: Copied, box: OpenBox) -> None:
    copy = copied.copy()
    record(box, "lost")
    one, other = copied.put_back(copy), copied.put_back(copy)
    chase = [Rollback(one), Rollback(other)]
    assert chase[0].answer(copied.hub_has(box, one)) == box_origin(box.school.code, 2)
    assert chase[1].answer(copied.hub_has(one, other)) == box_origin(box.school.code, 3)
    for _ in range(100):
        assert chase[0].answer(copied.hub_has(other, one)) is None
    record(one, "still served")
    copied.clock.advance(PAUSE_MS)
    assert chase[0].answer(copied.hub_has(other, one)) == box_origin(box.school.code, 4)
    opening = opening_of(one.ledger)
    assert opening is not None
    assert opening.peer is not None
    assert opening.peer.origin == box_origin(box.school.code, 3)


def test_a_copy_from_before_an_earlier_generation_takes_a_number_of_its_own(copied: Copied, box: OpenBox) -> None:
    copy = copied.copy()
    record(box, "lost")
    second = copied.put_back(copy)
    Rollback(second).answer(copied.hub_has(box, second))
    again = copied.put_back(copy)
    assert Rollback(again).answer(copied.hub_has(second, again)) == box_origin(box.school.code, 3)
    # The hub has heard of none of them here, but the note beside the database has.
    last = copied.put_back(copy)
    (last.database.path.parent / "box.head").write_bytes((again.database.path.parent / "box.head").read_bytes())
    assert Rollback(last).answer(copied.hub_has(box, last)) == box_origin(box.school.code, 4)


@pytest.mark.parametrize("spoil", [lambda path: path.write_bytes(b"x" * 512), lambda path: path.unlink()])
def test_a_note_that_says_nothing_does_not_matter(
    copied: Copied, box: OpenBox, spoil: Callable[[Path], object]
) -> None:
    copy = copied.copy()
    record(box, "lost")
    older = copied.put_back(copy)
    spoil(older.database.path.parent / "box.head")
    assert Rollback(older).answer(copied.hub_has(box, older)) == box_origin(box.school.code, 2)


class Killed(BaseException):
    """The power goes."""


@pytest.mark.parametrize("at", ["EvidenceStore.forget_certificates", "carried_content", "LedgerClock"])
def test_what_is_killed_has_begun_nothing_and_is_begun_again(
    at: str, copied: Copied, box: OpenBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = copied.copy()
    record(box, "lost")
    older = copied.put_back(copy)
    own = record(older, "on top")
    proof = copied.hub_has(box, older)

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(f"appliance.services.generations.{at}", kill)
        with pytest.raises(Killed):
            Rollback(older).answer(proof)
    assert older.school.origin == box.school.origin
    assert record(older, "guardians go on") == own + 1
    assert Rollback(older).answer(proof) == box_origin(box.school.code, 2)
    opening = opening_of(older.ledger)
    assert opening is not None
    assert opening.previous.size == own + 2
    assert audit(older, None).faults == []


class Outgrown(Copied):
    """A box whose key was changed after the copy was made."""

    def change_key(self, box: OpenBox | None = None) -> SigningKey:
        successor = SigningKey.make()
        opened = box or self.first
        opened.ledger.hand_over(successor)
        remember_keys(opened.database)
        self.device_key = successor
        return successor

    def put_back(self, copy: bytes, folder: Path | None = None) -> OpenBox:
        target = folder or self.folder.with_name(f"state-{len(self.opened)}")
        target.mkdir()
        (target / "box.db").write_bytes(copy)
        for name in ("box.head", "box.signers"):
            if (self.folder / name).exists():
                (target / name).write_bytes((self.folder / name).read_bytes())
        return self.started(target)

    def started(self, folder: Path) -> OpenBox:
        """As a box starts: first of all it looks whether the key fits."""
        with Database.open(folder / "box.db", DATABASE_KEY) as database:
            self.begun = outgrown_generation(database, [self.device_key], self.clock)
        self.opened.append(self.open(folder))
        return self.opened[-1]


@pytest.fixture
def outgrown(box: OpenBox, device_key: SigningKey, clock: ManualClock) -> Iterator[Outgrown]:
    outgrown = Outgrown(box, device_key, clock)
    yield outgrown
    for one in outgrown.opened:
        one.database.close()


def test_a_copy_older_than_the_key_goes_on_with_the_new_one(outgrown: Outgrown, box: OpenBox) -> None:
    record(box, "in the copy")
    copy = outgrown.copy()
    first = box.ledger.public_key
    key = outgrown.change_key()
    record(box, "lost")
    older = outgrown.put_back(copy)
    assert outgrown.begun == older.school.origin == box_origin(box.school.code, 2)
    opening = opening_of(older.ledger)
    assert opening is not None
    assert (opening.reason, opening.peer) == (Reason.ROLLED_BACK, None)
    assert (opening.previous.origin, opening.previous.size) == (box.school.origin, 2)
    assert (opening.first, opening.count) == (0, 2)
    ((told, period),) = leading_on(box.school.origin, SigningPeriod(0, first), opening.followed)
    assert (told.origin, period.key, period.change) == (box.school.origin, key.public, 2)
    record(older, "guardians go on")
    assert older.ledger.public_key == key.public
    assert audit(older, None).faults == []
    noted = older.note.read()
    assert noted is not None
    assert noted.origin == older.school.origin
    outgrown.started(older.database.path.parent)
    assert outgrown.begun is None  # and not again at the next start


def test_the_way_leads_over_several_changes_and_generations(outgrown: Outgrown, box: OpenBox) -> None:
    copy = outgrown.copy()
    outgrown.change_key()
    outgrown.change_key()
    record(box, "lost")
    second = outgrown.put_back(copy)
    assert outgrown.begun == box_origin(box.school.code, 2)
    outgrown.change_key(second)
    for name in ("box.head", "box.signers"):
        (outgrown.folder / name).write_bytes((second.database.path.parent / name).read_bytes())
    third = outgrown.put_back(copy)
    assert outgrown.begun == third.school.origin == box_origin(box.school.code, 3)
    opening = opening_of(third.ledger)
    assert opening is not None
    assert [one.origin for one in opening.followed] == [box_origin(box.school.code, n) for n in (1, 1, 2)]


def test_a_generation_that_only_the_note_knows_is_not_begun_twice(outgrown: Outgrown, box: OpenBox) -> None:
    copy = outgrown.copy()
    outgrown.change_key()
    later = outgrown.copy()
    record(box, "lost")
    second = outgrown.put_back(later)
    Rollback(second).answer(outgrown.hub_has(box, second))
    (outgrown.folder / "box.head").write_bytes((second.database.path.parent / "box.head").read_bytes())
    outgrown.put_back(copy)
    assert outgrown.begun == box_origin(box.school.code, 3)


def spoilt_memory(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def another_memory(path: Path) -> None:
    path.unlink()
    cose = sign_succession(box_origin(str(CODE), 1), 4, SigningKey.make(), SigningKey.make())
    KeyMemory(path).add([Told(box_origin(str(CODE), 1), cose)])


@pytest.mark.parametrize("spoil", [Path.unlink, spoilt_memory, another_memory])
def test_without_a_proof_nothing_is_begun_and_the_programs_say_why(
    outgrown: Outgrown, box: OpenBox, spoil: Callable[[Path], None]
) -> None:
    copy = outgrown.copy()
    outgrown.change_key()
    spoil(outgrown.folder / "box.signers")
    with pytest.raises(SigningKeyError):
        outgrown.put_back(copy)
    assert outgrown.begun is None


def test_a_box_of_the_same_key_is_left_alone(outgrown: Outgrown, box: OpenBox) -> None:
    outgrown.change_key()
    copy = outgrown.copy()
    record(box, "lost")
    older = outgrown.put_back(copy)
    assert outgrown.begun is None
    assert older.school.origin == box.school.origin


@pytest.mark.parametrize("at", ["EvidenceStore.forget_certificates", "carried_content", "LedgerClock"])
def test_a_start_that_is_killed_begins_it_at_the_next(
    at: str, outgrown: Outgrown, box: OpenBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = outgrown.copy()
    outgrown.change_key()

    def kill(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(f"appliance.services.generations.{at}", kill)
        with pytest.raises(Killed):
            outgrown.put_back(copy)
    older = outgrown.started(outgrown.folder.with_name("state-0"))
    assert outgrown.begun == older.school.origin == box_origin(box.school.code, 2)
    assert audit(older, None).faults == []


def test_a_full_disk_has_room_for_it_in_the_reserve(
    copied: Copied, box: OpenBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    copy = copied.copy()
    record(box, "lost")
    older = copied.put_back(copy)
    older.room.restore()
    begun: list[bool] = []
    true_begin = begin_generation

    def full_once(*given: object, **named: object) -> str:
        begun.append(True)
        if len(begun) == 1:
            raise DiskFullError()
        return true_begin(*given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(module, "begin_generation", full_once)
    assert Rollback(older).answer(copied.hub_has(box, older)) is not None
    assert older.room.reserve.given_up


def test_the_ledger_before_can_be_read_and_is_never_written_again(copied: Copied, box: OpenBox) -> None:
    copy = copied.copy()
    record(box, "lost")
    older = copied.put_back(copy)
    closed, kiosk = older.school.origin, copied.open(older.database.path.parent)
    copied.opened.append(kiosk)
    record(kiosk, "before")
    Rollback(older).answer(copied.hub_has(box, older))
    index = record(kiosk, "after")
    assert kiosk.school.origin == older.school.origin != closed
    assert kiosk.ledger.entry(index).type == EntryType.GUARDIAN_AUTHENTICATED.number
    earlier = LedgerStore.find(older.database, closed)
    body = earlier.body(earlier.head().size - 1)
    assert body is not None
    assert body.read() == {"name": "before"}
    assert EnrolmentStore(kiosk.database).find() is None


def test_what_the_hub_has_confirmed_is_not_carried(copied: Copied, box: OpenBox) -> None:
    copy = copied.copy()
    record(box, "lost")
    older = copied.put_back(copy)
    confirm(older, 1, HUB)
    proof = copied.hub_has(box, older)
    Rollback(older).answer(proof)
    opening = opening_of(older.ledger)
    assert opening is not None
    assert (opening.first, opening.count) == (1, 0)
    assert older.ledger.head().size == 1
