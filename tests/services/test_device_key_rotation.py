"""A new key to sign the ledger with: what it leaves behind, wherever it is interrupted, and what it refuses."""

from pathlib import Path

import pytest

from appliance.errors import MadoguchiError
from appliance.ledger.entry import type_label
from appliance.ledger.generation import Reason
from appliance.ledger.keys import SigningKey
from appliance.ledger.sealed_file import Header
from appliance.ledger.signers import MOST_KEYS, KeyHistoryError
from appliance.ledger.succession import chain_of
from appliance.ledger.verify import Batch
from appliance.services import device_key_rotation as module
from appliance.services.audit import audit
from appliance.services.device_key_rotation import DeviceKeyRotation, finish_device_key
from appliance.services.device_keys import DeviceKeys
from appliance.services.enrolment import make_request
from appliance.services.generations import begin_generation, generations
from appliance.services.opening import OpenBox, open_box
from appliance.services.successor import RotationRunningError, Successor, SuccessorAbsentError, alone
from appliance.store.faults import DiskFullError
from appliance.store.ledger import LedgerStore, OwnLedger, SigningKeyError
from appliance.sync.enrolment import EnrolmentRequest
from appliance.sync.wire import pack, unpack
from tests.services.test_backup import HOLDER, record
from tests.sim.backup import back_up, header_of
from tests.sim.box import DATABASE_KEY
from tests.sim.clock import ManualClock


class PulledError(Exception):
    """What a test raises where the power goes."""


class Keys:
    """The folder of credentials."""

    def __init__(self, folder: Path, key: SigningKey) -> None:
        self.folder, self.key, self.next = folder, folder / "device.key", folder / "device.key.next"
        folder.mkdir()
        self.key.write_bytes(key.pem())

    @property
    def names(self) -> list[str]:
        return sorted(file.name for file in self.folder.iterdir())

    def signing(self, ledger: LedgerStore) -> list[str]:
        """Which of the files have the key that signs the ledger."""
        files = [file for file in (self.key, self.next) if file.exists()]
        return [one.name for one in files if SigningKey.from_pem(one.read_bytes()).public == ledger.public_key]


@pytest.fixture
def keys(tmp_path: Path, device_key: SigningKey, monkeypatch: pytest.MonkeyPatch) -> Keys:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "keys"))
    return Keys(tmp_path / "keys", device_key)


@pytest.fixture
def opened(box: OpenBox, keys: Keys, clock: ManualClock) -> OpenBox:
    """The box with some records, as a program has it that reads its keys from there."""
    record(box, 3)
    return open_box(box.database.path.parent, DATABASE_KEY, DeviceKeys(), clock)


def good(box: OpenBox) -> bool:
    return audit(box, None).good


def test_the_key_is_changed_and_the_ledger_tells_of_it(opened: OpenBox, keys: Keys) -> None:
    size = opened.ledger.head().size
    period = DeviceKeyRotation(opened).run()
    assert period == opened.ledger.keys.newest
    assert (period.size, opened.ledger.head().size) == (size + 2, size + 1)
    assert keys.names == ["device.key"]
    assert keys.signing(opened.ledger) == ["device.key"]
    assert not DeviceKeyRotation(opened).unfinished
    assert good(opened)
    record(opened, 2)
    assert good(opened)


def test_twice_in_a_row_are_two_changes(opened: OpenBox, keys: Keys, device_key: SigningKey) -> None:
    seen = [DeviceKeyRotation(opened).run().key.key_id for _ in range(2)]
    assert [one.key.key_id for one in opened.ledger.keys.periods] == [device_key.public.key_id, *seen]
    head = opened.ledger.head().size
    assert [type_label(opened.ledger.entry(at).type) for at in (head - 2, head - 1)] == ["device_key.changed"] * 2
    assert keys.signing(opened.ledger) == ["device.key"]
    assert good(opened)


def test_a_program_that_was_there_before_goes_on_with_it(opened: OpenBox, box: OpenBox, clock: ManualClock) -> None:
    other = open_box(box.database.path.parent, DATABASE_KEY, DeviceKeys(), clock)
    record(other, 1)
    DeviceKeyRotation(opened).run()
    record(other, 1)
    assert good(opened)
    assert good(other)
    with pytest.raises(SigningKeyError):  # it holds the one key that it was given
        record(box, 1)


def test_a_box_with_the_key_of_another_is_told_so(opened: OpenBox, keys: Keys, clock: ManualClock) -> None:
    before = keys.names
    keys.key.write_bytes(SigningKey.make().pem())
    with pytest.raises(SigningKeyError):
        open_box(opened.database.path.parent, DATABASE_KEY, DeviceKeys(), clock)
    foreign = OpenBox(opened.database, DeviceKeys(), opened.school_key, clock, opened.note)
    with pytest.raises(SigningKeyError):
        DeviceKeyRotation(foreign).run()
    assert keys.names == before


STEPS = {
    "keep": (Successor, "keep"),
    "hand_over": (OwnLedger, "hand_over"),
    "check_chain": (module, "check_chain"),
    "take_over": (Successor, "take_over"),
}


def pulled(box: OpenBox, step: str, *, after: bool) -> None:
    """A change that ends right before or after this step."""
    place, name = STEPS[step]
    real = getattr(place, name)

    def end(*arguments: object) -> None:
        if after:
            real(*arguments)
        raise PulledError

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(place, name, end)
        with pytest.raises(PulledError):
            DeviceKeyRotation(box).run()


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("step", STEPS)
def test_wherever_it_ends_one_key_signs_and_the_next_call_ends_it(
    opened: OpenBox, keys: Keys, clock: ManualClock, step: str, after: bool
) -> None:
    pulled(opened, step, after=after)
    assert len(keys.signing(opened.ledger)) == 1
    again = open_box(opened.database.path.parent, DATABASE_KEY, DeviceKeys(), clock)
    record(again, 1)
    assert DeviceKeyRotation(again).unfinished == keys.next.exists()
    if (step, after) != ("take_over", True):  # then it is whole
        DeviceKeyRotation(again).run()
    assert len(again.ledger.keys.periods) == 2
    assert keys.names == ["device.key"]
    assert keys.signing(again.ledger) == ["device.key"]
    record(again, 1)
    assert good(again)


@pytest.mark.parametrize(("step", "after"), [("hand_over", True), ("check_chain", True), ("take_over", False)])
def test_a_start_ends_what_lacks_only_the_end(opened: OpenBox, keys: Keys, step: str, after: bool) -> None:
    pulled(opened, step, after=after)
    assert finish_device_key(opened.database)
    assert keys.names == ["device.key"]
    assert keys.signing(opened.ledger) == ["device.key"]
    assert not finish_device_key(opened.database)
    assert good(opened)


def test_a_start_leaves_a_change_alone_that_has_not_begun(opened: OpenBox, keys: Keys) -> None:
    assert not finish_device_key(opened.database)
    keys.next.write_bytes(SigningKey.make().pem())
    assert not finish_device_key(opened.database)
    assert keys.next.exists()
    assert DeviceKeyRotation(opened).unfinished


def test_two_at_once_are_one_too_many(opened: OpenBox, keys: Keys) -> None:
    with alone(opened.database.path.parent):
        with pytest.raises(RotationRunningError):
            DeviceKeyRotation(opened).run()
        assert not finish_device_key(opened.database)
    assert keys.names == ["device.key"]


def test_a_successor_that_was_here_before_is_refused(opened: OpenBox, keys: Keys, device_key: SigningKey) -> None:
    DeviceKeyRotation(opened).run()
    keys.next.write_bytes(device_key.pem())
    with pytest.raises(KeyHistoryError):
        DeviceKeyRotation(opened).run()
    assert keys.signing(opened.ledger) == ["device.key"]
    assert good(opened)


def test_sealed_keys_are_made_by_who_seals_them(opened: OpenBox, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Successor, "sealed", property(lambda _: True))
    size = opened.ledger.head().size
    with pytest.raises(SuccessorAbsentError):
        DeviceKeyRotation(opened).run()
    assert opened.ledger.head().size == size
    successor = SigningKey.make()
    keys.next.write_bytes(successor.pem())
    for _ in range(2):  # the second time nothing is left to do
        assert DeviceKeyRotation(opened).run().key == successor.public
    assert keys.names == ["device.key", "device.key.next"]
    assert not finish_device_key(opened.database)
    assert opened.ledger.head().size == size + 1
    assert good(opened)


def test_on_a_full_disk_the_key_is_given_up_with_the_room_of_the_reserve(
    opened: OpenBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    real, failures = OwnLedger.hand_over, [DiskFullError()]

    def full_once(ledger: OwnLedger, successor: SigningKey) -> object:
        if failures:
            raise failures.pop()
        return real(ledger, successor)

    monkeypatch.setattr(OwnLedger, "hand_over", full_once)
    opened.room.restore()
    DeviceKeyRotation(opened).run()
    assert opened.room.reserve.given_up
    assert good(opened)


def test_an_audit_finds_keys_that_do_not_follow(opened: OpenBox) -> None:
    DeviceKeyRotation(opened).run()
    record(opened, 1)
    with opened.database.transaction() as transaction:
        transaction.run("DROP TRIGGER ledger_key_is_never_changed")
        transaction.run("UPDATE ledger_key SET public_key = ? WHERE first > 0", (SigningKey.make().public.pem(),))
    faults = audit(opened, None).faults
    assert all(isinstance(one, MadoguchiError) for one in faults)
    assert {one.code for one in faults} & {"ledger.key_history", "ledger.succession", "ledger.signature"}


def test_a_backup_is_signed_by_the_key_of_its_moment(opened: OpenBox, device_key: SigningKey, tmp_path: Path) -> None:
    first = back_up(opened, HOLDER, tmp_path / "first")
    DeviceKeyRotation(opened).run()
    second = back_up(opened, HOLDER, tmp_path / "second")
    for made, count in ((first, 0), (second, 1)):
        for path in (made.backup, made.keys):
            with path.open("rb") as file:
                header = Header.read(file.read)
            assert len(header.successions) == count
            header.verify(device_key.public)  # a hub that was not reached since can follow
            header.verify(opened.ledger.keys)


def test_a_new_generation_begins_with_one_key(opened: OpenBox, device_key: SigningKey, clock: ManualClock) -> None:
    DeviceKeyRotation(opened).run()
    present = opened.ledger.signing_key
    origin = begin_generation(opened.database, present, clock, Reason.ROLLED_BACK, note=opened.note)
    first, second = generations(opened.database)
    assert [one.key for one in first.keys.periods] == [device_key.public, present.public]
    assert first.public_key == present.public
    assert (second.origin, [one.key for one in second.keys.periods]) == (origin, [present.public])


def test_a_ledger_with_as_many_keys_as_it_may_have_is_backed_up_and_enrolled(opened: OpenBox, tmp_path: Path) -> None:
    while len(opened.ledger.keys.periods) < MOST_KEYS:
        opened.ledger.hand_over(SigningKey.make())
    with pytest.raises(KeyHistoryError, match="too many"):
        opened.ledger.hand_over(SigningKey.make())
    assert good(opened)
    header = header_of(back_up(opened, HOLDER, tmp_path / "out").backup)
    header.verify(opened.ledger.keys.first)
    request = make_request(opened, SigningKey.make().pem())
    assert EnrolmentRequest.from_json(request.to_json()).signers() == opened.ledger.keys
    size, keys = opened.ledger.head().size, opened.ledger.keys
    items = tuple(opened.ledger.items(0, size))
    batch = Batch(opened.ledger.origin, 0, items, opened.ledger.checkpoint_at(size), tuple(chain_of(keys)))
    assert unpack(pack(batch)) == batch
