"""Small files: whole or not at all, whoever interrupts, and once only where that is asked for."""

import os
import stat
import threading
from pathlib import Path

import pytest

from appliance.store.files import make_file, make_folder, remove_file, write_file


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What was synced, in order; folders end in ``/``."""
    names: list[str] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        path = Path(f"/proc/self/fd/{handle}").readlink()
        names.append(f"{path.name}/" if path.is_dir() else path.name)
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    return names


def test_a_file_is_made_once(tmp_path: Path) -> None:
    path = tmp_path / "a.key"
    assert make_file(path, b"first")
    assert not make_file(path, b"second")
    assert path.read_bytes() == b"first"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == ["a.key"]


def test_of_many_makers_one_makes_it(tmp_path: Path) -> None:
    path, start, made = tmp_path / "a.key", threading.Barrier(8), []

    def make(data: bytes) -> None:
        start.wait()
        if make_file(path, data):
            made.append(data)

    makers = [threading.Thread(target=make, args=(bytes([number]) * 999,)) for number in range(8)]
    for one in makers:
        one.start()
    for one in makers:
        one.join()
    assert made == [path.read_bytes()]


def test_a_file_takes_the_place_of_another(tmp_path: Path) -> None:
    path = tmp_path / "a.crt"
    for data in (b"first", b"second"):
        write_file(path, data, 0o644)
        assert path.read_bytes() == data
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert [one.name for one in tmp_path.iterdir()] == ["a.crt"]


def test_the_umask_counts(tmp_path: Path) -> None:
    before = os.umask(0o027)
    try:
        write_file(tmp_path / "a.crt", b"data", 0o666)
        make_folder(tmp_path / "b", 0o777)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.crt").stat().st_mode) == 0o640
    assert stat.S_IMODE((tmp_path / "b").stat().st_mode) == 0o750


def test_content_is_synced_before_the_name_is(tmp_path: Path, synced: list[str]) -> None:
    folder = f"{tmp_path.name}/"
    make_file(tmp_path / "a.key", b"data")
    assert [name if name == folder else "fresh" for name in synced] == ["fresh", folder]
    write_file(tmp_path / "a.key", b"data")
    assert [name if name == folder else "fresh" for name in synced] == ["fresh", folder] * 2


def test_the_name_of_a_file_that_is_there_is_synced_too(tmp_path: Path, synced: list[str]) -> None:
    (tmp_path / "a.key").write_bytes(b"made by one who was killed")
    assert not make_file(tmp_path / "a.key", b"data")
    assert synced[-1] == f"{tmp_path.name}/"


def test_every_new_folder_is_synced_where_its_name_stands(tmp_path: Path, synced: list[str]) -> None:
    make_folder(tmp_path / "a" / "b" / "c", 0o700)
    assert sorted(synced) == sorted(["b/", "a/", f"{tmp_path.name}/"])
    make_folder(tmp_path / "a" / "b" / "c", 0o700)
    assert len(synced) == 3


def test_a_disk_that_fails_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.crt").write_bytes(b"before")

    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    for write in (make_file, write_file):
        with pytest.raises(OSError, match="Input/output"):
            write(tmp_path / "a.crt", b"after")
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("a.crt", b"before")]


def test_a_removed_file_is_gone(tmp_path: Path) -> None:
    write_file(tmp_path / "a.key", b"data")
    remove_file(tmp_path / "a.key")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(FileNotFoundError):
        remove_file(tmp_path / "a.key")
