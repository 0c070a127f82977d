"""A ledger in the database: one transaction, in order, signed, provable, never changed."""

import pytest

from appliance.errors import MadoguchiError, UntrustedError
from appliance.ledger.checkpoint import cosign, open_checkpoint
from appliance.ledger.encoding import EncodingError
from appliance.ledger.entry import EntryType, IdentityKind, type_label
from appliance.ledger.keys import SigningKey
from appliance.ledger.receipt import open_receipt
from appliance.ledger.verify import Batch, verify_batch, verify_ledger
from appliance.store.appending import Draft
from appliance.store.database import Database
from appliance.store.faults import ConstraintError
from appliance.store.ledger import AheadError, NoLedgerError, OwnLedger
from appliance.store.migrate import migrate
from appliance.store.mirror import MirrorLedger
from appliance.store.schema import LEDGER
from appliance.store.seal import SealError
from appliance.store.tree import NoEntryError, entry_id
from tests.sim.clock import ManualClock
from tests.store.conftest import ORIGIN

HUB = SigningKey.make()


def fill(ledger: OwnLedger, count: int) -> None:
    with ledger.append() as appending:
        for number in range(count):
            appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"number": number}))


def labels(ledger: OwnLedger) -> list[str]:
    return [type_label(ledger.entry(index).type) for index in range(ledger.head().size)]


def test_an_append_is_signed_and_readable(ledger: OwnLedger, device_key: SigningKey) -> None:
    with ledger.append() as appending:
        appending.add(Draft(EntryType.LEDGER_OPENED, {"origin": ORIGIN}))
        recorded = appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"purpose": "visit"}))
    head = ledger.head()
    assert (head.size, recorded) == (2, 1)
    assert head.checkpoint is not None
    assert open_checkpoint(head.checkpoint, ledger.frontier().root(), ORIGIN, device_key.public).size == 2
    body = ledger.body(1)
    assert body is not None
    assert body.read() == {"purpose": "visit"}


def test_a_failed_append_leaves_nothing(ledger: OwnLedger) -> None:
    fill(ledger, 1)
    before = ledger.head()

    class PulledError(Exception):
        pass

    def fail() -> None:
        with ledger.append() as appending:
            appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {}))
            raise PulledError

    with pytest.raises(PulledError):
        fail()
    assert ledger.head() == before
    with pytest.raises(NoEntryError):
        ledger.entry(before.size)


def test_a_boot_is_introduced_once(ledger: OwnLedger, clock: ManualClock) -> None:
    fill(ledger, 2)
    clock.reboot(b"\x02" * 16)
    fill(ledger, 2)
    assert labels(ledger) == ["box.started", *["guardian.authenticated"] * 2] * 2
    assert [ledger.entry(index).boot for index in range(6)] == [0, 0, 0, 3, 3, 3]


def test_an_identity_is_introduced_once(ledger: OwnLedger) -> None:
    for _ in range(2):
        with ledger.append() as appending:
            assert appending.identity(IdentityKind.GUARDIAN, b"a" * 16) == 1
            assert appending.identity(IdentityKind.CARD, b"a" * 16) == 2
    assert labels(ledger) == ["box.started", "identity.introduced", "identity.introduced"]


def test_a_clock_that_steps_back_makes_no_older_entry(ledger: OwnLedger, clock: ManualClock) -> None:
    fill(ledger, 1)
    clock.ms = 0
    fill(ledger, 1)
    assert ledger.entry(2).time_ms == ledger.entry(1).time_ms


def test_every_entry_has_a_receipt(ledger: OwnLedger, device_key: SigningKey) -> None:
    fill(ledger, 599)
    for index in (0, 1, 15, 16, 255, 256, 511, 512, 598, 599):
        opened = open_receipt(ledger.receipt(index), ORIGIN, device_key.public, HUB.public)
        assert (opened.index, opened.cosignature) == (index, None)
    with pytest.raises(NoEntryError):
        ledger.receipt(600)


def test_a_confirmation_is_checked_against_the_own_tree(ledger: OwnLedger, device_key: SigningKey) -> None:
    fill(ledger, 9)
    checkpoint = ledger.checkpoint_at(5)
    opened = open_checkpoint(checkpoint, ledger.root_at(5), ORIGIN, device_key.public)
    with pytest.raises(UntrustedError):
        ledger.confirm(checkpoint, cosign(opened, "hub", 1, SigningKey.make()), HUB.public)
    for _ in range(2):  # a repeated acknowledgement changes nothing
        ledger.confirm(checkpoint, cosign(opened, "hub", 1, HUB), HUB.public)
        assert ledger.head().cosigned_size == 5
    assert ledger.confirmation(4) is not None
    assert ledger.confirmation(5) is None
    receipt = open_receipt(ledger.receipt(3), ORIGIN, device_key.public, HUB.public)
    assert receipt.cosignature is not None
    assert receipt.cosignature.size == 5


def test_a_peer_that_knows_more_is_told_apart(ledger: OwnLedger, device_key: SigningKey) -> None:
    fill(ledger, 4)
    opened = open_checkpoint(ledger.checkpoint_at(5), ledger.root_at(5), ORIGIN, device_key.public)
    with ledger._database.transaction() as transaction:  # as after restoring an older copy
        transaction.run("DROP TRIGGER entry_is_never_deleted")
        transaction.run("DELETE FROM entry WHERE id >= ?", (entry_id(ledger._number, 4),))
    with pytest.raises(AheadError):
        ledger.confirm(opened.cose, cosign(opened, "hub", 1, HUB), HUB.public)


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE entry SET entry = x'00' WHERE id & 255 = 1",
        "UPDATE entry SET id = id + 98 WHERE id & 255 = 1",
        "UPDATE entry SET body = x'00' WHERE id & 255 = 1",
        "UPDATE entry SET head = NULL WHERE head IS NOT NULL",
        "DELETE FROM entry WHERE id & 255 = 2",
        "INSERT INTO entry SELECT max(id), x'00', NULL, NULL FROM entry",
        "UPDATE node SET hash = x'00'",
        "DELETE FROM node",
        "UPDATE ledger SET origin = 'other'",
        "DELETE FROM ledger",
    ],
)
def test_what_is_written_stays(database: Database, ledger: OwnLedger, sql: str) -> None:
    fill(ledger, 20)
    with pytest.raises(ConstraintError), database.transaction() as transaction:
        transaction.run(sql)


def test_a_mirror_takes_verified_batches_only_once(
    ledger: OwnLedger, database: Database, device_key: SigningKey
) -> None:
    fill(ledger, 40)
    with Database.create(database.path.with_name("hub.db"), b"h" * 32) as other:
        migrate(other, (LEDGER,))
        mirror = MirrorLedger.add(other, ORIGIN, device_key.public)
        for first, last in ((0, 17), (17, 41)):
            head = mirror.head()
            batch = Batch(ORIGIN, first, tuple(ledger.items(first, last)), ledger.checkpoint_at(last))
            verified = verify_batch(batch, ORIGIN, mirror.frontier(), head.last_time_ms, device_key.public)
            signed = cosign(verified.checkpoint, "hub", 1, HUB)
            mirror.store(verified, signed, 5)
            with pytest.raises(ConstraintError):
                mirror.store(verified, signed, 5)
            ledger.confirm(batch.checkpoint, signed, HUB.public)
        assert mirror.frontier().root() == ledger.frontier().root()
        assert ledger.head().cosigned_size == mirror.head().cosigned_size == 41
        last_confirmed = mirror.latest_confirmation()
        assert last_confirmed is not None
        assert last_confirmed.size == 41
        stored = [(one.entry, one.body) for one in mirror.items(0, 41)]
        assert verify_ledger(stored, mirror.head().checkpoint, ORIGIN, device_key.public).size == 41


def test_a_swapped_body_does_not_open(database: Database, ledger: OwnLedger) -> None:
    for _ in range(2):
        fill(ledger, 1)
    with database.transaction() as transaction:
        transaction.run("DROP TRIGGER entry_body_only_goes")
        transaction.run("UPDATE entry SET body = (SELECT body FROM entry WHERE id & 255 = 1) WHERE id & 255 = 2")
    with pytest.raises(SealError) as refused:
        ledger.body(2)
    assert refused.value.fields == {"index": 2}


@pytest.mark.parametrize("count", [1, 2, 15, 16, 17, 300])
def test_every_body_of_an_append_opens_wherever_reading_begins(ledger: OwnLedger, count: int) -> None:
    fill(ledger, 3)
    fill(ledger, count)
    size = ledger.head().size
    whole = [one.body for one in ledger.items(0, size)]
    assert None not in whole
    for index in {0, 3, 4, size // 2, size - 2, size - 1}:
        assert ledger.body(index) == whole[index]
        assert [one.body for one in ledger.items(index, size)] == whole[index:]


def test_two_who_append_in_turn_see_each_others_tree(
    database: Database, ledger: OwnLedger, device_key: SigningKey, clock: ManualClock
) -> None:
    other = OwnLedger.find(database, ORIGIN).attach(device_key, clock)
    for count in (1, 20, 3, 300, 1):
        fill(ledger, count)
        fill(other, count)
    stored = [(one.entry, one.body) for one in ledger.items(0, ledger.head().size)]
    assert verify_ledger(stored, other.head().checkpoint, ORIGIN, device_key.public).size == 651
    assert ledger.frontier().root() == other.frontier().root() == ledger.root_at(651)


def test_a_failed_append_is_not_remembered(ledger: OwnLedger, device_key: SigningKey) -> None:
    fill(ledger, 5)

    def fail() -> None:
        with ledger.append() as appending:
            appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {}))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    fill(ledger, 1)
    stored = [(one.entry, one.body) for one in ledger.items(0, 7)]
    assert verify_ledger(stored, ledger.head().checkpoint, ORIGIN, device_key.public).size == 7


def test_a_draft_counts_as_it_was_when_it_was_added(ledger: OwnLedger) -> None:
    content = {"number": 1}
    with ledger.append() as appending:
        index = appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, content))
        content["number"] = 2
    body = ledger.body(index)
    assert body is not None
    assert body.read() == {"number": 1}


def test_a_draft_that_cannot_be_written_is_refused_when_it_is_added(ledger: OwnLedger) -> None:
    fill(ledger, 1)
    with ledger.append() as appending:
        with pytest.raises(EncodingError):
            appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"number": 1.5}))
        with pytest.raises(EncodingError):
            appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"number": 1}, subject=-1))
        index = appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"number": 2}))
    body = ledger.body(index)
    assert (index, ledger.head().size) == (2, 3)
    assert body is not None
    assert body.read() == {"number": 2}


def test_what_the_same_thread_wrote_elsewhere_is_not_missed(
    database: Database, ledger: OwnLedger, device_key: SigningKey
) -> None:
    fill(ledger, 3)
    with database.transaction() as transaction:  # the boot of another process, as far as this ledger knows
        transaction.run("UPDATE ledger SET boot = 0, boot_id = x'00'")
    fill(ledger, 1)
    assert labels(ledger)[-2:] == ["box.started", "guardian.authenticated"]


def test_an_erased_body_is_gone_and_the_tree_says_why(
    ledger: OwnLedger, database: Database, device_key: SigningKey
) -> None:
    fill(ledger, 40)
    before = [ledger.body(index) for index in range(41)]
    with ledger.append() as appending:
        assert appending.erase([7, 9, 7], "consent.5y") == [7, 9]
        assert appending.erase([9], "consent.5y") == []
    assert [ledger.body(index) for index in range(41)] == [
        None if index in (7, 9) else body for index, body in enumerate(before)
    ]
    entry, body = ledger.entry(41), ledger.body(41)
    assert (type_label(entry.type), entry.refs) == ("body.erased", (7, 9))
    assert body is not None
    assert body.read() == {"rule": "consent.5y"}
    stored = [(one.entry, one.body) for one in ledger.items(0, 42)]
    assert verify_ledger(stored, ledger.head().checkpoint, ORIGIN, device_key.public).size == 42
    assert open_receipt(ledger.receipt(7), ORIGIN, device_key.public, None).index == 7


def test_an_older_copy_of_an_erased_body_does_not_open(ledger: OwnLedger, database: Database) -> None:
    fill(ledger, 3)
    (copy,) = database.row("SELECT body FROM entry WHERE id & 255 = 2") or ()
    with ledger.append() as appending:
        appending.erase([2], "order")
    with database.transaction() as transaction:
        transaction.run("DROP TRIGGER entry_body_only_goes")
        transaction.run("UPDATE entry SET body = ? WHERE id & 255 = 2", (copy,))
    assert ledger.body(2) is None


def test_more_bodies_than_one_entry_names_are_erased_by_several(ledger: OwnLedger) -> None:
    fill(ledger, 600)
    with ledger.append() as appending:
        assert len(appending.erase(range(1, 601), "roster.left")) == 600
    assert [len(ledger.entry(index).refs) for index in (601, 602, 603)] == [256, 256, 88]
    assert all(ledger.body(index) is None for index in range(1, 601))


@pytest.mark.parametrize("index", [-1, 4, 99])
def test_only_what_is_durable_is_erased(ledger: OwnLedger, index: int) -> None:
    fill(ledger, 3)
    with ledger.append() as appending, pytest.raises(NoEntryError):
        appending.erase([index, appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {}))][:1], "order")
    assert all(ledger.body(index) is not None for index in range(5))


def test_the_other_side_erases_what_it_is_told(ledger: OwnLedger, database: Database, device_key: SigningKey) -> None:
    fill(ledger, 4)
    with Database.create(database.path.with_name("hub.db"), b"h" * 32) as other:
        migrate(other, (LEDGER,))
        mirror = MirrorLedger.add(other, ORIGIN, device_key.public)

        def send(first: int, last: int) -> None:
            batch = Batch(ORIGIN, first, tuple(ledger.items(first, last)), ledger.checkpoint_at(last))
            head = mirror.head()
            verified = verify_batch(batch, ORIGIN, mirror.frontier(), head.last_time_ms, device_key.public)
            mirror.store(verified, cosign(verified.checkpoint, "hub", 1, HUB), 5)

        send(0, 4)
        with ledger.append() as appending:
            appending.erase([1, 4], "order")  # the second was not sent yet, and goes without its body
        assert mirror.body(1) is not None
        send(4, 6)
        assert [mirror.body(index) is None for index in range(6)] == [False, True, False, False, True, False]
        assert mirror.entry(4) == ledger.entry(4)


def test_an_unknown_ledger_is_named(database: Database) -> None:
    with pytest.raises(NoLedgerError) as missing:
        OwnLedger.find(database, "other")
    assert isinstance(missing.value, MadoguchiError)
    assert missing.value.fields == {"origin": "other"}
