"""Every health check: what it is silent about, what it reports, and at which edge."""

from dataclasses import replace
from importlib import import_module

import pytest

from appliance.errors import Field
from appliance.ledger.entry import EPOCH_MS
from appliance.ledger.generation import Reason
from appliance.ledger.keys import SigningKey
from appliance.services.checks import CHECKS, problems
from appliance.services.checks.archive import LATE_MS as SEAL_LATE_MS
from appliance.services.checks.archive import check_archive
from appliance.services.checks.backup import DAY_MS, check_backup
from appliance.services.checks.backup import LATE_MS as BACKUP_LATE_MS
from appliance.services.checks.card import check_card
from appliance.services.checks.certificate import check_certificate
from appliance.services.checks.clock import TOLERATED_MS, check_clock
from appliance.services.checks.clock_ahead import check_clock_ahead
from appliance.services.checks.disk import FULL_BYTES, LOW_BYTES, check_disk
from appliance.services.checks.enrolment import check_enrolment
from appliance.services.checks.generation import TOLD_MS, check_generation
from appliance.services.checks.hub import LATE_MS, check_hub
from appliance.services.checks.keys import check_keys
from appliance.services.checks.line import SILENT_MS as LINE_SILENT_MS
from appliance.services.checks.line import check_line
from appliance.services.checks.reader import SILENT_MS as READER_SILENT_MS
from appliance.services.checks.reader import check_reader
from appliance.services.checks.readers import check_readers
from appliance.services.checks.rotation import check_rotation
from appliance.services.checks.storage import check_storage, closed_problem
from appliance.services.condition import BACKUP_SIGNAL, FAULT, NOTE, WARNING, Begun, Condition, Heard, Problem, observe
from appliance.services.generations import begin_generation
from appliance.services.opening import OpenBox
from appliance.services.sealing import HOST_ONLY, Seal
from appliance.store.disk import Disk, DiskFault
from appliance.store.signal import SignalStore
from appliance.web.catalogue import MESSAGES, Catalogue
from tests.sim.box import confirm
from tests.sim.clock import ManualClock
from tests.source import ROOT

NOW_MS = 1_795_000_000_000
HOUR_MS = 3_600_000
WELL = Condition(
    now_ms=NOW_MS,
    recorded=10,
    receipted=10,
    last_entry_ms=NOW_MS,
    oldest_pending_ms=None,
    disk=Disk(50 << 30, 64 << 30),
    enrolled=True,
    reader=Heard({"state": "empty"}, 0),
    sync=Heard({"connected": True}, 0),
)


def but(condition: Condition, **changes: object) -> Condition:
    return replace(condition, **changes)  # type: ignore[arg-type]  # the callers' keywords are fields of Condition


def test_a_box_that_is_well_has_nothing_to_say() -> None:
    assert problems(WELL) == []


def test_days_without_a_seal_are_told_after_some_nights() -> None:
    assert check_archive(WELL) is None
    assert check_archive(but(WELL, unsealed_ms=SEAL_LATE_MS)) is None
    late = but(WELL, unsealed_ms=SEAL_LATE_MS + DAY_MS)
    assert check_archive(late) == Problem("health.seal_late", fields={"days": 4})
    assert problems(late) == [Problem("health.seal_late", fields={"days": 4})]
    assert check_archive(replace(late, latest_plausible_ms=NOW_MS - 1)) is None  # the clock is what is to be told


def test_a_new_generation_is_told_for_a_month() -> None:
    assert check_generation(WELL) is None
    back = but(WELL, generation=Begun(2, Reason.ROLLED_BACK, 3_600_000, 7))
    found = check_generation(back)
    assert found is not None
    assert (found.code, found.severity) == ("health.generation_rolled_back", WARNING)
    assert (found.fields["number"], found.fields["carried"]) == (2, 7)
    assert check_generation(but(WELL, generation=Begun(2, Reason.ROLLED_BACK, TOLD_MS + 1, 7))) is None
    restored = check_generation(but(WELL, generation=Begun(3, Reason.RESTORED, TOLD_MS, 0)))
    assert restored is not None
    assert (restored.code, restored.severity) == ("health.generation_restored", NOTE)
    assert restored.fields["date"] == "2026-10-19"


def test_the_generation_is_read_from_its_first_record(box: OpenBox, device_key: SigningKey, clock: ManualClock) -> None:
    signals = SignalStore(box.database)
    assert observe(box, signals, False, "").generation is None
    begin_generation(box.database, device_key, clock, Reason.ROLLED_BACK)
    box.look_again()
    clock.ms += 5_000
    assert observe(box, signals, False, "").generation == Begun(2, Reason.ROLLED_BACK, 5_000, 1)


def test_a_change_of_the_key_that_was_interrupted_is_told() -> None:
    assert check_rotation(WELL) is None
    assert check_rotation(but(WELL, rotation_unfinished=True)) == Problem("health.rotation_unfinished")
    device = but(WELL, device_rotation_unfinished=True)
    assert check_rotation(device) == Problem("health.device_rotation_unfinished")
    assert check_rotation(but(device, rotation_unfinished=True)) == Problem("health.rotation_unfinished")


@pytest.mark.parametrize("state", ["empty", "present", "mute"])
def test_a_reader_that_answers_is_fine(state: str) -> None:
    assert check_reader(but(WELL, reader=Heard({"state": state}, READER_SILENT_MS))) is None


@pytest.mark.parametrize(
    ("reader", "code"),
    [
        (None, "health.kiosk_silent"),
        (Heard({"state": "empty"}, READER_SILENT_MS + 1), "health.kiosk_silent"),
        (Heard({"state": "reader_absent"}, 0), "health.reader_absent"),
        (Heard({"state": "service_absent"}, 0), "health.reader_service"),
        (Heard({"state": "cardd_absent"}, 0), "health.cardd_absent"),
        (Heard({"state": "reader_absent", "many": 0, "found": ""}, 0), "health.reader_absent"),
    ],
)
def test_a_reader_that_is_away_is_a_fault(reader: Heard | None, code: str) -> None:
    assert check_reader(but(WELL, reader=reader)) == Problem(code, FAULT)


def reader(state: str = "empty", **more: object) -> Heard:
    said = {"state": state, "reader": "A 00", "found": "A 00", "many": 1, "held": False, **more}
    return Heard(said, 0)  # type: ignore[arg-type]  # the callers' values are fields


def test_another_reader_than_the_one_in_the_settings_is_named() -> None:
    other = but(WELL, reader=reader("reader_absent", reader="", found="B 00 / C 00", many=2), wanted_reader="A")
    expected = Problem("health.reader_other", FAULT, {"wanted": "A", "found": "B 00 / C 00"})
    assert check_reader(other) == expected
    assert problems(other) == [expected]


def test_several_readers_are_told_unless_one_was_chosen() -> None:
    several = but(WELL, reader=reader(found="A 00 / B 00", many=2))
    fields: dict[str, Field] = {"many": 2, "reader": "A 00", "found": "A 00 / B 00"}
    assert problems(several) == [Problem("health.reader_several", WARNING, fields)]
    assert check_readers(but(several, wanted_reader="A")) is None
    assert check_readers(but(WELL, reader=reader())) is None
    assert check_readers(but(WELL, reader=None)) is None


@pytest.mark.parametrize(
    ("said", "code", "fields"),
    [
        ({"state": "mute", "lasted_s": 9}, None, {}),
        ({"state": "mute", "lasted_s": 10}, "health.card_mute", {}),
        ({"state": "empty", "held": True, "lasted_s": 9}, None, {}),
        ({"state": "empty", "held": True, "lasted_s": 10}, "health.reader_held", {"reader": "A 00"}),
        ({"state": "present", "lasted_s": 86_400, "left_s": 0}, None, {}),  # somebody takes their time
        ({"state": "present", "lasted_s": 400, "left_s": 299}, None, {}),
        ({"state": "present", "lasted_s": 400, "left_s": 300}, "health.card_left", {"minutes": 5}),
        ({"state": "mute", "lasted_s": 400, "left_s": 300}, "health.card_mute", {}),
    ],
)
def test_what_lies_there_too_long_is_told(said: dict[str, object], code: str | None, fields: dict[str, object]) -> None:
    a_moment_ago = replace(reader(**said), age_ms=500)  # type: ignore[arg-type]  # its keywords are fields
    found = check_card(but(WELL, reader=a_moment_ago))
    assert (found and (found.code, found.severity, found.fields)) == (code and (code, WARNING, fields))
    silent = replace(a_moment_ago, age_ms=READER_SILENT_MS + 1)
    assert check_card(but(WELL, reader=silent)) is None


def test_what_lasts_goes_on_lasting_between_two_words_of_the_kiosk() -> None:
    said = reader("present", lasted_s=300, left_s=290)
    assert check_card(but(WELL, reader=said)) is None
    assert check_card(but(WELL, reader=replace(said, age_ms=10_001))) is not None


@pytest.mark.parametrize(
    ("free_bytes", "problem"),
    [
        (LOW_BYTES, None),
        (LOW_BYTES - 1, Problem("health.disk_low", WARNING, {"free_mb": 1023})),
        (FULL_BYTES, Problem("health.disk_low", WARNING, {"free_mb": 64})),
        (FULL_BYTES - 1, Problem("health.disk_nearly_full", FAULT, {"free_mb": 63})),
        (0, Problem("health.disk_nearly_full", FAULT, {"free_mb": 0})),
    ],
)
def test_a_disk_warns_before_it_is_full(free_bytes: int, problem: Problem | None) -> None:
    assert check_disk(but(WELL, disk=Disk(free_bytes, 64 << 30))) == problem


def test_a_disk_is_full_when_it_takes_nothing_or_only_the_reserve_is_left() -> None:
    full = Problem("health.disk_full", FAULT, {"free_mb": 31})
    assert check_disk(but(WELL, disk=Disk(31 << 20, 64 << 30, DiskFault.FULL))) == full
    assert check_disk(but(WELL, disk=Disk(31 << 20, 64 << 30), reserve_given_up=True)) == full


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (DiskFault.READ_ONLY, "health.disk_read_only"),
        (DiskFault.BROKEN, "health.disk_broken"),
        (DiskFault.FULL, "health.disk_full"),
    ],
)
def test_on_a_disk_that_takes_no_write_the_silence_of_programs_is_no_problem_of_its_own(
    fault: DiskFault, code: str
) -> None:
    silent = but(WELL, reader=None, sync=None)
    assert {one.code for one in problems(silent)} == {"health.kiosk_silent", "health.sync_silent"}
    assert [one.code for one in problems(but(silent, disk=Disk(0, 64 << 30, fault)))] == [code]


def test_a_disk_that_takes_writes_is_no_problem_though_the_records_may_not_open() -> None:
    assert check_storage(WELL) is None
    assert closed_problem("store.fault") == Problem("health.store_closed", FAULT, {"reason": "store.fault"})


def test_a_clock_that_is_further_on_than_can_be_is_told_with_its_year() -> None:
    limit_ms = 4_070_908_800_000  # 2099-01-01T00:00:00Z
    later = but(WELL, latest_plausible_ms=limit_ms, last_entry_ms=NOW_MS)
    assert check_clock_ahead(but(later, now_ms=limit_ms)) is None
    ahead = but(later, now_ms=limit_ms + 1_000_000)
    assert problems(but(ahead, reader=WELL.reader)) == [Problem("clock.ahead", FAULT, {"year": "2099"})]


@pytest.mark.parametrize(
    ("now_ms", "last_entry_ms", "problem"),
    [
        (EPOCH_MS, EPOCH_MS, None),
        (EPOCH_MS - 1, EPOCH_MS, Problem("clock.unset", FAULT)),
        (NOW_MS, NOW_MS + TOLERATED_MS, None),
        (NOW_MS, NOW_MS + TOLERATED_MS + 1, Problem("clock.backwards", FAULT, {"behind": 1, "unit": "minutes"})),
        (NOW_MS, NOW_MS + 2 * HOUR_MS - 1, Problem("clock.backwards", FAULT, {"behind": 119, "unit": "minutes"})),
        (NOW_MS, NOW_MS + 2 * HOUR_MS, Problem("clock.backwards", FAULT, {"behind": 2, "unit": "hours"})),
        (NOW_MS, NOW_MS + 48 * HOUR_MS - 1, Problem("clock.backwards", FAULT, {"behind": 47, "unit": "hours"})),
        (NOW_MS, NOW_MS + 72 * HOUR_MS, Problem("clock.backwards", FAULT, {"behind": 3, "unit": "days"})),
    ],
)
def test_a_clock_that_cannot_be_right(now_ms: int, last_entry_ms: int, problem: Problem | None) -> None:
    assert check_clock(but(WELL, now_ms=now_ms, last_entry_ms=last_entry_ms)) == problem


def test_a_box_without_a_hub_says_how_much_waits() -> None:
    alone = but(WELL, enrolled=False, receipted=0)
    assert check_enrolment(alone) == Problem("health.not_enrolled", WARNING, {"pending": 10})
    assert check_enrolment(WELL) is None
    assert problems(but(alone, sync=None)) == [check_enrolment(alone)]  # nothing else is expected of it


def test_being_offline_is_no_fault_but_silence_is() -> None:
    assert check_line(but(WELL, sync=Heard({"connected": False}, LINE_SILENT_MS))) is None
    for sync in (None, Heard({"connected": True}, LINE_SILENT_MS + 1)):
        assert check_line(but(WELL, sync=sync)) == Problem("health.sync_silent", FAULT)


def test_a_refusing_hub_is_a_fault_and_a_late_one_a_warning() -> None:
    refusing = but(WELL, sync=Heard({"connected": True, "refused": "ledger.signature"}, 0))
    revoked = but(WELL, sync=Heard({"connected": False, "refused": "hub.revoked"}, 0))
    assert check_hub(revoked) == Problem("health.hub_revoked", FAULT)
    assert check_hub(refusing) == Problem("health.hub_refuses", FAULT, {"reason": "ledger.signature"})
    late = but(WELL, receipted=7, oldest_pending_ms=NOW_MS - LATE_MS)
    assert check_hub(late) is None
    later = but(late, oldest_pending_ms=NOW_MS - LATE_MS - 1)
    assert check_hub(later) == Problem("health.hub_late", WARNING, {"days": 14, "pending": 3})
    assert check_hub(but(later, enrolled=False)) is None


def test_faults_come_before_warnings() -> None:
    ill = but(WELL, disk=Disk(LOW_BYTES - 1, 64 << 30), reader=None, now_ms=0, last_entry_ms=0, keys=HOST_ONLY)
    assert [one.severity for one in problems(ill)] == [FAULT, FAULT, WARNING, NOTE]


def test_a_box_without_a_backup_of_the_last_week_says_so() -> None:
    for saved, code in ((False, "health.backup_none"), (True, "health.backup_late")):
        assert check_backup(but(WELL, saved=saved, unsaved_ms=BACKUP_LATE_MS)) is None
        late = but(WELL, saved=saved, unsaved_ms=30 * DAY_MS)
        assert check_backup(late) == Problem(code, WARNING, {"days": 30})
        # A clock that is years ahead knows nothing of days.
        assert check_backup(but(late, latest_plausible_ms=NOW_MS - 1)) is None


def test_the_age_of_a_backup_counts_from_the_last_one_or_from_the_first_record(
    box: OpenBox, clock: ManualClock
) -> None:
    signals = SignalStore(box.database)
    clock.advance(3 * DAY_MS)
    seen = observe(box, signals, enrolled=True, wanted_reader="")
    assert (seen.saved, seen.unsaved_ms) == (False, 3 * DAY_MS)
    signals.write(BACKUP_SIGNAL, {"size": 1}, clock.ms)
    clock.advance(DAY_MS)
    seen = observe(box, signals, enrolled=True, wanted_reader="")
    assert (seen.saved, seen.unsaved_ms) == (True, DAY_MS)


def test_keys_that_a_copy_of_the_disk_opens_are_noted() -> None:
    assert check_keys(but(WELL, keys=HOST_ONLY)) == Problem("health.keys_on_disk", NOTE)
    for keys in (None, Seal(tpm=True, pcrs=(7,))):  # None: where nothing is known, nothing is claimed
        assert check_keys(but(WELL, keys=keys)) is None


def test_every_file_of_checks_is_listed_and_every_code_has_its_sentences() -> None:
    files = {path.stem for path in (ROOT / "appliance/services/checks").glob("*.py")} - {"__init__"}
    assert files == {check.__module__.rpartition(".")[2] for check in CHECKS}
    assert all(hasattr(import_module(check.__module__), check.__name__) for check in CHECKS)
    sentences = Catalogue(MESSAGES)
    everything = (
        but(WELL, reader=None, disk=Disk(0, 64 << 30), enrolled=False, now_ms=0),
        but(WELL, reader=Heard({"state": "reader_absent"}, 0), disk=Disk(LOW_BYTES - 1, 64 << 30), sync=None),
        but(WELL, reserve_given_up=True, latest_plausible_ms=0),
        but(WELL, disk=Disk(0, 0, DiskFault.READ_ONLY)),
        but(WELL, disk=Disk(0, 0, DiskFault.BROKEN)),
        but(WELL, reader=Heard({"state": "service_absent"}, 0), last_entry_ms=NOW_MS + 86_400_000),
        but(WELL, sync=Heard({"refused": "x"}, 0)),
        but(WELL, oldest_pending_ms=0),
        but(WELL, reader=Heard({"state": "cardd_absent"}, 0)),
        but(WELL, reader=reader("reader_absent", many=1), wanted_reader="B"),
        but(WELL, reader=reader(many=2, held=True, lasted_s=60)),
        but(WELL, reader=reader("mute", lasted_s=60)),
        but(WELL, reader=reader("present", left_s=600)),
        but(WELL, keys=HOST_ONLY),
        but(WELL, unsaved_ms=BACKUP_LATE_MS + 1),
        but(WELL, saved=True, unsaved_ms=BACKUP_LATE_MS + 1),
    )
    found = {one.code: one for condition in everything for one in problems(condition)}
    assert len(found) == 24
    for problem in found.values():
        for part in ("", "means", "next"):
            assert all(sentences.text(one, problem.code, part, **problem.fields) for one in sentences.languages)


def test_the_condition_is_what_the_box_and_the_programs_say(box: OpenBox, clock: ManualClock) -> None:
    signals = SignalStore(box.database)
    fresh = observe(box, signals, enrolled=False, wanted_reader="")
    assert (fresh.recorded, fresh.receipted, fresh.pending, fresh.enrolled) == (1, 0, 1, False)
    assert (fresh.reader, fresh.sync, fresh.keys, fresh.now_ms) == (None, None, None, clock.ms)
    assert fresh.last_entry_ms == fresh.oldest_pending_ms == clock.ms
    assert 0 < fresh.disk.free_bytes <= fresh.disk.total_bytes
    assert fresh.disk.fault is None
    assert box.room.reserve.path.stat().st_size > 0  # whoever looks fills it
    signals.write("reader", {"state": "empty"}, clock.ms)
    signals.write("sync", {"connected": True}, clock.ms + 5_000)  # the other program's clock was corrected since
    clock.advance(3_000)
    confirm(box, 1, SigningKey.make())
    later = observe(box, signals, enrolled=True, wanted_reader="ACS", keys=HOST_ONLY)
    assert (later.pending, later.oldest_pending_ms) == (0, None)
    assert later.reader == Heard({"state": "empty"}, 3_000)
    assert later.sync == Heard({"connected": True}, 0)
    assert later.keys == HOST_ONLY


def test_a_certificate_that_was_not_renewed_is_told_before_it_ends() -> None:
    day = 86_400_000

    def at(days_left: float) -> Problem | None:
        word: dict[str, Field] = {
            "connected": True,
            "certificate_due_ms": NOW_MS + int((days_left - 30) * day),
            "certificate_until_ms": NOW_MS + int(days_left * day),
        }
        return check_certificate(but(WELL, sync=Heard(word, 0)))

    assert at(90) is at(30) is at(16) is None
    ends, ended = at(14.5), at(0)
    assert ends is not None
    assert ended is not None
    assert (ends.code, ends.severity, ends.fields) == ("health.certificate_ends", WARNING, {"days": 14})
    assert (ended.code, ended.severity, ended.fields) == ("health.certificate_ended", FAULT, {"pending": 0})


def test_a_box_that_has_no_certificate_yet_is_told_nothing_of_it() -> None:
    assert check_certificate(but(WELL, sync=None)) is None
    assert check_certificate(WELL) is None
    ended: dict[str, Field] = {"certificate_due_ms": 0, "certificate_until_ms": 1}
    assert check_certificate(but(WELL, enrolled=False, sync=Heard(ended, 0))) is None
