"""Content goes by rule or by order, and then nothing of it is left anywhere."""

from datetime import UTC, datetime

import pytest

from appliance.ledger.entry import EntryType
from appliance.ledger.generation import Reason
from appliance.ledger.keys import SigningKey
from appliance.school.retention import Retention, Rule
from appliance.services.audit import audit
from appliance.services.check_in import CheckIn
from appliance.services.erasure import AT_ONCE, Erasure, SealErasureError
from appliance.services.generations import begin_generation
from appliance.services.link_codes import LinkCodes
from appliance.services.opening import OpenBox
from appliance.store.appending import Draft
from appliance.store.body_keys import BodyKeys
from appliance.store.database import Database
from appliance.store.evidence import EvidenceStore
from appliance.store.ledger import SupersededError
from appliance.store.tree import NoEntryError
from tests.services.conftest import STAFF, Visitor
from tests.sim.box import DATABASE_KEY
from tests.sim.clock import ManualClock
from tests.sim.fixtures import MakeCard
from tests.sim.pages import holds, plain_pages

DAY_MS = 86_400_000
SMALL, LARGE = b"a body in one page", b"a body that needs pages of its own " * 400


@pytest.fixture
def erasure(box: OpenBox) -> Erasure:
    return Erasure(box, EvidenceStore(box.database), Retention({Rule.ACCESS_LOG: 5}))


def record(box: OpenBox, content: bytes, kind: EntryType = EntryType.GUARDIAN_AUTHENTICATED) -> int:
    with box.ledger.append() as appending:
        return appending.add(Draft(kind, {"what": content}))


def traces(box: OpenBox, index: int) -> list[bytes]:
    """Bytes by which the content could be found or opened again: the sealed body and its key."""
    (sealed,) = box.database.row("SELECT body FROM entry WHERE id & 65535 = ?", (index,)) or (b"",)
    key = BodyKeys(box.database, box.ledger._number).key(index)
    assert key is not None
    return [sealed[:64], sealed[-64:], key]


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
        erased = erasure.order([small, large, small], "court order 12 of 2026")
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
        assert not erasure.order([index], "order").cleaned
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


def test_an_unknown_record_is_named_and_nothing_goes(box: OpenBox, erasure: Erasure) -> None:
    index = record(box, SMALL)
    with pytest.raises(NoEntryError):
        erasure.order([index, 99], "order")
    assert box.ledger.body(index) is not None


@pytest.mark.parametrize("kind", [EntryType.DAY_SEALED, EntryType.ARCHIVE_KEY_INTRODUCED])
def test_what_seals_the_ledger_is_never_erased(
    box: OpenBox, erasure: Erasure, clock: ManualClock, kind: EntryType
) -> None:
    index, seal = record(box, SMALL), record(box, SMALL, kind)
    with pytest.raises(SealErasureError) as caught:
        erasure.order([index, seal], "order")
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
        erasure.order([index], "order")
    assert box.ledger.body(index) is not None
