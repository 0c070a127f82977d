"""Whatever was done to the box's records is found, and what is at fault is named."""

import random
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest.mock import ANY

import pytest

from appliance.ledger.checkpoint import cosign
from appliance.ledger.entry import EntryType
from appliance.ledger.generation import Reason
from appliance.ledger.keys import SigningKey
from appliance.ledger.verify import Batch, verify_batch
from appliance.services.audit import Audit, audit, audit_pages
from appliance.services.generations import begin_generation
from appliance.services.opening import DATABASE_NAME, NOTE_NAME, OpenBox, open_box
from appliance.store.appending import Draft
from appliance.store.database import Database, Transaction
from appliance.store.faults import StoreError, WrongKeyError
from appliance.store.ledger import OwnLedger
from appliance.store.migrate import migrate
from appliance.store.mirror import MirrorLedger
from appliance.store.schema import LEDGER
from tests.school.small import CODE
from tests.sim.box import DATABASE_KEY, confirm
from tests.sim.clock import ManualClock

HUB = SigningKey.make()
SIZE = 101
ORIGIN = f"madoguchi/1/{CODE}/box/1"


def fill(box: OpenBox, count: int) -> None:
    for number in range(count):
        with box.ledger.append() as appending:
            appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"number": number, "purpose": "visit"}))


@pytest.fixture
def filled(box: OpenBox) -> OpenBox:
    """A box with a hundred records, of which the hub has confirmed 40 and then 70."""
    fill(box, SIZE - 1)
    for size in (40, 70):
        confirm(box, size, HUB)
    return box


def alter(box: OpenBox, *statements: str) -> None:
    """What somebody does who has the key of the database, but not the one that signs."""
    with box.database.transaction() as transaction:
        for (trigger,) in transaction.rows("SELECT name FROM sqlite_master WHERE type = 'trigger'"):
            transaction.run(f"DROP TRIGGER {trigger}")
        for sql in statements:
            transaction.run(sql)


def faults(found: Audit) -> list[tuple[str, dict[str, object]]]:
    return [(fault.code, dict(fault.fields)) for fault in found.faults]


def test_a_ledger_in_order(filled: OpenBox) -> None:
    seen: list[tuple[int, int]] = []
    found = audit(filled, HUB.public, lambda done, total: seen.append((done, total)))
    assert (found.good, found.size, found.cosigned) == (True, SIZE, 70)
    assert found.counts[EntryType.GUARDIAN_AUTHENTICATED.number] == SIZE - 1
    assert seen == [(0, SIZE), (SIZE, SIZE)]


def test_an_erased_body_is_no_fault_and_one_that_is_gone_without_a_word_is(filled: OpenBox) -> None:
    with filled.ledger.append() as appending:
        appending.erase([5, 50], "order")
    assert audit(filled, HUB.public).good
    alter(filled, "UPDATE entry SET body = NULL WHERE id & 255 IN (7, 8)")
    assert faults(audit(filled, HUB.public)) == [("ledger.body_missing", {"index": 7, "count": 2})]


@pytest.mark.parametrize(
    ("statements", "code", "fields"),
    [
        pytest.param(("DELETE FROM entry WHERE id & 255 = 33",), "ledger.entry_missing", {"index": 33}, id="removed"),
        pytest.param(("DELETE FROM entry WHERE id & 255 = 0",), "ledger.entry_missing", {"index": 0}, id="first"),
        pytest.param(
            (
                "UPDATE entry SET id = -1 WHERE id & 255 = 20",
                "UPDATE entry SET id = 20 | (1 << 44) WHERE id & 255 = 21",
                "UPDATE entry SET id = 21 | (1 << 44) WHERE id = -1",
            ),
            "store.seal",
            {"index": 20},
            id="two swapped with their bodies",
        ),
        pytest.param(
            (
                "CREATE TABLE two AS SELECT id, entry FROM entry WHERE id & 255 IN (20, 21)",
                "UPDATE entry SET entry = (SELECT entry FROM two WHERE two.id <> entry.id) WHERE id & 255 IN (20, 21)",
            ),
            "ledger.commitment",
            {"index": 20},
            id="two swapped without their bodies",
        ),
        pytest.param(
            ("UPDATE entry SET body = (SELECT body FROM entry WHERE id & 255 = 9) WHERE id & 255 = 20",),
            "store.seal",
            {"index": 20},
            id="another body",
        ),
        pytest.param(
            ("UPDATE entry SET entry = x'00' WHERE id & 255 = 20",), "ledger.entry_form", {"index": 20}, id="nonsense"
        ),
    ],
)
def test_what_was_altered_is_named(
    filled: OpenBox, statements: tuple[str, ...], code: str, fields: dict[str, object]
) -> None:
    alter(filled, *statements)
    found = audit(filled, HUB.public)
    assert not found.good
    first = faults(found)[0]
    assert first[0] == code
    assert fields.items() <= first[1].items()


def test_an_entry_altered_where_nothing_contradicts_it_is_found_by_the_tree(filled: OpenBox) -> None:
    with filled.ledger.append() as appending:
        appending.erase([37], "order")
    # The last bit of the commitment: the body that could tell is gone.
    (raw,) = filled.database.row("SELECT entry FROM entry WHERE id & 255 = 37") or ()
    alter(filled, f"UPDATE entry SET entry = x'{raw[:-1].hex()}{raw[-1] ^ 1:02x}' WHERE id & 255 = 37")
    assert faults(audit(filled, HUB.public))[0] == (
        "ledger.signature",
        {"reason": "does not verify", "first": 32, "last": 47},
    )


def test_the_last_entries_removed_with_their_head_are_missed(filled: OpenBox) -> None:
    alter(filled, "DELETE FROM entry WHERE id & 255 > 90")
    assert faults(audit(filled, HUB.public)) == [("ledger.rolled_back", {"size": SIZE, "own": 91})]


def test_a_confirmation_of_another_tree_is_found(filled: OpenBox) -> None:
    alter(
        filled,
        "UPDATE cosignature SET cosignature = (SELECT cosignature FROM cosignature WHERE size = 40) WHERE size = 70",
    )
    assert faults(audit(filled, HUB.public)) == [("ledger.forked", {"size": 70, "by": "hub"})]
    assert audit(filled, None).good  # without the hub's key nothing can be said about it


Reopen = Callable[[], OpenBox]


@pytest.fixture
def reopen(filled: OpenBox, device_key: SigningKey, clock: ManualClock) -> Reopen:
    return lambda: open_box(filled.database.path.parent, DATABASE_KEY, device_key, clock)


def checkpointed(box: OpenBox) -> Path:
    box.database.rows("PRAGMA wal_checkpoint(TRUNCATE)")
    box.database.close()
    return box.database.path


def test_a_whole_older_file_put_back_is_recognised(filled: OpenBox, reopen: Reopen, tmp_path: Path) -> None:
    shutil.copy(checkpointed(filled), tmp_path / "older.db")
    box = reopen()
    fill(box, 3)
    path = checkpointed(box)
    assert audit(reopen(), HUB.public).good
    shutil.copy(tmp_path / "older.db", path)
    rolled_back = audit(reopen(), HUB.public)
    assert faults(rolled_back) == [("ledger.rolled_back", {"size": SIZE + 3, "own": SIZE})]
    # What is recorded on top of the older copy makes another ledger of it, at the latest when it is as long.
    box = reopen()
    noted = (path.parent / NOTE_NAME).read_bytes()
    fill(box, 5)
    (path.parent / NOTE_NAME).write_bytes(noted)
    assert faults(audit(box, HUB.public)) == [("ledger.forked", {"size": SIZE + 3, "by": "box"})]


def test_a_flipped_byte_anywhere_in_the_file_is_found(filled: OpenBox, reopen: Reopen) -> None:
    path = checkpointed(filled)
    whole, chosen = path.read_bytes(), random.Random(4)
    pages = range(0, len(whole), 4096)
    # Each page once at a place by chance, the first and the last bytes of the file, and the salt in front.
    places = [*(page + chosen.randrange(4096) for page in pages), 0, 15, 16, len(whole) - 1]
    for at in places:
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1 << chosen.randrange(8)]) + whole[at + 1 :])
        try:
            box = reopen()
        except (StoreError, WrongKeyError) as error:
            if at < 16:  # the salt in front: no page fits the key any more, and that is what is said
                with pytest.raises(WrongKeyError):
                    audit_pages(path, DATABASE_KEY, error)
                continue
            # While the key is being changed the fitting one may be the second.
            found = audit_pages(path, lambda: [b"x" * 32, DATABASE_KEY], error)
        else:
            found = audit(box, HUB.public)
            box.database.close()
        assert any(f"page {at // 4096 + 1}" in one for one in found.database), (at, found)
    path.write_bytes(whole)
    assert audit(reopen(), HUB.public).good


@pytest.mark.parametrize("key", [b"x" * 32, b"short", b""])
def test_another_key_is_no_damage(filled: OpenBox, key: bytes) -> None:
    with pytest.raises(WrongKeyError):
        audit_pages(checkpointed(filled), lambda: [key], WrongKeyError())


def test_a_flipped_byte_in_the_log_beside_the_file_is_found(filled: OpenBox, reopen: Reopen, tmp_path: Path) -> None:
    fill(filled, 3)
    folder = filled.database.path.parent
    log = folder / f"{DATABASE_NAME}-wal"
    copies = {path: path.read_bytes() for path in folder.iterdir()}  # as a copy of the running box would have it
    filled.database.close()
    whole = copies[log]
    assert len(whole) > 4096
    for at in random.Random(5).sample(range(24, len(whole)), 40):
        for path, data in copies.items():
            path.write_bytes(data)
        log.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        box = reopen()
        try:
            found = audit(box, HUB.public)
            lost = SIZE + 3 - found.size
            assert lost == 0 or faults(found)[0][0] == "ledger.rolled_back", (at, found)
        finally:
            box.database.close()


def test_a_damaged_note_is_told_and_mended_by_the_next_record(filled: OpenBox) -> None:
    path = filled.database.path.with_name(NOTE_NAME)
    path.write_bytes(b"x" * 300)
    assert faults(audit(filled, HUB.public)) == [("ledger.note_damaged", {})]
    fill(filled, 1)
    assert audit(filled, HUB.public).good


FEED = "madoguchi/1/X/feed/1"


@pytest.fixture
def mirrored(box: OpenBox, device_key: SigningKey, clock: ManualClock, tmp_path: Path) -> Iterator[OpenBox]:
    """A short ledger, and beside it the mirror of one that a hub wrote: 1 and then 7 records, each confirmed."""
    fill(box, 4)
    hub = open_feed(tmp_path / "hub.db")
    feed = OwnLedger.add(hub, FEED, HUB.public).attach(HUB, clock)
    mirror = MirrorLedger.add(box.database, FEED, HUB.public)
    for count in (1, 6):
        first = mirror.head().size
        with feed.append() as appending:
            for number in range(count):
                appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"number": number, "purpose": "visit"}))
        sent = Batch(FEED, first, tuple(feed.items(first, first + count)), feed.checkpoint_at(first + count))
        batch = verify_batch(sent, FEED, mirror.frontier(), mirror.head().last_time_ms, HUB.public)
        mirror.store(batch, cosign(batch.checkpoint, box.school.origin, 1, device_key), 5)
    yield box
    hub.close()


def open_feed(path: Path) -> Database:
    database = Database.create(path, DATABASE_KEY)
    migrate(database, (LEDGER,))
    return database


@pytest.mark.parametrize(
    ("statements", "own", "of_the_hub"),
    [
        pytest.param((), [], [], id="nothing"),
        pytest.param(("DELETE FROM entry WHERE id = (1 << 44 | 2)",), ["ledger.entry_missing"], [], id="own"),
        pytest.param(("DELETE FROM entry WHERE id = (1 << 44 | 4)",), ["ledger.rolled_back"], [], id="own last"),
        pytest.param(("DELETE FROM entry WHERE id = (2 << 44 | 2)",), [], ["ledger.entry_missing"], id="the hub's"),
        pytest.param(("DELETE FROM entry WHERE id = (2 << 44 | 6)",), [], ["ledger.root"], id="the hub's last"),
        pytest.param(
            (
                "UPDATE entry SET id = -1 WHERE id = (2 << 44 | 1)",
                "UPDATE entry SET id = (2 << 44 | 1) WHERE id = (2 << 44 | 2)",
                "UPDATE entry SET id = (2 << 44 | 2) WHERE id = -1",
            ),
            [],
            ["store.seal"],
            id="two of the hub's swapped",
        ),
        pytest.param(("UPDATE cosignature SET cosignature = checkpoint",), [], ["ledger.forked"], id="not confirmed"),
    ],
)
def test_the_mirror_of_the_hubs_ledger_is_looked_at_too(
    mirrored: OpenBox, statements: tuple[str, ...], own: list[str], of_the_hub: list[str]
) -> None:
    alter(mirrored, *statements)
    found = audit(mirrored, HUB.public)
    assert found.good == (not own and not of_the_hub)
    assert [fault.code for fault in found.faults][:1] == own
    assert [(one.origin, [fault.code for fault in one.faults][:1]) for one in found.mirrors] == [(FEED, of_the_hub)]


@pytest.mark.parametrize("size", [2, 3, 9, 15, 16, 17])
def test_in_a_ledger_of_any_size_a_record_that_was_removed_is_missed(box: OpenBox, size: int) -> None:
    # The roots of a tree this small are made from its entries, which are no longer all there.
    fill(box, size - 1)
    for index in range(size):
        kept = box.database.row("SELECT * FROM entry WHERE id & 255 = ?", (index,))
        assert kept is not None
        alter(box, f"DELETE FROM entry WHERE id & 255 = {index}")
        found = faults(audit(box, HUB.public))
        last = index == size - 1
        assert found[0] == ("ledger.rolled_back" if last else "ledger.entry_missing", ANY), found
        with box.database.transaction() as transaction:
            transaction.run(f"INSERT INTO entry VALUES ({', '.join('?' * len(kept))})", kept)
    assert audit(box, HUB.public).good


def test_an_earlier_generation_is_looked_at_too(
    filled: OpenBox, device_key: SigningKey, clock: ManualClock, reopen: Reopen
) -> None:
    begin_generation(filled.database, device_key, clock, Reason.ROLLED_BACK, note=filled.note)
    box = reopen()
    found = audit(box, HUB.public)
    assert (found.good, [(one.origin, one.size) for one in found.earlier]) == (True, [(ORIGIN, SIZE)])
    alter(box, "DELETE FROM entry WHERE id = (1 << 44 | 33)")
    found = audit(box, HUB.public)
    assert (found.good, found.faults) == (False, [])
    assert faults(found.earlier[0])[0] == ("ledger.entry_missing", {"index": 33})


def test_transactions_of_others_do_not_disturb(filled: OpenBox) -> None:
    def write(transaction: Transaction) -> None:
        transaction.run("INSERT INTO code_attempt VALUES (1)")

    with filled.database.transaction() as transaction:
        write(transaction)
    assert audit(filled, HUB.public).good
