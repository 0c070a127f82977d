"""The nightly sealing: which days, in which order, once each, and what keeps it from sealing."""

import dataclasses
import threading
from datetime import date
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from appliance.ledger.archive_keys import ArchiveSigningKey
from appliance.ledger.checkpoint import cosign, open_signed_by
from appliance.ledger.day_seals import (
    DAY_MS,
    KeyNotIntroducedError,
    SealedTreeError,
    SealSignatureError,
    begin_of,
    date_of,
    day_of,
    read_key,
)
from appliance.ledger.encoding import decode, encode
from appliance.ledger.entry import EPOCH_MS, EntryType
from appliance.ledger.generation import Reason
from appliance.ledger.keys import SigningKey
from appliance.ledger.verify import Batch, BodyMissingError, verify_batch
from appliance.services.archive import Archive, NoneIntroducedError, introduced_key
from appliance.services.audit import Audit, audit, audit_ledger
from appliance.services.condition import ARCHIVE_SIGNAL, observe
from appliance.services.generations import begin_generation
from appliance.services.ledger_clock import SINCE_HUB_MS, WITHOUT_HUB_MS, WrongClockError
from appliance.services.opening import OpenBox, found_box, open_box
from appliance.store.appending import Appending, Draft
from appliance.store.database import Database
from appliance.store.faults import DiskFullError
from appliance.store.ledger import LedgerStore
from appliance.store.migrate import migrate
from appliance.store.mirror import MirrorLedger
from appliance.store.schema import LEDGER
from appliance.store.signal import SignalStore
from appliance.sync.wire import pack, unpack
from tests.school.small import CODE
from tests.services.test_audit import alter
from tests.sim.box import DATABASE_KEY, SCHOOL_NAME
from tests.sim.clock import ManualClock

HOUR_MS = 3_600_000
KEY, OTHER = ArchiveSigningKey.make(), ArchiveSigningKey.make()
BEGUN = day_of(1_795_500_000_000)
SEAL, INTRODUCED = EntryType.DAY_SEALED.number, EntryType.ARCHIVE_KEY_INTRODUCED.number


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(begin_of(BEGUN) + 8 * HOUR_MS)


@pytest.fixture
def archive(box: OpenBox) -> Archive:
    return Archive(box, KEY)


def record(box: OpenBox, count: int = 1) -> None:
    for number in range(count):
        with box.ledger.append() as appending:
            appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"number": number}))


def at(clock: ManualClock, day: int, hour: float = 8) -> None:
    clock.ms = begin_of(BEGUN + day) + int(hour * HOUR_MS)


def types(box: OpenBox) -> list[int]:
    return [box.ledger.entry(index).type for index in range(box.ledger.head().size)]


def good(box: OpenBox) -> Audit:
    found = audit(box, None)
    assert found.good, found.faults
    assert found.seals is not None
    return found


def reach(box: OpenBox) -> tuple[date | None, int, int]:
    state = good(box).seals
    assert state is not None
    return state.day, state.size, state.count


def test_the_key_goes_before_the_first_seal_and_is_written_once(
    box: OpenBox, archive: Archive, clock: ManualClock
) -> None:
    record(box, 2)
    with pytest.raises(NoneIntroducedError):
        introduced_key(box.ledger)
    at(clock, 1, 0.2)
    assert [(one.date, one.size) for one in archive.run()] == [(date_of(BEGUN), 3)]
    assert types(box)[3:] == [INTRODUCED, SEAL]
    assert introduced_key(box.ledger).spki == KEY.public.spki
    record(box)
    at(clock, 2, 0.2)
    assert [one.size for one in Archive(box, KEY).run()] == [6]
    assert types(box)[5:] == [EntryType.GUARDIAN_AUTHENTICATED.number, SEAL]
    assert reach(box) == (date_of(BEGUN + 1), 6, 2)


def test_a_seal_is_of_the_tree_at_the_end_of_the_day_at_the_time_of_sealing(
    box: OpenBox, archive: Archive, clock: ManualClock
) -> None:
    record(box)
    at(clock, 0, 23.999)
    record(box)
    at(clock, 1, 0)
    record(box, 2)  # after midnight in Japan, in the middle of the day by UTC
    at(clock, 1, 0.5)
    archive.run()
    body = box.ledger.body(box.ledger.head().size - 1)
    assert body is not None
    content = body.read()
    assert (content["date"], content["size"]) == (date_of(BEGUN).isoformat(), 3)
    opened = open_signed_by(content["cose"], box.ledger.root_at(3), box.school.origin, KEY.public)
    assert (opened.size, opened.time_s) == (3, clock.ms // 1000)


def test_today_is_not_sealed_and_sealing_asks_for_no_further_seal(
    box: OpenBox, archive: Archive, clock: ManualClock
) -> None:
    record(box)
    assert archive.run() == []
    at(clock, 1, 0.2)
    assert len(archive.run()) == 1
    size = box.ledger.head().size
    for day in range(1, 9):
        at(clock, day, 0.2)
        clock.reboot(bytes([day]) * 16)
        assert archive.run() == []
    assert box.ledger.head().size == size
    record(box)  # preceded by box.started
    at(clock, 30)
    assert [one.date for one in archive.run()] == [date_of(BEGUN + 8)]
    assert reach(box)[0] == date_of(BEGUN + 8)


def test_a_day_that_only_sealed_after_a_start_is_none(box: OpenBox, archive: Archive, clock: ManualClock) -> None:
    record(box)
    at(clock, 3)
    clock.reboot(b"\x02" * 16)
    assert len(archive.run()) == 1
    assert types(box)[-3:] == [EntryType.BOX_STARTED.number, INTRODUCED, SEAL]
    at(clock, 5)
    assert archive.run() == []


def test_weeks_without_a_night_are_made_up_for_the_oldest_first(
    box: OpenBox, archive: Archive, clock: ManualClock
) -> None:
    days = [0, 1, 2, 3, 4, 7, 8, 25]
    for day in days:
        at(clock, day)
        record(box, day % 3 + 1)
    at(clock, 40, 3)
    seen: list[tuple[int, int]] = []
    sealed = archive.run(lambda done, total: seen.append((done, total)))
    assert [one.date for one in sealed] == [date_of(BEGUN + day) for day in days]
    assert seen == [(done, len(days)) for done in range(1, len(days) + 1)]
    assert types(box)[-len(days) - 1 :] == [INTRODUCED, *[SEAL] * len(days)]
    assert reach(box) == (date_of(BEGUN + 25), sealed[-1].size, len(days))
    assert archive.run() == []


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 2), st.booleans(), st.booleans()), max_size=12))
def test_whatever_the_rhythm_every_day_with_a_record_is_sealed_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[int, int, bool, bool]]
) -> None:
    """Days with gaps, starts, and nights in which the box was on or off."""
    clock = ManualClock(begin_of(BEGUN) + 8 * HOUR_MS)
    folder = tmp_path_factory.mktemp("rhythm")
    box = found_box(folder, DATABASE_KEY, SigningKey.make(), clock, str(CODE), SCHOOL_NAME)
    with box.database:
        day, wanted = 0, {0}
        for number, (gap, count, starts, night) in enumerate(steps):
            day += gap
            at(clock, day, 8 + number / 10)
            if starts:
                clock.reboot(bytes([number + 2]) * 16)
            record(box, count)
            wanted |= {day} if count else set()
            if night:
                Archive(box, KEY).run()
        at(clock, day + 1, 0.1)
        Archive(box, KEY).run()
        assert reach(box) == (date_of(BEGUN + max(wanted)), good(box).seals.size, len(wanted))  # type: ignore[union-attr]
        assert Archive(box, KEY).due() == []


def test_a_kill_between_two_days_or_inside_one_is_made_up_for(
    box: OpenBox, archive: Archive, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    for day in range(4):
        at(clock, day)
        record(box)
    at(clock, 4)
    size, add = box.ledger.head().size, Appending.add
    calls: list[EntryType] = []

    def killed(appending: Appending, draft: Draft) -> int:
        calls.append(draft.type)
        if len(calls) in (2, 4):  # between the key and the first seal; later in the middle of a day
            raise KeyboardInterrupt
        return add(appending, draft)

    monkeypatch.setattr(Appending, "add", killed)
    with pytest.raises(KeyboardInterrupt):
        archive.run()
    assert calls == [EntryType.ARCHIVE_KEY_INTRODUCED, EntryType.DAY_SEALED]
    assert box.ledger.head().size == size  # neither without the other
    calls[:] = [EntryType.BOX_STARTED] * 2
    with pytest.raises(KeyboardInterrupt):
        Archive(box, KEY).run()
    monkeypatch.undo()
    done = types(box)[size:].count(SEAL)
    assert 0 <= done < 4
    assert len(Archive(box, KEY).run()) == 4 - done
    assert types(box).count(INTRODUCED) == 1
    assert reach(box) == (date_of(BEGUN + 3), size, 4)


def test_a_key_that_was_introduced_without_a_seal_is_not_introduced_again(box: OpenBox, clock: ManualClock) -> None:
    with box.ledger.append() as appending:
        content = {"alg": -49, "key_id": KEY.public.key_id, "key": KEY.public.spki}
        appending.add(Draft(EntryType.ARCHIVE_KEY_INTRODUCED, content))
    at(clock, 1)
    Archive(box, KEY).run()
    assert types(box) == [EntryType.LEDGER_OPENED.number, INTRODUCED, SEAL]
    assert good(box).seals is not None


def test_a_new_key_is_introduced_and_the_old_seals_stay_good(
    box: OpenBox, archive: Archive, clock: ManualClock
) -> None:
    at(clock, 1)
    archive.run()
    record(box)
    at(clock, 2)
    Archive(box, OTHER).run()
    assert types(box)[-2:] == [INTRODUCED, SEAL]
    record(box)
    at(clock, 3)
    Archive(box, OTHER).run()
    assert types(box).count(INTRODUCED) == 2
    state = good(box).seals
    assert state is not None
    assert [key.spki for key in state.keys] == [KEY.public.spki, OTHER.public.spki]
    assert introduced_key(box.ledger).spki == OTHER.public.spki


def test_two_at_once_seal_each_day_once(
    box: OpenBox, archive: Archive, clock: ManualClock, device_key: SigningKey
) -> None:
    for day in range(12):
        at(clock, day)
        record(box)
    at(clock, 12)
    second = open_box(box.database.path.parent, DATABASE_KEY, device_key, clock)
    sealed: list[int] = []

    def seal(archive: Archive) -> None:
        sealed.extend(one.day for one in archive.run())

    with second.database:
        both = [threading.Thread(target=seal, args=(one,)) for one in (archive, Archive(second, KEY))]
        for one in both:
            one.start()
        for one in both:
            one.join()
    assert sorted(sealed) == [BEGUN + day for day in range(12)]
    assert reach(box) == (date_of(BEGUN + 11), 13, 12)


def test_another_sealing_that_came_first_is_seen(box: OpenBox, archive: Archive, clock: ManualClock) -> None:
    record(box)
    at(clock, 1)
    record(box)
    at(clock, 2)
    due = archive.due()
    assert len(Archive(box, KEY).run()) == 2
    assert not archive._seal(due[0])
    assert archive.run() == []
    assert reach(box)[2] == 2


@pytest.mark.parametrize("years", [11, 73])
def test_a_clock_that_cannot_be_right_seals_nothing(
    box: OpenBox, archive: Archive, clock: ManualClock, years: int
) -> None:
    record(box)
    clock.ms += max(years * 366 * DAY_MS, WITHOUT_HUB_MS, SINCE_HUB_MS)
    with pytest.raises(WrongClockError):
        archive.run()
    clock.ms = 0
    with pytest.raises(WrongClockError):
        archive.run()
    assert SEAL not in types(box)


def test_a_clock_that_was_some_days_ahead_closes_those_days_for_good(
    box: OpenBox, archive: Archive, clock: ManualClock
) -> None:
    record(box)
    at(clock, 5, 1)
    archive.run()
    at(clock, 4, 20)  # put right
    record(box)  # keeps the time of its predecessor
    assert archive.run() == []
    at(clock, 6, 1)
    assert [one.date for one in archive.run()] == [date_of(BEGUN + 5)]
    assert reach(box)[2] == 2


def test_a_clock_set_back_over_midnight_in_the_middle_of_sealing(
    box: OpenBox, archive: Archive, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(box)
    at(clock, 1, 0.1)
    due = archive.due()
    at(clock, 0, 23.5)
    with pytest.raises(WrongClockError):
        archive._seal(due[0])
    assert SEAL not in types(box)
    at(clock, 1, 0.1)
    archive.run()
    assert reach(box)[2] == 1


def test_a_full_disk_is_said_and_the_reserve_is_left_alone(
    box: OpenBox, archive: Archive, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(box)
    at(clock, 1)
    box.room.restore()
    box.room.reserve.give_up()
    monkeypatch.setattr("appliance.store.reserve.Reserve.keep", lambda _: None)
    with pytest.raises(DiskFullError):
        archive.run()
    assert SEAL not in types(box)
    monkeypatch.undo()
    assert len(archive.run()) == 1


def test_how_far_it_has_come_is_told_to_the_health_checks(box: OpenBox, archive: Archive, clock: ManualClock) -> None:
    signals = SignalStore(box.database)

    def unsealed_ms() -> int:
        return observe(box, signals, False, "").unsealed_ms

    clock.ms += 5_000
    assert unsealed_ms() == 5_000
    at(clock, 1, 0.2)
    archive.run()
    said = signals.read(ARCHIVE_SIGNAL)
    assert said is not None
    assert said.value == {"origin": box.school.origin, "size": 1}
    assert unsealed_ms() == 0  # the seal itself is of this day
    at(clock, 2, 0.2)
    archive.run()
    assert unsealed_ms() == 0
    at(clock, 9)
    record(box)
    at(clock, 13)
    assert unsealed_ms() == 4 * DAY_MS


def test_a_new_generation_introduces_and_seals_for_itself(
    box: OpenBox, archive: Archive, clock: ManualClock, tmp_path: Path
) -> None:
    record(box)
    at(clock, 1)
    archive.run()
    first = box.school.origin
    device_key = SigningKey.make()
    origin = begin_generation(box.database, device_key, clock, Reason.RESTORED, note=box.note)
    again = open_box(box.database.path.parent, DATABASE_KEY, device_key, clock)
    with again.database:
        assert observe(again, SignalStore(again.database), False, "").unsealed_ms == 0
        clock.ms += 7
        assert observe(again, SignalStore(again.database), False, "").unsealed_ms == 7
        at(clock, 2)
        # The first entry, and the four that were not confirmed and came along.
        assert [one.size for one in Archive(again, OTHER).run()] == [5]
        assert types(again) == [
            EntryType.LEDGER_OPENED.number,
            *[EntryType.RECORD_CARRIED.number] * 4,
            INTRODUCED,
            SEAL,
        ]
        assert reach(again) == (date_of(BEGUN + 1), 5, 1)
        opened = again.ledger.body(0)
        assert opened is not None
        assert (again.school.origin, opened.read()["previous"]["origin"]) == (origin, first)
        earlier = audit_ledger(LedgerStore.find(again.database, first), {})
        assert earlier.good
        assert earlier.seals is not None
        assert (earlier.seals.count, earlier.seals.keys[0].spki) == (1, KEY.public.spki)


def test_an_old_box_without_seals_is_sealed_from_its_first_day_on(
    box: OpenBox, archive: Archive, clock: ManualClock
) -> None:
    for day in range(0, 60, 2):
        at(clock, day)
        record(box)
    assert good(box).seals is not None
    assert reach(box) == (None, 0, 0)
    assert len(archive.run()) == 29
    assert reach(box)[:2] == (date_of(BEGUN + 56), 30)


def forged(box: OpenBox, kind: int, change: dict[str, object]) -> None:
    """Exchanges the content of the last entry of a type, as whoever could sign the tree anew would do it."""
    index = max(at for at, one in enumerate(types(box)) if one == kind)
    body = box.ledger.body(index)
    assert body is not None
    content = body.read() | change
    # The commitment of the entry and all signatures of the box are made anew: P-256 is no obstacle here.
    rebuild(box, index, encode(content))


def rebuild(box: OpenBox, index: int, content: bytes) -> None:
    """Writes everything from this entry on once more, with another content in it, at the same times."""
    drafts = []
    for at_index in range(index, box.ledger.head().size):
        entry, body = box.ledger.entry(at_index), box.ledger.body(at_index)
        assert body is not None
        kind = next(one for one in EntryType if one.number == entry.type)
        value = body.read() if at_index != index else None
        drafts.append((kind, value, entry.wall_ms))
    alter(box, f"DELETE FROM entry WHERE id & 65535 >= {index}", f"DELETE FROM cosignature WHERE size > {index}")
    (box.database.path.parent / "box.head").unlink(missing_ok=True)
    for kind, value, wall_ms in drafts:
        box.clock.ms = wall_ms  # type: ignore[attr-defined]
        with box.ledger.append() as appending:
            appending.add(Draft(kind, decode(content) if value is None else value))


@pytest.mark.parametrize(
    ("kind", "change", "error"),
    [
        (SEAL, {"size": 1}, SealedTreeError),
        (SEAL, {"date": "2026-11-20"}, SealedTreeError),
        (INTRODUCED, {"key_id": OTHER.public.key_id, "key": OTHER.public.spki}, KeyNotIntroducedError),
    ],
    ids=["size", "date", "key"],
)
def test_the_audit_names_what_is_at_fault(
    box: OpenBox, archive: Archive, clock: ManualClock, kind: int, change: dict[str, object], error: type[Exception]
) -> None:
    record(box)
    at(clock, 1)
    archive.run()
    forged(box, kind, change)
    found = audit(box, None)
    assert [type(one) for one in found.faults] == [error]
    assert found.seals is None


def test_records_forged_with_the_key_of_the_box_do_not_fit_their_seal(
    box: OpenBox, archive: Archive, clock: ManualClock
) -> None:
    record(box, 2)
    at(clock, 1)
    archive.run()
    rebuild(box, 1, encode({"number": "forged"}))
    found = audit(box, None)
    assert [type(one) for one in found.faults] == [SealSignatureError]
    assert found.faults[0].fields == {"date": date_of(BEGUN).isoformat(), "index": 4}


def test_a_seal_whose_content_is_gone_is_no_guide(box: OpenBox, archive: Archive, clock: ManualClock) -> None:
    at(clock, 1)
    archive.run()
    alter(box, "UPDATE entry SET body = NULL WHERE id & 255 = 2")
    with pytest.raises(BodyMissingError):
        Archive(box, KEY).run()


def test_what_is_introduced_is_read_from_the_entry(box: OpenBox, archive: Archive, clock: ManualClock) -> None:
    at(clock, 1)
    archive.run()
    body = box.ledger.body(1)
    assert body is not None
    assert read_key(body).spki == KEY.public.spki
    assert box.ledger.entry(1).time_ms + EPOCH_MS == clock.ms


def test_the_mirror_of_the_hub_proves_the_same_and_keeps_the_key(
    box: OpenBox, archive: Archive, clock: ManualClock, device_key: SigningKey, tmp_path: Path
) -> None:
    for day in range(3):
        at(clock, day)
        record(box, 2)
    at(clock, 3)
    archive.run()
    size = box.ledger.head().size
    sent = Batch(box.school.origin, 0, tuple(box.ledger.items(0, size)), box.ledger.checkpoint_at(size))
    arrived = unpack(pack(sent))
    assert isinstance(arrived, Batch)
    with Database.create(tmp_path / "hub.db", b"h" * 32) as database:
        migrate(database, (LEDGER,))
        mirror = MirrorLedger.add(database, box.school.origin, device_key.public)
        verified = verify_batch(arrived, box.school.origin, mirror.frontier(), 0, device_key.public)
        mirror.store(verified, cosign(verified.checkpoint, "hub", 1, SigningKey.make()), 5)
        found = audit_ledger(mirror, {})
        assert found.good
        assert found.seals == dataclasses.replace(good(box).seals, keys=found.seals.keys)  # type: ignore[type-var,union-attr]
        assert introduced_key(mirror).spki == KEY.public.spki
