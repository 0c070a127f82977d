"""What the keys said of each other outlives the database that is put back, and a damaged file says nothing."""

import os
from pathlib import Path

import pytest

from appliance.ledger.encoding import encode
from appliance.ledger.generation import Told
from appliance.store.key_memory import KeyMemory

ONE, OTHER = Told("madoguchi/1/X/box/1", b"one"), Told("madoguchi/1/X/box/2", b"other")


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "box.signers"


def test_what_is_new_comes_after_what_is_known(path: Path) -> None:
    assert KeyMemory(path).read() == []
    KeyMemory(path).add([ONE])
    KeyMemory(path).add([OTHER, ONE])
    assert KeyMemory(path).read() == [ONE, OTHER]
    assert path.stat().st_mode & 0o777 & ~0o660 == 0


def test_nothing_is_written_for_what_is_known(path: Path) -> None:
    KeyMemory(path).add([])
    assert not path.exists()
    KeyMemory(path).add([ONE])
    before = path.stat().st_ino
    KeyMemory(path).add([ONE])
    assert path.stat().st_ino == before


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff" * 40,
        encode(7),
        encode([7]),
        encode([["origin", b"x", b"y"]]),
        encode([[b"origin", b"x"]]),
        encode([["origin", "x"]]),
        encode([["origin", b"x"]])[:-1],
    ],
)
def test_a_damaged_file_says_nothing_and_is_written_anew(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    assert KeyMemory(path).read() == []
    KeyMemory(path).add([ONE])
    assert KeyMemory(path).read() == [ONE]


def test_a_full_disk_stops_nobody_and_leaves_what_was_there(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    KeyMemory(path).add([ONE])

    def full(*_: object) -> None:
        raise OSError(28, os.strerror(28))

    with monkeypatch.context() as patched:
        patched.setattr("appliance.store.key_memory.write_file", full)
        KeyMemory(path).add([OTHER])
    assert KeyMemory(path).read() == [ONE]
    KeyMemory(path).add([OTHER])
    assert KeyMemory(path).read() == [ONE, OTHER]
