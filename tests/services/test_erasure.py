"""Content goes by rule or by order, and then nothing of it is left anywhere."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.ledger.entry import EntryType
from appliance.ledger.generation import Reason
from appliance.ledger.keys import SigningKey
from appliance.ledger.recipient import Recipient
from appliance.school.retention import Retention, Rule
from appliance.services.audit import audit, audit_earlier
from appliance.services.check_in import CheckIn
from appliance.services.erasure import AT_ONCE, Erasure, ErasureKeptError, SealErasureError
from appliance.services.generations import GenerationError, begin_generation, find_generation
from appliance.services.link_codes import LinkCodes
from appliance.services.opening import OpenBox, open_box
from appliance.store.appending import Draft
from appliance.store.body_keys import BodyKeys
from appliance.store.database import Database
from appliance.store.evidence import EvidenceStore
from appliance.store.ledger import LedgerStore, SupersededError
from appliance.store.tree import NoEntryError, entry_id
from tests.services.conftest import STAFF, Visitor
from tests.sim.backup import NEW_DATABASE_KEY, NewBox, back_up
from tests.sim.box import DATABASE_KEY
from tests.sim.clock import ManualClock
from tests.sim.fixtures import MakeCard
from tests.sim.pages import holds, plain_pages

DAY_MS = 86_400_000
HOLDER, NEXT = Recipient.make(), SigningKey.make()
ITEMS = (b"sealed evidence of what is kept", b"sealed evidence of what is to go")
SMALL, LARGE = b"a body in one page", b"a body that needs pages of its own " * 400


@pytest.fixture
def erasure(box: OpenBox) -> Erasure:
    return Erasure(box, EvidenceStore(box.database), Retention({Rule.ACCESS_LOG: 5}))


def record(box: OpenBox, content: bytes, kind: EntryType = EntryType.GUARDIAN_AUTHENTICATED) -> int:
    with box.ledger.append() as appending:
        return appending.add(Draft(kind, {"what": content}))


def traces(box: OpenBox, index: int, ledger: LedgerStore | None = None) -> list[bytes]:
    """Bytes by which the content could be found or opened again: the sealed body and its key."""
    number = (ledger or box.ledger)._number
    (sealed,) = box.database.row("SELECT body FROM entry WHERE id = ?", (entry_id(number, index),)) or (b"",)
    key = BodyKeys(box.database, number).key(index)
    assert key is not None
    return [sealed[:64], sealed[-64:], key]


def earlier_seed(box: OpenBox, ledger: LedgerStore) -> bytes:
    """The secret from which the key of every body of a ledger comes, before any was erased."""
    ((seed,),) = box.database.rows("SELECT seed FROM body_seed WHERE id >> 44 = ?", (ledger._number,))
    return bytes(seed)


def test_after_an_order_nothing_is_left_in_database_log_or_free_pages(box: OpenBox, erasure: Erasure) -> None:
    kept = record(box, b"kept")
    small, large = record(box, SMALL), record(box, LARGE)
    box.database.checkpoint()
    wanted = traces(box, small)[:2] + traces(box, large)[:2]
    assert all(holds(box.database.path, DATABASE_KEY, one) for one in wanted)  # or the search proves nothing
    root = box.database.rows("SELECT seed FROM body_seed")[0][0]
    assert holds(box.database.path, DATABASE_KEY, root)
    keys = [traces(box, small)[2], traces(box, large)[2]]
    with Database.open(box.database.path, DATABASE_KEY) as reader:  # an old page may still be in its log
        reader.rows("SELECT * FROM entry")
        erased = erasure.order({None: [small, large, small]}, "court order 12 of 2026")
    assert (erased.count, erased.cleaned) == (2, True)
    for one in (*wanted, *keys, root):
        assert not holds(box.database.path, DATABASE_KEY, one)
    assert [box.ledger.body(index) is None for index in (kept, small, large)] == [False, True, True]
    last = box.ledger.head().size - 1
    assert box.ledger.entry(last).refs == (small, large)
    body = box.ledger.body(last)
    assert body is not None
    assert body.read() == {"rule": "order: court order 12 of 2026"}
    assert audit(box, None).good


def test_a_log_that_somebody_reads_is_said_to_be_uncleaned(box: OpenBox, erasure: Erasure) -> None:
    index = record(box, SMALL)
    sealed = traces(box, index)[0]
    with Database.open(box.database.path, DATABASE_KEY) as reader:
        reader.rows("BEGIN")
        reader.rows("SELECT count(*) FROM entry")
        box.database.rows("PRAGMA busy_timeout = 50")
        assert not erasure.order({None: [index]}, "order").cleaned
    assert erasure.run().cleaned
    assert not any(sealed in page for page in plain_pages(box.database.path, DATABASE_KEY))


def test_the_rule_erases_what_is_older_and_leaves_the_rest(box: OpenBox, erasure: Erasure, clock: ManualClock) -> None:
    begun = clock.ms
    old = [record(box, b"old") for _ in range(3)]
    kept = record(box, b"staff are kept", EntryType.STAFF_ADDED)
    clock.ms = begun + 400 * DAY_MS
    young = record(box, b"young")
    now = datetime.fromtimestamp(begun / 1000, UTC)
    due = now.replace(year=now.year + 5, day=min(now.day, 28)).timestamp() * 1000
    clock.ms = int(due) - 1000
    assert erasure.due() == []
    assert erasure.run().count == 0
    clock.ms = int(due) + 5 * DAY_MS
    assert [(one.rule, one.indices) for one in erasure.due()] == [(Rule.ACCESS_LOG, old)]
    assert erasure.run().count == 3
    assert [box.ledger.body(index) is None for index in (*old, kept, young)] == [True, True, True, False, False]
    body = box.ledger.body(box.ledger.head().size - 1)
    assert body is not None
    assert body.read() == {"rule": "access_log"}
    assert erasure.run().count == 0
    assert audit(box, None).good


def test_a_school_year_goes_in_several_transactions(box: OpenBox, erasure: Erasure, clock: ManualClock) -> None:
    with box.ledger.append() as appending:
        for number in range(AT_ONCE + 1):
            appending.add(Draft(EntryType.STAFF_SIGNED_IN, {"number": number}))
    size = box.ledger.head().size
    clock.ms += 6 * 366 * DAY_MS
    assert erasure.run().count == AT_ONCE + 1
    assert box.ledger.entry(size + 1).type == EntryType.BODY_ERASED.number
    assert len(box.ledger.entry(box.ledger.head().size - 1).refs) == 1
    assert audit(box, None).good


def test_evidence_goes_with_its_act_and_a_certificate_with_the_last_that_refers_to_it(
    box: OpenBox, erasure: Erasure, clock: ManualClock, check_in: CheckIn, link_codes: LinkCodes, make_card: MakeCard
) -> None:
    visitor = Visitor(check_in, make_card())
    code = link_codes.issue("mother", STAFF).code
    visitor.visit(check_in.accept_code(code.digits, 0))
    (certificate,) = [
        index for index, entry in box.ledger.with_bodies() if entry.type == EntryType.CARD_CERTIFICATE.number
    ]
    clock.ms += 400 * DAY_MS
    later = visitor.visit()
    assert box.ledger.entry(later).refs == (certificate,)
    clock.ms += 5 * 366 * DAY_MS - 400 * DAY_MS
    assert erasure.run().count > 0
    assert box.database.rows("SELECT entry FROM evidence ORDER BY entry") == [(certificate,), (later,)]
    clock.ms += 400 * DAY_MS
    assert erasure.run().count == 2
    assert box.database.rows("SELECT * FROM evidence") == []
    assert box.database.rows("SELECT * FROM card_certificate") == []
    assert audit(box, None).good


def go_on(box: OpenBox, clock: ManualClock) -> OpenBox:
    begin_generation(box.database, NEXT, clock, Reason.RESTORED)
    return open_box(box.database.path.parent, DATABASE_KEY, NEXT, clock)


def erasing(box: OpenBox) -> Erasure:
    return Erasure(box, EvidenceStore(box.database), Retention({Rule.ACCESS_LOG: 5}))


def test_after_an_order_nothing_of_an_earlier_generation_is_left_here_or_in_a_later_backup(
    box: OpenBox, clock: ManualClock, tmp_path: Path
) -> None:
    kept, large = record(box, b"kept"), record(box, LARGE)
    with box.database.transaction() as transaction:
        transaction.run("INSERT INTO evidence_epoch VALUES (x'00', x'00', 1)")
        for number, entry in enumerate((kept, large)):
            transaction.run("INSERT INTO evidence VALUES (?, x'00', ?, ?, 1)", (bytes([number]), ITEMS[number], entry))
    later = go_on(box, clock)
    same_index = record(later, SMALL)
    while same_index < large:
        same_index = record(later, SMALL)
    box.database.checkpoint()
    earlier = find_generation(later, 1)
    wanted = [*traces(later, large, earlier), ITEMS[1]]
    path = later.database.path
    assert all(holds(path, DATABASE_KEY, one) for one in (*wanted[:2], ITEMS[1]))  # or the search proves nothing
    root = earlier_seed(later, earlier)
    assert holds(path, DATABASE_KEY, root)
    erased = erasing(later).order({1: [large, large]}, "court order 12 of 2026")
    assert (erased.count, erased.cleaned) == (1, True)
    for one in (*wanted, root):
        assert not holds(path, DATABASE_KEY, one)
    assert [earlier.body(kept) is None, earlier.body(large) is None, later.ledger.body(large) is None] == [
        False,
        True,
        False,
    ]
    (said,) = [index for index, _ in later.ledger.of_type(EntryType.EARLIER_BODY_ERASED)]
    body = later.ledger.body(said)
    assert body is not None
    assert body.read() == {"origin": earlier.origin, "indices": [large], "rule": "order: court order 12 of 2026"}
    assert later.database.rows("SELECT entry FROM evidence") == [(kept,)]
    assert audit(later, None).good
    assert audit_earlier(later.database, earlier, None).good
    # Restored from a backup of now: neither content nor key, and the newest ledger still knows why.
    made = back_up(later, HOLDER, tmp_path / "out")
    new_box = NewBox(tmp_path / "new", clock)
    assert new_box.restore(HOLDER, made.backup, made.keys).erased == 0
    restored = new_box.open()
    restored.database.checkpoint()
    for one in (*wanted, root):
        assert not holds(restored.database.path, NEW_DATABASE_KEY, one)
    assert audit_earlier(restored.database, find_generation(restored, 1), None).told_later == 1
    for opened in (later, restored):
        opened.database.close()


def test_the_rule_looks_at_every_generation(box: OpenBox, clock: ManualClock) -> None:
    old = [record(box, b"old") for _ in range(2)]
    kept = record(box, b"staff are kept", EntryType.STAFF_ADDED)
    later = go_on(box, clock)
    also_old = record(later, b"old")
    clock.ms += 400 * DAY_MS
    young = record(later, b"young")
    clock.ms += 5 * 366 * DAY_MS - 400 * DAY_MS
    erasure = erasing(later)
    assert [(one.generation, one.indices) for one in erasure.due()] == [(1, old), (2, [also_old])]
    assert erasure.run().count == 3
    earlier = find_generation(later, 1)
    assert [earlier.body(index) is None for index in (*old, kept)] == [True, True, False]
    assert [later.ledger.body(index) is None for index in (also_old, young)] == [True, False]
    assert erasure.run().count == 0
    assert audit_earlier(later.database, earlier, None).good
    assert audit(later, None).good
    later.database.close()


def test_an_order_for_several_generations_is_carried_out_whole_or_not_at_all(box: OpenBox, clock: ManualClock) -> None:
    first = record(box, SMALL)
    later = go_on(box, clock)
    second = record(later, SMALL)
    erasure = erasing(later)
    size = later.ledger.head().size
    with pytest.raises(NoEntryError):
        erasure.order({None: [second], 1: [first, 99]}, "order")
    with pytest.raises(GenerationError):
        erasure.order({1: [first], 3: [0]}, "order")
    assert later.ledger.head().size == size
    assert erasure.order({2: [second], 1: [first]}, "order").count == 2
    assert (find_generation(later, 1).body(first), later.ledger.body(second)) == (None, None)
    # The entry that says so stays as it is: the earlier ledger would have no explanation without it.
    (said,) = [index for index, _ in later.ledger.of_type(EntryType.EARLIER_BODY_ERASED)]
    with pytest.raises(ErasureKeptError):
        erasure.order({None: [said]}, "order")
    assert later.ledger.body(said) is not None
    # Nor what carries it on, because the same content would go where it stood first.
    third = go_on(later, clock)
    carrying = next(
        index
        for index, entry in third.ledger.of_type(EntryType.RECORD_CARRIED)
        if (body := third.ledger.body(index)) is not None and body.read()["index"] == said
    )
    with pytest.raises(ErasureKeptError):
        erasing(third).order({None: [carrying]}, "order")
    assert third.ledger.body(carrying) is not None
    third.database.close()
    later.database.close()


def test_an_unknown_record_is_named_and_nothing_goes(box: OpenBox, erasure: Erasure) -> None:
    index = record(box, SMALL)
    with pytest.raises(NoEntryError):
        erasure.order({None: [index, 99]}, "order")
    assert box.ledger.body(index) is not None


@pytest.mark.parametrize("kind", [EntryType.DAY_SEALED, EntryType.ARCHIVE_KEY_INTRODUCED])
def test_what_seals_the_ledger_is_never_erased(
    box: OpenBox, erasure: Erasure, clock: ManualClock, kind: EntryType
) -> None:
    index, seal = record(box, SMALL), record(box, SMALL, kind)
    with pytest.raises(SealErasureError) as caught:
        erasure.order({None: [index, seal]}, "order")
    assert caught.value.fields == {"index": seal}
    assert box.ledger.body(index) is not None
    clock.ms += 9 * 366 * DAY_MS
    assert erasure.run().count == 1
    assert box.ledger.body(seal) is not None


def test_numbers_of_a_ledger_that_was_closed_meanwhile_erase_nothing(
    box: OpenBox, erasure: Erasure, device_key: SigningKey
) -> None:
    index = record(box, b"of the first generation")
    begin_generation(box.database, device_key, box.clock, Reason.ROLLED_BACK)
    box.look_again()
    with box.append() as appending:
        assert appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {})) == index + 2
    with pytest.raises(SupersededError):
        erasure.order({None: [index]}, "order")
    assert box.ledger.body(index) is not None


@pytest.mark.parametrize("by_carried", [False, True])
def test_what_was_carried_on_goes_everywhere(
    box: OpenBox, erasure: Erasure, device_key: SigningKey, by_carried: bool
) -> None:
    index = record(box, SMALL)
    first = find_generation(box, None)
    for _ in range(2):
        begin_generation(box.database, device_key, box.clock, Reason.ROLLED_BACK)
        box.look_again()
    second, third = find_generation(box, 2), box.ledger
    places = [(first, index), (second, index + 1), (third, index + 2)]
    assert all(ledger.body(at) is not None for ledger, at in places)
    again = Erasure(box, EvidenceStore(box.database), Retention({}))
    erased = again.order({None: [index + 2]} if by_carried else {1: [index]}, "order")
    assert erased.count == 1
    assert [ledger.body(at) for ledger, at in places] == [None] * 3
    assert audit(box, None).good
    assert audit_earlier(box.database, find_generation(box, 1), None).good


def test_what_was_carried_on_is_kept_no_longer_than_the_record(
    box: OpenBox, device_key: SigningKey, clock: ManualClock
) -> None:
    index = record(box, SMALL)
    clock.ms += 4 * 366 * DAY_MS
    begin_generation(box.database, device_key, box.clock, Reason.ROLLED_BACK)
    box.look_again()
    clock.ms += 366 * DAY_MS
    erasure = Erasure(box, EvidenceStore(box.database), Retention({Rule.ACCESS_LOG: 5}))
    assert erasure.run().count == 1
    assert find_generation(box, 1).body(index) is None
    assert box.ledger.body(index + 1) is None
