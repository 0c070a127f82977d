"""Small files beside the database that survive a power cut: each is there whole or not at all.

A name lasts only once its folder was synced too: without that the database, which syncs what it makes, may outlive the
key that opens it.
"""

import os
import secrets
from pathlib import Path

PRIVATE = 0o600


def make_folder(path: Path, mode: int) -> None:
    """Makes a folder and those above it that are missing, unless it is there."""
    missing = [one for one in (path, *path.parents) if not one.exists()]
    path.mkdir(parents=True, exist_ok=True, mode=mode)
    for one in missing:
        _sync_folder(one.parent)


def make_file(path: Path, data: bytes, mode: int = PRIVATE) -> bool:
    """Makes a file; False if there is one already, which stays as it is. Of two makers at once one makes it."""
    fresh = _written_beside(path, data, mode)
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        return False
    finally:
        fresh.unlink()
        _sync_folder(path.parent)  # also of the one that is there: who made it may have been killed before this
    return True


def write_file(path: Path, data: bytes, mode: int = PRIVATE) -> None:
    """Makes a file, in place of one that is there."""
    fresh = _written_beside(path, data, mode)
    fresh.replace(path)
    _sync_folder(path.parent)


def remove_file(path: Path) -> None:
    """Removes a file for good."""
    path.unlink()
    _sync_folder(path.parent)


def _written_beside(path: Path, data: bytes, mode: int) -> Path:
    """A durable file with a name of its own in the same folder."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        except OSError:
            fresh.unlink()
            raise
    return fresh


def _sync_folder(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
