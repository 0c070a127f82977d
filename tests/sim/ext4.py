"""An ext4 of its own that is really full, read-only or broken, for tests that may mount.

The request to shut down is that of ``linux/fs/ext4/ext4.h``.
"""

import fcntl
import os
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

PIECE = bytes(1 << 16)
MOUNT = ("mount", "-o", "loop,errors=remount-ro")
SHUTDOWN = 0x8004587D
"""_IOR('X', 125, __u32)"""
NO_LOG_FLUSH = 2


@contextmanager
def small_ext4(folder: Path, megabytes: int = 24) -> Iterator[Path]:
    """An ext4 of its own in a file, mounted through a loop device; the test is skipped without the right to mount."""
    image, at = folder / "disk.img", folder / "disk"
    at.mkdir()
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    make = ["mkfs.ext4", "-q", "-m", "0", str(image)]
    subprocess.run(make, check=True, timeout=30)
    mounted = subprocess.run([*MOUNT, str(image), str(at)], capture_output=True, text=True, timeout=30)
    if mounted.returncode:
        pytest.skip(f"needs CAP_SYS_ADMIN and a loop device to mount an ext4: {mounted.stderr.strip()}")
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True, timeout=30)


def remount(at: Path, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,{how}", str(at)], check=True, timeout=30)


def go_read_only(at: Path) -> None:
    """What ext4 does by itself after it has found a fault in its own structures, files that are open or not."""
    device = f"loop{os.minor(at.stat().st_dev)}"
    Path(f"/sys/fs/ext4/{device}/trigger_fs_error").write_text("a test asked for it")


def break_down(at: Path) -> None:
    """Every call fails with EIO from now on, as after a fault of the device, until it is mounted anew."""
    folder = os.open(at, os.O_RDONLY)
    try:
        fcntl.ioctl(folder, SHUTDOWN, struct.pack("I", NO_LOG_FLUSH))
    finally:
        os.close(folder)


def mount_anew(image: Path, at: Path) -> None:
    """Takes it off, repairs it (``e2fsck -p``) and mounts it again; nobody may have a file open there."""
    subprocess.run(["umount", str(at)], check=True, timeout=30)
    repaired = subprocess.run(["e2fsck", "-p", str(image)], capture_output=True, text=True, timeout=30)
    assert repaired.returncode in (0, 1), repaired.stdout + repaired.stderr
    subprocess.run([*MOUNT, str(image), str(at)], check=True, timeout=30)


def fill(folder: Path) -> Path:
    """A file that takes all the room there is."""
    path = folder / "filler"
    for piece in (PIECE, PIECE[:512]):
        with path.open("ab", buffering=0) as file, suppress(OSError):
            while file.write(piece):
                pass
    return path
