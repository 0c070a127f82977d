"""A box from its backup: everything verifies before it is there, and what was erased since stays erased."""

import dataclasses
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.ledger.entry import EntryType
from appliance.ledger.keys import SignatureError, SigningKey
from appliance.ledger.receipt import open_receipt
from appliance.ledger.recipient import Recipient
from appliance.ledger.release import ReleaseError
from appliance.ledger.sealed_file import DamagedFileError, Header, SealedFileError, open_content, seal_file
from appliance.school.retention import Retention
from appliance.services import restoring as module
from appliance.services.audit import audit, audit_earlier, audit_ledger, cosigner
from appliance.services.backup import Made
from appliance.services.erasure import Erasure
from appliance.services.generations import find_generation
from appliance.services.later_erasures import later_erasures
from appliance.services.opening import OpenBox
from appliance.services.restoring import (
    BUILDING,
    KEY_NAME,
    BoxPresentError,
    NoRequestError,
    PairError,
    RestoredLedgerError,
    request_restore,
)
from appliance.services.visits import Visits
from appliance.store.appending import Draft
from appliance.store.dump import DumpError
from appliance.store.evidence import EvidenceStore
from appliance.store.ledger import LedgerStore
from appliance.store.migrate import SchemaTooNewError
from appliance.store.people import PeopleStore
from appliance.store.visits import StoredVisit, VisitStore
from tests.sim.backup import NewBox, back_up, header_of
from tests.sim.box import confirm
from tests.sim.clock import ManualClock

HOLDER, HUB = Recipient.make(), SigningKey.make()
DAY = datetime(2027, 1, 15, tzinfo=UTC)


def visit(box: OpenBox, count: int = 1) -> list[int]:
    entries = []
    for _ in range(count):
        with box.ledger.append() as appending:
            entries.append(appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"words": "secret of a guardian"})))
            at_ms = int(DAY.timestamp() * 1000) + entries[-1]
            VisitStore(box.database).add(appending.transaction, StoredVisit(entries[-1], "mother", "visit", at_ms))
    return entries


def erase(box: OpenBox, *indices: int) -> None:
    assert Erasure(box, EvidenceStore(box.database), Retention({})).order(
        {None: indices}, "order of a test"
    ).count == len(indices)


@pytest.fixture
def visited(box: OpenBox, people: PeopleStore) -> OpenBox:
    """Ten visits, of which the hub has confirmed some."""
    visit(box, 10)
    confirm(box, box.ledger.head().size - 4, HUB)
    return box


@pytest.fixture
def new_box(tmp_path: Path, clock: ManualClock) -> NewBox:
    return NewBox(tmp_path / "new", clock)


@pytest.fixture
def made(visited: OpenBox, tmp_path: Path) -> Made:
    return back_up(visited, HOLDER, tmp_path / "out")


def files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_everything_comes_back_and_goes_on_with_new_keys(visited: OpenBox, made: Made, new_box: NewBox) -> None:
    restored = new_box.restore(HOLDER, made.backup, made.keys)
    assert (restored.previous, restored.size, restored.erased) == (visited.school.origin, made.about.size, 0)
    assert files(new_box.state) == ["box.db"]
    box = new_box.open()
    assert (box.school.code, box.school.name, box.school.origin) == (*_school(visited), restored.origin)
    assert box.school_key == visited.school_key
    assert audit(box, None).good
    earlier = find_generation(box, 1)
    assert list(earlier.items(0, made.about.size)) == list(visited.ledger.items(0, made.about.size))
    assert audit_ledger(earlier, cosigner(HUB.public)).good
    receipt = earlier.receipt(3)
    found = open_receipt(receipt, visited.school.origin, visited.ledger.public_key, HUB.public)
    assert (found.index, found.cosignature is not None) == (3, True)
    visit(box, 2)
    shown = Visits(box, VisitStore(box.database), PeopleStore(box.database)).on(DAY, 0)
    assert [one.generation for one in shown] == [None, None, *[1] * 10]
    assert {one.guardian.name for one in shown if one.guardian is not None} == {"見本 母"}
    body = box.ledger.body(0)
    assert body is not None
    said = body.read()
    assert (said["backup"], said["erased_since"]) == (header_of(made.backup).file_id, 0)
    assert said["previous"]["root"] == visited.ledger.frontier().root()
    assert box.ledger.public_key.key_id == new_box.device_key.public.key_id
    box.database.close()


def _school(box: OpenBox) -> tuple[str, str]:
    return box.school.code, box.school.name


def test_a_body_erased_later_opens_from_no_older_backup_with_the_newest_keys(
    visited: OpenBox, clock: ManualClock, tmp_path: Path
) -> None:
    with visited.database.transaction() as transaction:
        transaction.run("INSERT INTO evidence_epoch VALUES (x'00', x'00', 1)")
        for entry in (4, 5):
            row = (bytes([entry]), entry)
            transaction.run("INSERT INTO evidence VALUES (?, x'00', x'02', ?, 1)", row)
    older = back_up(visited, HOLDER, tmp_path / "older")
    erase(visited, 5, 6)
    clock.advance(1_000)
    newest = back_up(visited, HOLDER, tmp_path / "newest")
    restored = NewBox(tmp_path / "a", clock)
    assert restored.restore(HOLDER, older.backup, newest.keys).erased == 2
    box = restored.open()
    earlier = find_generation(box, 1)
    assert [earlier.body(index) is None for index in (4, 5, 6, 7)] == [False, True, True, False]
    # The new ledger says of each body that it was erased: what is gone without that is a fault.
    found = audit_earlier(box.database, earlier, None)
    assert (found.good, found.told_later) == (True, 2)
    assert [one.erasure.indices for one in later_erasures(box.database, earlier.origin)] == [(5, 6)]
    assert [one.code for one in audit_ledger(earlier, {}).faults] == ["ledger.body_missing"]
    # Not even the sealed bytes are there any more, and what proved the act went with it.
    assert box.database.rows("SELECT entry FROM evidence") == [(4,)]
    assert box.database.row("SELECT count(*) FROM entry WHERE body IS NULL") == (2,)
    box.database.close()
    # The honest limit: keys from before the erasure, kept against the instruction, still open it.
    other = NewBox(tmp_path / "b", clock)
    assert other.restore(HOLDER, older.backup, older.keys).erased == 0
    box = other.open()
    body = find_generation(box, 1).body(5)
    assert body is not None
    assert body.read()["words"] == "secret of a guardian"
    box.database.close()


def test_keys_that_are_older_than_the_backup_or_of_another_school_do_not_fit(
    visited: OpenBox, made: Made, new_box: NewBox, device_key: SigningKey, clock: ManualClock, tmp_path: Path
) -> None:
    visit(visited)
    clock.advance(1_000)
    later = back_up(visited, HOLDER, tmp_path / "later")
    assert later.about.size > made.about.size
    for backup, keys, reason in (
        (later.backup, made.keys, "older"),
        (made.backup, sealed_again(made.keys, device_key, school="C113299900028"), "school"),
    ):
        with pytest.raises(PairError) as refused:
            new_box.restore(HOLDER, backup, keys)
        assert refused.value.fields == {"reason": reason}
    for backup, keys in ((made.keys, made.backup), (made.backup, made.backup)):
        with pytest.raises(SealedFileError):
            new_box.restore(HOLDER, backup, keys)
    assert files(new_box.state) == [KEY_NAME]
    assert new_box.restore(HOLDER, made.backup, later.keys).size == made.about.size


def sealed_again(path: Path, device: SigningKey, **changes: object) -> Path:
    """A file with the same content and another header, as somebody with the device key could make it."""
    header = header_of(path)
    with path.open("rb") as file:
        Header.read(file.read)
        content = list(open_content(header, header.content_key(HOLDER), file.read))
    other = path.with_name(f"other-{len(list(path.parent.iterdir()))}{path.suffix}")
    about = dataclasses.replace(header.about, **changes)  # type: ignore[arg-type]
    other.write_bytes(b"".join(seal_file(about, HOLDER.public_bytes(), device, content)))
    return other


def test_what_the_header_says_must_be_true(made: Made, new_box: NewBox, device_key: SigningKey) -> None:
    wrong: list[tuple[Path, Path, type[Exception]]] = [
        (sealed_again(made.backup, device_key, levels={"ledger": 5, "box": 99}), made.keys, SchemaTooNewError),
        (made.backup, sealed_again(made.keys, device_key, levels={"ledger": 99, "box": 4}), SchemaTooNewError),
        (sealed_again(made.backup, device_key, size=made.about.size - 1), made.keys, DumpError),
        (sealed_again(made.backup, device_key, generation=0), made.keys, DumpError),
        (sealed_again(made.backup, SigningKey.make()), made.keys, SignatureError),
        (made.backup, sealed_again(made.keys, SigningKey.make()), SignatureError),
    ]
    for backup, keys, error in wrong:
        with pytest.raises(error):
            new_box.restore(HOLDER, backup, keys)
        assert files(new_box.state) == [KEY_NAME]


def test_a_damaged_file_restores_nothing(made: Made, new_box: NewBox) -> None:
    for path in (made.backup, made.keys):
        whole = path.read_bytes()
        start = len(header_of(path).to_bytes())
        flipped = whole[:-40] + bytes([whole[-40] ^ 1]) + whole[-39:]
        for data in (whole[:-1], whole[:start], flipped, whole + b"more"):
            path.write_bytes(data)
            with pytest.raises(DamagedFileError):
                new_box.restore(HOLDER, made.backup, made.keys)
            assert files(new_box.state) == [KEY_NAME]
        path.write_bytes(whole)
    assert new_box.restore(HOLDER, made.backup, made.keys).size == made.about.size


def test_records_that_were_altered_before_the_backup_are_not_restored(
    visited: OpenBox, new_box: NewBox, tmp_path: Path
) -> None:
    with visited.database.transaction() as transaction:
        transaction.run("DROP TRIGGER entry_is_never_deleted")
        transaction.run("DELETE FROM entry WHERE id & 255 = 4")
    made = back_up(visited, HOLDER, tmp_path / "out")
    with pytest.raises(RestoredLedgerError) as refused:
        new_box.restore(HOLDER, made.backup, made.keys)
    assert refused.value.fields == {"origin": visited.school.origin, "error": "ledger.entry_missing"}
    assert files(new_box.state) == [KEY_NAME]


def test_a_release_is_for_one_request_and_used_once(
    made: Made, new_box: NewBox, tmp_path: Path, clock: ManualClock
) -> None:
    with pytest.raises(NoRequestError):
        new_box.restoring().run(
            made.backup, made.keys, NewBox(tmp_path / "x", clock).released(HOLDER, made.backup, made.keys)
        )
    release = new_box.released(HOLDER, made.backup, made.keys)
    assert request_restore(new_box.state) == request_restore(new_box.state)
    assert (new_box.state / KEY_NAME).stat().st_mode & 0o777 == 0o600
    other = NewBox(tmp_path / "other", clock)
    request_restore(other.state)
    with pytest.raises(ReleaseError):
        other.restoring().run(made.backup, made.keys, release)
    assert new_box.restoring().run(made.backup, made.keys, release).size == made.about.size
    assert not (new_box.state / KEY_NAME).exists()
    for again in (
        lambda: new_box.restoring().run(made.backup, made.keys, release),
        lambda: request_restore(new_box.state),
    ):
        with pytest.raises(BoxPresentError):
            again()


class Killed(BaseException):
    """As SIGKILL would, but for what this process still cleans up."""


@pytest.mark.parametrize("at", ["migrate", "begin_generation", "_sync", "_wipe"])
def test_a_restore_that_is_cut_off_is_all_there_or_not_at_all(
    at: str, made: Made, new_box: NewBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def kill(*_: object, **__: object) -> None:
        raise Killed

    release = new_box.released(HOLDER, made.backup, made.keys)
    with monkeypatch.context() as patched:
        patched.setattr(module, at, kill)
        if at == "begin_generation":
            patched.setattr(module, "_remove", lambda _: None)  # nobody cleans up after a kill
        with pytest.raises(Killed):
            new_box.restoring().run(made.backup, made.keys, release)
    if at in ("_sync", "_wipe"):
        box = new_box.open()
        earlier = find_generation(box, 1).head()
        carried = earlier.size - earlier.cosigned_size
        assert (box.ledger.head().size, earlier.size) == (1 + carried, made.about.size)
        box.database.close()
        with pytest.raises(BoxPresentError):
            new_box.restoring().run(made.backup, made.keys, release)
        assert not (new_box.state / KEY_NAME).exists()
    else:
        assert not (new_box.state / "box.db").exists()
        assert (BUILDING in files(new_box.state)) == (at == "begin_generation")
        assert new_box.restoring().run(made.backup, made.keys, release).size == made.about.size
    assert files(new_box.state) == ["box.db"]


def test_a_box_is_restored_from_a_restored_box(made: Made, new_box: NewBox, clock: ManualClock, tmp_path: Path) -> None:
    new_box.restore(HOLDER, made.backup, made.keys)
    box = new_box.open()
    visit(box, 3)
    own = box.ledger.head().size - 1
    erase(box, own)
    again = back_up(box, HOLDER, tmp_path / "again")
    box.database.close()
    third = NewBox(tmp_path / "third", clock)
    restored = third.restore(HOLDER, again.backup, again.keys)
    assert (restored.origin[-2:], restored.size, restored.erased) == ("/3", again.about.size, 0)
    # The keys of the second generation open the backup of the first one as well.
    fourth = NewBox(tmp_path / "fourth", clock)
    assert fourth.restore(HOLDER, made.backup, again.keys).erased == 0
    box = third.open()
    assert [audit_ledger(find_generation(box, number), {}, complete=False).good for number in (1, 2, 3)] == [True] * 3
    assert find_generation(box, 2).body(own) is None
    box.database.close()


def test_a_box_that_changed_its_key_comes_back_with_its_whole_history(
    visited: OpenBox, device_key: SigningKey, new_box: NewBox, tmp_path: Path
) -> None:
    early = visited.ledger.receipt(3)
    older = back_up(visited, HOLDER, tmp_path / "older")
    for _ in range(2):
        visited.ledger.hand_over(SigningKey.make())
        visit(visited, 2)
    newest = back_up(visited, HOLDER, tmp_path / "newest")
    keys = visited.ledger.keys
    for number, backup in enumerate((newest.backup, older.backup)):  # the newest keys open the older one, too
        box_there = NewBox(tmp_path / f"box-{number}", new_box.clock)
        box_there.restore(HOLDER, backup, newest.keys)
        with box_there.open().database as database:
            earlier = LedgerStore.find(database, visited.school.origin)
            assert earlier.keys.joined(keys) == keys
            assert len(earlier.keys.periods) == (3 if backup == newest.backup else 1)
            assert audit_ledger(earlier, cosigner(HUB.public), complete=backup == newest.backup).good
            assert open_receipt(early, earlier.origin, earlier.keys, HUB.public).index == 3
            assert open_receipt(early, earlier.origin, device_key.public, HUB.public).index == 3
