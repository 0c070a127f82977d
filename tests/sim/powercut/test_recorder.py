"""What a program does to its files is written down, whole and in order, and what cannot be written down is told."""

import random
import sys
from pathlib import Path

import pytest

from tests.sim.powercut.disk import Cut, Disk, NotReplayableError
from tests.sim.powercut.log import Kind, Record
from tests.sim.powercut.recorder import CompilerMissingError, ProgramFailedError, Recorder

Line = tuple[Kind, str, int, bytes]


def record(recorder: Recorder, folder: Path, program: str) -> list[Record]:
    """Runs lines of Python that know the folder as ``here``."""
    begin = f"import os\nfrom pathlib import Path\nhere = Path({str(folder)!r})\n"
    return recorder.record([sys.executable, "-c", begin + program], folder)


def lines(records: list[Record]) -> list[Line]:
    return [(one.kind, one.path, one.offset, one.data) for one in records]


def replayed(before: Disk, records: list[Record]) -> dict[str, bytes | None]:
    for one in records:
        before.play(one)
    return before.after(Cut.EVERYTHING, random.Random(0))


def on_disk(folder: Path) -> dict[str, bytes | None]:
    paths = folder.rglob("*")
    return {str(one.relative_to(folder)): None if one.is_dir() else one.read_bytes() for one in paths}


def test_every_way_of_writing_is_written_down(recorder: Recorder, folder: Path) -> None:
    before = Disk(folder)
    program = """
handle = os.open(here / "a", os.O_RDWR | os.O_CREAT)
os.write(handle, b"one")
os.write(handle, b"two")
os.pwrite(handle, b"three", 100)
os.writev(handle, [b"fo", b"ur"])
os.pwritev(handle, [b"fi", b"ve"], 200)
os.ftruncate(handle, 150)
os.posix_fallocate(handle, 0, 160)
os.fsync(handle)
os.fdatasync(handle)
other = os.open(here / "a", os.O_WRONLY | os.O_APPEND)
os.write(other, b"end")
os.dup2(handle, 77)
os.pwrite(77, b"copy", 0)
os.truncate(here / "a", 10)
(here / "a").open("wb").close()
"""
    records = record(recorder, folder, program)
    assert lines(records) == [
        (Kind.CREATE, "a", 0, b""),
        (Kind.WRITE, "a", 0, b"one"),
        (Kind.WRITE, "a", 3, b"two"),
        (Kind.WRITE, "a", 100, b"three"),
        (Kind.WRITE, "a", 6, b"four"),
        (Kind.WRITE, "a", 200, b"five"),
        (Kind.TRUNCATE, "a", 150, b""),
        (Kind.TRUNCATE, "a", 160, b""),
        (Kind.SYNC, "a", 0, b""),
        (Kind.SYNC, "a", 0, b""),
        (Kind.WRITE, "a", 160, b"end"),
        (Kind.WRITE, "a", 0, b"copy"),
        (Kind.TRUNCATE, "a", 10, b""),
        (Kind.TRUNCATE, "a", 0, b""),
    ]
    assert replayed(before, records) == on_disk(folder) == {"a": b""}


def test_every_change_of_names_is_written_down(recorder: Recorder, folder: Path) -> None:
    (folder / "old").write_bytes(b"was there")
    before = Disk(folder)
    program = """
os.mkdir(here / "sub")
os.chdir(here / "sub")
Path("a").write_bytes(b"data")
os.link("a", "b")
os.rename("b", "../c")
os.unlink("a")
os.rename(here / "old", here / "new")
os.mkdir("deeper")
os.rmdir("deeper")
handle = os.open(here, os.O_RDONLY)
os.unlink("c", dir_fd=handle)
os.mkdir("d", dir_fd=handle)
os.fsync(handle)
"""
    records = record(recorder, folder, program)
    assert lines(records) == [
        (Kind.MKDIR, "sub", 0, b""),
        (Kind.CREATE, "sub/a", 0, b""),
        (Kind.WRITE, "sub/a", 0, b"data"),
        (Kind.LINK, "sub/a", 0, b"sub/b"),
        (Kind.RENAME, "sub/b", 0, b"c"),
        (Kind.UNLINK, "sub/a", 0, b""),
        (Kind.RENAME, "old", 0, b"new"),
        (Kind.MKDIR, "sub/deeper", 0, b""),
        (Kind.RMDIR, "sub/deeper", 0, b""),
        (Kind.UNLINK, "c", 0, b""),
        (Kind.MKDIR, "d", 0, b""),
        (Kind.SYNC, "", 0, b""),
    ]
    assert replayed(before, records) == on_disk(folder)


def test_what_others_do_and_what_lies_elsewhere_is_left_alone(recorder: Recorder, folder: Path) -> None:
    (folder.parent / "watched too").mkdir()
    program = """
(here.parent / "outside").write_bytes(b"x")
(here.parent / "watched too" / "a").write_bytes(b"x")
(here / "a").exists()
os.listdir(here)
print("said")
"""
    assert record(recorder, folder, program) == []


@pytest.mark.parametrize(
    "program",
    [
        "(here / 'a').symlink_to('b')",
        "(here.parent / 'b').write_bytes(b'x'); os.rename(here.parent / 'b', here / 'b')",
        "import mmap; h = os.open(here / 'a', os.O_RDWR | os.O_CREAT); os.ftruncate(h, 9); mmap.mmap(h, 9)",
        "a = os.open(here / 'a', os.O_RDWR | os.O_CREAT); b = os.open('/proc/self/exe', 0); os.sendfile(a, b, 0, 9)",
        "import ctypes; ctypes.CDLL(None).fopen(bytes(here / 'a'), b'w')",
    ],
    ids=["symlink", "from-outside", "mmap", "sendfile", "stdio"],
)
def test_what_cannot_be_written_down_cannot_be_replayed(recorder: Recorder, folder: Path, program: str) -> None:
    before = Disk(folder)
    records = record(recorder, folder, program)
    assert Kind.UNKNOWN in {one.kind for one in records}
    with pytest.raises(NotReplayableError):
        replayed(before, records)


def test_sqlcipher_goes_through_the_layer(recorder: Recorder, folder: Path) -> None:
    """The database's own log and its syncs are there, before a commit returns; and nothing is missing."""
    before = Disk(folder)
    program = """
from appliance.store.database import Database
from tests.sim.powercut.log import write_note
database = Database.create(here / "box.db", b"k" * 32)
database.script("CREATE TABLE note (text)")
for number in range(20):
    with database.transaction() as transaction:
        transaction.run("INSERT INTO note VALUES (?)", ("x" * 500,))
    write_note(str(number).encode())
    if number == 9:
        database.rows("PRAGMA wal_checkpoint(FULL)")
os._exit(0)
"""
    records = record(recorder, folder, program)
    of_log = [one for one in records if one.path == "box.db-wal" or one.kind is Kind.NOTE]
    frames = [one for one in of_log if one.kind is Kind.WRITE and len(one.data) == 4096]
    assert len(frames) > 20
    for at, one in enumerate(of_log):
        assert one.kind is not Kind.NOTE or of_log[at - 1].kind is Kind.SYNC
    kinds = {(one.kind, one.path) for one in records}
    assert {(Kind.WRITE, "box.db"), (Kind.SYNC, "box.db"), (Kind.SYNC, "")} <= kinds
    left, there = replayed(before, records), on_disk(folder)
    there.pop("box.db-shm")  # is mapped, and made anew after a crash
    left.pop("box.db-shm")
    assert left == there


def test_a_program_that_fails_says_why(recorder: Recorder, folder: Path) -> None:
    with pytest.raises(ProgramFailedError, match="ZeroDivisionError"):
        record(recorder, folder, "1 / 0")


def test_what_is_missing_to_build_it_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(CompilerMissingError, match="apt-get install gcc"):
        Recorder(tmp_path)


def test_what_the_compiler_said_is_shown(tmp_path: Path) -> None:
    with pytest.raises(CompilerMissingError, match="absent"):
        Recorder(tmp_path / "absent")
