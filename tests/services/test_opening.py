"""A box is founded once and opens with its own two keys only."""

from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread

import pytest

from appliance.ledger.entry import EntryType, type_label
from appliance.ledger.generation import Reason
from appliance.ledger.keys import SigningKey
from appliance.services.audit import audit_ledger
from appliance.services.generations import begin_generation
from appliance.services.opening import (
    DATABASE_NAME,
    AlreadyFoundedError,
    NotFoundedError,
    OpenBox,
    box_origin,
    found_box,
    open_box,
)
from appliance.store.appending import Draft
from appliance.store.database import Database
from appliance.store.faults import DatabaseMissingError, WrongKeyError
from appliance.store.ledger import LedgerStore, OwnLedger, SigningKeyError, SupersededError
from appliance.store.migrate import SchemaTooOldError, migrate
from appliance.store.schema import BOX_FAMILIES, LEDGER
from tests.school.small import CODE
from tests.sim.box import DATABASE_KEY, SCHOOL_NAME
from tests.sim.clock import ManualClock


def opened(box: OpenBox, device_key: SigningKey, clock: ManualClock, key: bytes = DATABASE_KEY) -> OpenBox:
    return open_box(box.database.path.parent, key, device_key, clock)


def test_a_new_box_begins_with_one_signed_entry(box: OpenBox, device_key: SigningKey, clock: ManualClock) -> None:
    assert (box.school.code, box.school.name) == (str(CODE), SCHOOL_NAME)
    assert box.school.origin == box_origin(str(CODE), 1) == "madoguchi/1/B113299900018/box/1"
    head = box.ledger.head()
    assert (head.size, head.checkpoint is not None) == (1, True)
    assert type_label(box.ledger.entry(0).type) == "ledger.opened"
    body = box.ledger.body(0)
    assert body is not None
    assert body.read() == {
        "origin": box.school.origin,
        "school": box.school.code,
        "boot_id": clock.boot_id,
        "key_id": device_key.public.key_id,
    }


def test_it_opens_again_as_it_was(box: OpenBox, device_key: SigningKey, clock: ManualClock) -> None:
    again = opened(box, device_key, clock)
    assert again.school == box.school
    assert again.school_key == box.school_key
    assert again.ledger.head() == box.ledger.head()
    again.database.close()


def test_pseudonyms_are_the_schools_own(box: OpenBox, tmp_path: Path, device_key: SigningKey) -> None:
    other = found_box(tmp_path / "other", DATABASE_KEY, device_key, ManualClock(), str(CODE), SCHOOL_NAME)
    assert box.pseudonym("guardian:mother") == box.pseudonym("guardian:mother")
    assert (
        len({box.pseudonym("guardian:mother"), box.pseudonym("staff:mother"), other.pseudonym("guardian:mother")}) == 3
    )
    assert len(box.pseudonym("guardian:mother")) == 16
    other.database.close()


def test_a_box_is_founded_once(box: OpenBox, device_key: SigningKey, clock: ManualClock) -> None:
    with pytest.raises(AlreadyFoundedError):
        found_box(box.database.path.parent, DATABASE_KEY, device_key, clock, str(CODE), "別の学校")
    assert opened(box, device_key, clock).school == box.school
    assert box.ledger.head().size == 1


def test_other_keys_do_not_open_it(box: OpenBox, device_key: SigningKey, clock: ManualClock) -> None:
    with pytest.raises(WrongKeyError):
        opened(box, device_key, clock, b"x" * 32)
    with pytest.raises(SigningKeyError):
        opened(box, SigningKey.make(), clock)


def test_what_is_missing_is_named(tmp_path: Path, device_key: SigningKey, clock: ManualClock) -> None:
    with pytest.raises(DatabaseMissingError):
        open_box(tmp_path, DATABASE_KEY, device_key, clock)
    with Database.create(tmp_path / DATABASE_NAME, DATABASE_KEY) as database:
        migrate(database, (LEDGER,))
        with pytest.raises(SchemaTooOldError):
            open_box(tmp_path, DATABASE_KEY, device_key, clock)
        migrate(database, BOX_FAMILIES)
    with pytest.raises(NotFoundedError):
        open_box(tmp_path, DATABASE_KEY, device_key, clock)


def test_founding_that_was_cut_short_goes_on(tmp_path: Path, device_key: SigningKey, clock: ManualClock) -> None:
    with Database.create(tmp_path / DATABASE_NAME, DATABASE_KEY) as database:
        migrate(database, BOX_FAMILIES)
        OwnLedger.add(database, box_origin(str(CODE), 1), device_key.public)
    box = found_box(tmp_path, DATABASE_KEY, device_key, clock, str(CODE), SCHOOL_NAME)
    assert box.ledger.head().size == 1
    box.database.close()


# Another program begins a new generation of the ledger while this one has the box open.


@pytest.fixture
def beside(box: OpenBox, device_key: SigningKey, clock: ManualClock) -> Iterator[OpenBox]:
    """The same box in another program."""
    beside = opened(box, device_key, clock)
    yield beside
    beside.database.close()


def begin(beside: OpenBox, device_key: SigningKey) -> str:
    origin = begin_generation(beside.database, device_key, beside.clock, Reason.ROLLED_BACK, note=beside.note)
    beside.look_again()
    assert beside.school.origin == origin
    return origin


def record(box: OpenBox) -> tuple[str, int]:
    with box.append() as appending:
        return appending.origin, appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {}))


def test_a_box_that_is_open_follows_into_a_new_generation(
    box: OpenBox, beside: OpenBox, device_key: SigningKey
) -> None:
    before = box.ledger
    assert record(box) == (before.origin, 1)
    origin = begin(beside, device_key)
    assert (box.school.origin, box.ledger.origin) == (origin, origin)
    assert box.ledger is not before
    assert record(box) == (origin, box.ledger.head().size - 1)
    assert before.head().size == 2


@pytest.mark.parametrize("quietly", [True, False])
def test_a_record_never_goes_into_a_closed_ledger(
    quietly: bool, box: OpenBox, beside: OpenBox, device_key: SigningKey
) -> None:
    closed = box.ledger
    record(box)  # from here on the end of the ledger is remembered
    size = closed.head().size
    origin = begin(beside, device_key)
    if not quietly:
        record(beside)
    with pytest.raises(SupersededError), closed.append() as appending:
        appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {}))
    assert closed.head().size == size
    assert record(box)[0] == origin
    assert record(beside)[0] == origin


def test_a_fault_in_an_append_is_no_reason_to_try_again(box: OpenBox) -> None:
    tried = []

    def fail() -> None:
        with box.append():
            tried.append(True)
            raise SupersededError()

    with pytest.raises(SupersededError):
        fail()
    assert tried == [True]
    assert box.ledger.head().size == 1


def test_who_reads_a_snapshot_keeps_its_ledger(box: OpenBox, beside: OpenBox, device_key: SigningKey) -> None:
    before = box.school.origin
    seen = list[str]()
    with box.database.snapshot():
        assert box.school.origin == before
        origin = begin(beside, device_key)
        other = Thread(target=lambda: seen.append(box.school.origin))  # has no snapshot
        other.start()
        other.join()
        assert seen == [origin]
        assert (box.school.origin, box.ledger.origin) == (before, before)
        assert box.ledger.head().size == 1
    assert (box.school.origin, box.ledger.origin) == (origin, origin)


def test_threads_that_record_all_the_time_lose_nothing(
    box: OpenBox, beside: OpenBox, device_key: SigningKey, clock: ManualClock
) -> None:
    told = list[tuple[str, int]]()
    ended = Event()

    def work() -> None:
        while not ended.is_set():
            told.append(record(box))

    threads = [Thread(target=work) for _ in range(3)]
    for thread in threads:
        thread.start()
    origins = [box.school.origin]
    for _ in range(4):
        reached = len(told)
        while len(told) < reached + 10:
            ended.wait(0.01)
        origins.append(begin(beside, device_key))
    while told[-1][0] != origins[-1]:
        ended.wait(0.01)
    ended.set()
    for thread in threads:
        thread.join()
    assert len(set(told)) == len(told)
    assert {origin for origin, _ in told} == set(origins)
    for origin, index in told:
        entry = LedgerStore.find(box.database, origin).entry(index)
        assert entry.type == EntryType.GUARDIAN_AUTHENTICATED.number
    for origin in origins:
        found = audit_ledger(LedgerStore.find(box.database, origin), {})
        assert found.faults == []


def test_a_generation_of_another_key_is_not_written(box: OpenBox, beside: OpenBox, clock: ManualClock) -> None:
    begin_generation(beside.database, SigningKey.make(), clock, Reason.RESTORED)
    with pytest.raises(SigningKeyError), box.append():
        raise AssertionError
