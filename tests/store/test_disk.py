"""A disk that is asked, and tried: whole, full, read-only, broken, or not ours."""

import errno
import os
import stat
from pathlib import Path

import pytest

from appliance.store.disk import Disk, DiskFault, look_at_disk
from tests.sim.ext4 import break_down, fill, go_read_only, mount_anew, remount, small_ext4


def test_a_disk_that_is_well_takes_a_write_that_leaves_nothing(tmp_path: Path) -> None:
    found = look_at_disk(tmp_path)
    assert found.fault is None
    assert 0 < found.free_bytes <= found.total_bytes
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_and_one_that_went_read_only_are_found_and_their_recovery_too(tmp_path: Path) -> None:
    with small_ext4(tmp_path) as folder:
        assert look_at_disk(folder).fault is None
        filler = fill(folder)
        assert look_at_disk(folder).fault is DiskFault.FULL
        filler.unlink()
        assert look_at_disk(folder).fault is None
        remount(folder, "ro")
        assert look_at_disk(folder).fault is DiskFault.READ_ONLY
        remount(folder, "rw")
        assert look_at_disk(folder).fault is None
        assert [one.name for one in folder.iterdir()] == ["lost+found"]


def test_a_disk_with_a_fault_goes_read_only_then_fails_and_is_well_after_its_repair(tmp_path: Path) -> None:
    with small_ext4(tmp_path) as folder:
        go_read_only(folder)
        assert look_at_disk(folder).fault is DiskFault.READ_ONLY
        break_down(folder)
        assert look_at_disk(folder).fault is DiskFault.BROKEN
        mount_anew(tmp_path / "disk.img", folder)
        assert look_at_disk(folder).fault is None


def test_a_folder_that_cannot_be_asked_is_on_a_broken_disk(tmp_path: Path) -> None:
    assert look_at_disk(tmp_path / "away") == Disk(0, 0, DiskFault.BROKEN)


@pytest.mark.parametrize(
    ("number", "fault"),
    [
        (errno.EIO, DiskFault.BROKEN),
        (errno.EDQUOT, DiskFault.FULL),
        (errno.EACCES, None),  # who looks has no right there: that says nothing of the disk
    ],
)
def test_what_a_write_met_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, fault: DiskFault | None
) -> None:
    def fail(file: int) -> None:
        assert stat.S_ISREG(os.fstat(file).st_mode)
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", fail)
    assert look_at_disk(tmp_path).fault is fault


def test_a_disk_without_nameless_files_is_tried_with_a_named_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "O_TMPFILE", os.O_DIRECTORY)  # opening a folder for writing: EISDIR
    assert look_at_disk(tmp_path).fault is None
    assert list(tmp_path.iterdir()) == []
