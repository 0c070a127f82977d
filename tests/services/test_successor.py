"""A successor is there whole or not at all, and takes the place of the key in one step."""

import stat
from pathlib import Path

import pytest

from appliance.services.successor import RotationRunningError, Successor, SuccessorAbsentError, alone


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    (tmp_path / "device.key").write_bytes(b"old")
    return tmp_path


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def test_it_is_kept_beside_the_key_and_then_in_its_place(folder: Path) -> None:
    successor = Successor("device.key")
    assert successor.source() == [b"old"]
    successor.keep(b"new")
    assert successor.source() == [b"old", b"new"]
    assert stat.S_IMODE((folder / "device.key.next").stat().st_mode) == 0o600
    successor.take_over()
    assert successor.source() == [b"new"]
    assert names(folder) == ["device.key"]


def test_what_a_killed_one_left_is_replaced(folder: Path) -> None:
    (folder / "device.key.making").write_bytes(b"half")
    (folder / "device.key.next").write_bytes(b"other")
    Successor("device.key").keep(b"new")
    assert names(folder) == ["device.key", "device.key.next"]
    assert (folder / "device.key.next").read_bytes() == b"new"


def test_one_is_left_only_if_nobody_is_at_work_on_it(folder: Path) -> None:
    successor = Successor("device.key")
    assert not successor.left_in(folder)
    successor.keep(b"new")
    assert successor.left_in(folder)
    with alone(folder):
        assert not successor.left_in(folder)
        with pytest.raises(RotationRunningError), alone(folder):
            raise AssertionError("twice")
    assert successor.left_in(folder)


def test_sealed_keys_are_made_and_replaced_by_who_sealed_them(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.access", lambda *_: False)
    successor = Successor("device.key")
    assert successor.sealed
    with pytest.raises(SuccessorAbsentError) as refused:
        successor.keep(b"new")
    assert refused.value.fields == {"command": "keys rotate device"}
    (folder / "device.key.next").write_bytes(b"new")
    successor.take_over()
    assert names(folder) == ["device.key", "device.key.next"]
