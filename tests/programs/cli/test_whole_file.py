"""A file is there whole or not at all, and what a process that was killed has left goes with the next one."""

import fcntl
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.programs.cli.whole_file import write_whole

KILLED_IN_THE_MIDDLE = """
import os, signal, sys
from pathlib import Path
from appliance.programs.cli.whole_file import write_whole

def chunks():
    yield b"half"
    os.kill(os.getpid(), signal.SIGKILL)

write_whole(Path(sys.argv[1]), chunks())
"""


def killed(out: Path) -> str:
    """The name of what is left when a process is killed while it writes this file."""
    done = subprocess.run([sys.executable, "-c", KILLED_IN_THE_MIDDLE, str(out)], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    (left,) = [one.name for one in out.parent.iterdir() if one.name.endswith(".partial")]
    assert not out.exists()
    return left


def test_what_fails_half_way_leaves_the_old_file(tmp_path: Path) -> None:
    out = tmp_path / "file"
    out.write_bytes(b"old")

    def chunks() -> Iterator[bytes]:
        yield b"new"
        raise OSError(28, os.strerror(28))

    with pytest.raises(OSError, match="No space"):
        write_whole(out, chunks())
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("file", b"old")]


def test_what_a_killed_process_left_goes_with_the_next_file_in_the_folder(tmp_path: Path) -> None:
    assert killed(tmp_path / "one").startswith(".one.")
    assert write_whole(tmp_path / "other", [b"whole"]) == 5
    assert [(one.name, one.read_bytes()) for one in tmp_path.iterdir()] == [("other", b"whole")]
    assert (tmp_path / "other").stat().st_mode & 0o777 == 0o600


def test_what_a_process_still_writes_stays(tmp_path: Path) -> None:
    left = tmp_path / killed(tmp_path / "one")
    with left.open("rb") as held:  # its number is free here, and somebody else has it: a process of another machine
        fcntl.flock(held, fcntl.LOCK_EX)
        write_whole(tmp_path / "other", [b"whole"])
    assert left.exists()
    mine = tmp_path / f".file.{os.getpid()}.partial"
    mine.write_bytes(b"")
    with pytest.raises(FileExistsError):
        write_whole(tmp_path / "file", [])
    assert mine.exists()
    write_whole(tmp_path / "other", [b"again"])
    assert sorted(one.name for one in tmp_path.iterdir()) == [mine.name, "other"]


def test_files_of_other_names_and_links_are_left_alone(tmp_path: Path) -> None:
    gone = killed(tmp_path / "one").split(".")[-2]
    kept = [".partial", ".x.partial", f"x.{gone}.partial", f".x.{gone}.part", f".x.0{gone}.partial"]
    for name in kept:
        (tmp_path / name).write_bytes(b"kept")
    (tmp_path / "target").write_bytes(b"kept")
    (tmp_path / f".link.{gone}.partial").symlink_to("target")
    write_whole(tmp_path / "other", [b"whole"])
    assert {one.name for one in tmp_path.iterdir()} == {*kept, "target", "other", f".link.{gone}.partial"}
