"""A backup is two whole files or none, for the prefecture alone, and the seeds of bodies are in the small one only."""

import threading
from pathlib import Path

import pytest
import zstandard

from appliance.ledger.entry import EntryType
from appliance.ledger.keys import SigningKey
from appliance.ledger.recipient import Recipient
from appliance.ledger.sealed_file import open_content, seal_file
from appliance.services import backup as module
from appliance.services.backup import BackupKeyError, BackupWriteError, make_backup
from appliance.services.opening import OpenBox
from appliance.store.appending import Draft
from appliance.store.dump import count_rows, tables
from appliance.store.people import PeopleStore
from appliance.store.schema import BOX_FAMILIES
from appliance.store.signal import SignalStore
from tests.sim.backup import back_up, header_of
from tests.sim.clock import ManualClock

HOLDER = Recipient.make()


def record(box: OpenBox, count: int = 1) -> None:
    for number in range(count):
        with box.ledger.append() as appending:
            appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"number": number}))


def names_in(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_two_files_that_say_of_what_they_are(
    box: OpenBox, people: PeopleStore, device_key: SigningKey, tmp_path: Path
) -> None:
    record(box, 5)
    made, size = back_up(box, HOLDER, tmp_path / "out"), box.ledger.head().size
    assert people.count("pupil") > 0
    for path, kind in ((made.backup, "backup"), (made.keys, "keys")):
        header = header_of(path)
        header.verify(device_key.public)
        about = header.about
        assert (about.kind, about.school, about.origin) == (kind, box.school.code, box.school.origin)
        assert (about.generation, about.size, about.made_ms) == (1, size, box.clock.now_ms())
        assert about.levels == {one.name: len(one.steps()) for one in BOX_FAMILIES}
        assert path.stat().st_mode & 0o777 == 0o600
        assert path.name.startswith(f"{box.school.code}-1-{size}-")
        data = path.read_bytes()
        assert box.school.name.encode() not in data
        assert "見本".encode() not in data
    assert names_in(tmp_path / "out") == sorted([made.backup.name, made.keys.name])
    assert made.keys.stat().st_size < 3_000
    assert made.rows == count_rows(box.database, tables(box.database))
    said = SignalStore(box.database).read("backup")
    assert said is not None
    assert said.value == {"size": size}


def test_progress_is_told_to_the_end(box: OpenBox, tmp_path: Path) -> None:
    record(box, 3)
    told = list[tuple[int, int]]()
    public = HOLDER.public_bytes()
    made = make_backup(box, public, tmp_path, lambda done, total: told.append((done, total)))
    assert told[-1] == (made.rows, made.rows)
    assert [done for done, _ in told] == sorted(done for done, _ in told)


def test_only_the_newest_keys_stay_beside_any_number_of_backups(
    box: OpenBox, clock: ManualClock, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "C113299900028-1-9-20260101T000000Z.keys").write_bytes(b"of another school")
    first = back_up(box, HOLDER, tmp_path / "out")
    clock.advance(5_000)
    second = back_up(box, HOLDER, tmp_path / "out")
    assert (first.removed, second.removed) == ([], [first.keys])
    left = {first.backup.name, second.backup.name, second.keys.name, "C113299900028-1-9-20260101T000000Z.keys"}
    assert set(names_in(tmp_path / "out")) == left


def test_the_state_of_one_moment_while_others_write(
    box: OpenBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(box, 20)
    size = box.ledger.head().size

    def sealed_beside_a_writer(*arguments: object) -> object:
        writer = threading.Thread(target=record, args=(box, 3))  # a connection of its own
        writer.start()
        writer.join()
        return seal_file(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("appliance.services.backup.seal_file", sealed_beside_a_writer)
    made = back_up(box, HOLDER, tmp_path / "out")
    assert box.ledger.head().size == size + 6
    assert made.about.size == size


def test_a_folder_that_cannot_be_written_keeps_nothing(
    box: OpenBox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    public = HOLDER.public_bytes()
    with pytest.raises(BackupWriteError) as absent:
        make_backup(box, public, tmp_path / "absent")
    assert absent.value.fields["reason"] == "No such file or directory"
    full = tmp_path / "out"
    full.mkdir()
    (full / f".{box.school.code}-1-1-x.backup.part").write_bytes(b"of a backup that was killed")
    written = list[Path]()

    def no_room(path: Path, parts: object) -> None:
        path.write_bytes(b"half")
        written.append(path)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(module, "_write", no_room)
    with pytest.raises(BackupWriteError) as refused:
        make_backup(box, public, full)
    assert refused.value.fields == {"folder": str(full), "reason": "No space left on device"}
    assert written
    assert names_in(full) == []
    assert SignalStore(box.database).read("backup") is None
    with pytest.raises(BackupKeyError):
        make_backup(box, b"no key", full)


def test_no_seed_and_no_secret_is_in_the_large_file(box: OpenBox, tmp_path: Path) -> None:
    record(box, 9)
    made = back_up(box, HOLDER, tmp_path / "out")
    with made.backup.open("rb") as file:
        header = header_of(made.backup)
        file.seek(len(header.to_bytes()))
        packed = b"".join(open_content(header, header.content_key(HOLDER), file.read))
    plain = zstandard.ZstdDecompressor().decompressobj().decompress(packed)
    assert b"ledger" in plain
    secrets = [row[0] for row in box.database.rows("SELECT seed FROM body_seed UNION SELECT value FROM secret")]
    assert len(secrets) >= 2
    assert all(secret not in plain for secret in secrets)
