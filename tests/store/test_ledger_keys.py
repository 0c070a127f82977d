"""A ledger whose key is changed: one entry, one transaction; who does not hold the new key writes nothing more."""

from pathlib import Path

import pytest

from appliance.ledger.checkpoint import cosign, open_checkpoint
from appliance.ledger.entry import EntryType, type_label
from appliance.ledger.keys import SigningKey
from appliance.ledger.receipt import open_receipt
from appliance.ledger.signers import KeyEndedError, KeyHistoryError, Signers
from appliance.ledger.succession import check_chain, open_succession
from appliance.ledger.verify import Batch, verify_batch, verify_ledger
from appliance.store.appending import Draft
from appliance.store.database import Database
from appliance.store.faults import ConstraintError
from appliance.store.ledger import OwnLedger, SigningKeyError
from appliance.store.ledger_keys import LedgerKeys
from appliance.store.migrate import migrate
from appliance.store.mirror import MirrorLedger
from appliance.store.note import HeadNote
from appliance.store.schema import LEDGER
from tests.sim.box import DATABASE_KEY
from tests.sim.clock import ManualClock
from tests.store.conftest import ORIGIN

HUB, SECOND, THIRD = SigningKey.make(), SigningKey.make(), SigningKey.make()


def fill(ledger: OwnLedger, count: int = 1) -> None:
    with ledger.append() as appending:
        for number in range(count):
            appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"number": number}))


def whole(ledger: OwnLedger) -> None:
    """What ``ledger verify`` looks at."""
    head = ledger.head()
    stored = [(item.entry, item.body) for item in ledger.items(0, head.size)]
    check_chain(ledger.keys, ORIGIN)
    assert verify_ledger(stored, head.checkpoint, ORIGIN, ledger.keys, complete=True).size == head.size


def test_the_key_before_signs_the_entry_and_the_new_one_what_follows(ledger: OwnLedger, device_key: SigningKey) -> None:
    fill(ledger, 3)
    before = ledger.head().size
    period = ledger.hand_over(SECOND)
    head, root = ledger.head(), ledger.frontier().root()
    assert (head.size, period.size, period.change) == (before + 1, before + 2, before)
    assert head.checkpoint is not None
    assert open_checkpoint(head.checkpoint, root, ORIGIN, device_key.public).size == head.size
    assert type_label(ledger.entry(period.change).type) == "device_key.changed"
    body = ledger.body(period.change)
    assert body is not None
    assert body.read() == {
        "previous": device_key.public.key_id,
        "key_id": SECOND.public.key_id,
        "succession": period.succession,
    }
    assert open_succession(period.succession, ORIGIN, ledger.keys.periods[0]) == period == ledger.keys.newest
    whole(ledger)
    fill(ledger)
    head = ledger.head()
    assert head.checkpoint is not None
    assert open_checkpoint(head.checkpoint, ledger.frontier().root(), ORIGIN, SECOND.public).size == period.size
    whole(ledger)


def test_two_changes_in_a_row_and_one_after_a_start(ledger: OwnLedger, clock: ManualClock) -> None:
    fill(ledger)
    first = ledger.hand_over(SECOND)
    second = ledger.hand_over(THIRD)
    assert second.size == first.size + 1
    clock.reboot(b"\x02" * 16)
    fourth = SigningKey.make()
    third = ledger.hand_over(fourth)
    assert [type_label(ledger.entry(at).type) for at in (third.change - 1, third.change)] == [
        "box.started",
        "device_key.changed",
    ]
    fill(ledger, 2)
    assert [one.key for one in ledger.keys.periods][1:] == [SECOND.public, THIRD.public, fourth.public]
    whole(ledger)


def test_a_key_does_not_come_back(ledger: OwnLedger, device_key: SigningKey) -> None:
    fill(ledger)
    ledger.hand_over(SECOND)
    before = ledger.head()
    for known in (device_key, SECOND):
        with pytest.raises(KeyHistoryError):
            ledger.hand_over(known)
    assert ledger.head() == before
    assert len(ledger.keys.periods) == 2
    fill(ledger)
    whole(ledger)


def test_what_signs_what_is_only_ever_added(ledger: OwnLedger, database: Database) -> None:
    fill(ledger)
    ledger.hand_over(SECOND)
    for statement in (
        "DELETE FROM ledger_key",
        "UPDATE ledger_key SET first = first + 1",
        "INSERT INTO ledger_key VALUES (1, 1, x'00', x'00')",
    ):
        with pytest.raises(ConstraintError), database.transaction() as transaction:
            transaction.run(statement)


class Holder:
    """A program that holds some of the keys, with a connection of its own."""

    def __init__(self, path: Path, clock: ManualClock, *keys: SigningKey) -> None:
        self.keys, self.asked = list(keys), 0
        self.database = Database.open(path, DATABASE_KEY)
        self.ledger = OwnLedger.find(self.database, ORIGIN).attach(self.give, clock)

    def give(self) -> list[SigningKey]:
        self.asked += 1
        return self.keys


def test_another_program_goes_on_with_the_key_that_fits(
    ledger: OwnLedger, database: Database, device_key: SigningKey, clock: ManualClock
) -> None:
    fill(ledger)
    knows, given_later, knows_not = (
        Holder(database.path, clock, device_key, SECOND),
        Holder(database.path, clock, device_key),
        Holder(database.path, clock, device_key),
    )
    for one in (knows, given_later, knows_not):
        fill(one.ledger)
    ledger.hand_over(SECOND)
    given_later.keys = [SECOND]
    for one in (knows, given_later):
        fill(one.ledger)
        assert one.ledger.signing_key is SECOND
    size = ledger.head().size
    for _ in range(2):
        with pytest.raises(SigningKeyError) as refused:
            fill(knows_not.ledger)
    assert refused.value.fields == {"wanted": SECOND.public.key_id.hex()}
    with pytest.raises(SigningKeyError):
        knows_not.ledger.checkpoint_at(2)
    assert ledger.head().size == size
    assert knows_not.ledger.receipt(0)  # it reads on
    assert knows.asked == 1  # a key that was given is kept
    whole(ledger)
    for one in (knows, given_later, knows_not):
        one.database.close()


def test_an_append_after_ones_own_asks_nothing(ledger: OwnLedger, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(ledger)

    def asked(_: LedgerKeys) -> Signers:
        raise AssertionError("the keys were read")

    monkeypatch.setattr(LedgerKeys, "signers", asked)
    fill(ledger)
    fill(ledger)
    monkeypatch.undo()
    ledger.hand_over(SECOND)
    monkeypatch.setattr(LedgerKeys, "signers", asked)
    fill(ledger)
    monkeypatch.undo()
    whole(ledger)


def test_receipts_from_before_and_after_verify(ledger: OwnLedger, device_key: SigningKey) -> None:
    fill(ledger, 2)
    early = ledger.receipt(0)
    period = ledger.hand_over(SECOND)
    fill(ledger, 2)
    keys = ledger.keys
    for receipt, index in ((early, 0), (ledger.receipt(0), 0), (ledger.receipt(period.change), period.change)):
        assert open_receipt(receipt, ORIGIN, keys, None).index == index
    assert open_receipt(early, ORIGIN, device_key.public, None).index == 0
    stolen = OwnLedger.find(ledger._database, ORIGIN).attach(device_key, ManualClock())
    stolen._held = {SECOND.public.key_id: device_key}  # signs on with the key that was given up
    forged = stolen.checkpoint_at(period.size)
    with pytest.raises(KeyEndedError):
        open_checkpoint(forged, ledger.root_at(period.size), ORIGIN, keys)


def test_a_confirmation_is_of_a_checkpoint_of_either_key(ledger: OwnLedger) -> None:
    fill(ledger, 3)
    period = ledger.hand_over(SECOND)
    fill(ledger, 2)
    for size in (2, period.size - 1, period.size, ledger.head().size):
        checkpoint = ledger.checkpoint_at(size)
        opened = open_checkpoint(checkpoint, ledger.root_at(size), ORIGIN, ledger.keys)
        ledger.confirm(checkpoint, cosign(opened, "hub.test", 9, HUB), HUB.public)
    assert ledger.head().cosigned_size == ledger.head().size


def test_the_note_of_the_head_is_opened_with_the_history(ledger: OwnLedger, clock: ManualClock, tmp_path: Path) -> None:
    note = HeadNote(tmp_path / "box.head")
    ledger.attach(ledger._source, clock, note)
    fill(ledger, 2)
    ledger.hand_over(SECOND)
    for _ in range(2):
        noted = note.read()
        assert noted is not None
        assert noted.open(ledger.keys).size == ledger.head().size
        fill(ledger)


def test_a_mirror_keeps_a_new_key_with_the_batch_that_brought_it(
    ledger: OwnLedger, tmp_path: Path, device_key: SigningKey
) -> None:
    with Database.create(tmp_path / "hub.db", DATABASE_KEY) as database:
        migrate(database, (LEDGER,))
        mirror = MirrorLedger.add(database, ORIGIN, device_key.public)
        fill(ledger, 5)
        ledger.hand_over(SECOND)
        fill(ledger, 3)
        ledger.hand_over(THIRD)
        fill(ledger)

        def send(first: int, last: int) -> None:
            unknown = tuple(one.succession for one in ledger.keys.periods[1:] if one.change >= first)
            batch = Batch(ORIGIN, first, tuple(ledger.items(first, last)), ledger.checkpoint_at(last), unknown)
            head = mirror.head()
            verified = verify_batch(batch, ORIGIN, mirror.frontier(), head.last_time_ms, mirror.keys)
            mirror.store(verified, cosign(verified.checkpoint, "hub.test", 9, HUB), 9)

        send(0, 3)  # before either change, and signed with the newest key
        assert mirror.keys == ledger.keys
        send(3, 7)
        send(7, ledger.head().size)
        assert mirror.root_at(mirror.head().size) == ledger.root_at(ledger.head().size)
        stored = [(item.entry, item.body) for item in mirror.items(0, mirror.head().size)]
        assert verify_ledger(stored, mirror.head().checkpoint, ORIGIN, mirror.keys).size == ledger.head().size
        mirror.learn(ledger.keys)
        assert mirror.keys == ledger.keys


def test_a_ledger_may_be_added_with_its_whole_history(ledger: OwnLedger, tmp_path: Path) -> None:
    fill(ledger)
    ledger.hand_over(SECOND)
    with Database.create(tmp_path / "hub.db", DATABASE_KEY) as database:
        migrate(database, (LEDGER,))
        mirror = MirrorLedger.add(database, ORIGIN, ledger.keys)
        assert mirror.keys == ledger.keys
        assert mirror.public_key == SECOND.public
        only_first = MirrorLedger.add(database, f"{ORIGIN}0", Signers(ledger.keys.periods[:1]))
        only_first.learn(ledger.keys)
        assert only_first.keys == ledger.keys
