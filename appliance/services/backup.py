"""A backup of the box: everything but what opens bodies in one file, and that in another, small one.

Both are sealed for the prefecture alone. The box goes on meanwhile: what is written is the state of one moment.
"""

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from appliance.errors import ConfigError, UnavailableError
from appliance.ledger.recipient import EvidenceKeyError, seal_for
from appliance.ledger.sealed_file import About, recipient_id, seal_file
from appliance.ledger.succession import chain_of
from appliance.services.condition import BACKUP_SIGNAL
from appliance.services.opening import NotFoundedError, OpenBox
from appliance.store.database import Database
from appliance.store.dump import KEY_TABLES, count_rows, dump, tables
from appliance.store.ledger import LedgerStore
from appliance.store.migrate import schema_levels
from appliance.store.schema import BOX_FAMILIES
from appliance.store.signal import SignalStore

Progress = Callable[[int, int], None]
"""Rows done, and how many there are."""
BACKUP, KEYS = "backup", "keys"
PART = ".part"


class BackupKeyError(ConfigError):
    """Not the public key that backups are sealed for."""

    code = "backup.key"


class BackupWriteError(UnavailableError):
    """The folder for the backup cannot be written, or has no room; nothing of the backup is left in it."""

    code = "backup.write"


@dataclass(frozen=True)
class Made:
    """The two files, and the older files of keys that were removed beside them."""

    backup: Path
    keys: Path
    about: About
    rows: int
    removed: list[Path]


def make_backup(box: OpenBox, public: bytes, folder: Path, progress: Progress = lambda _, __: None) -> Made:
    """Writes both files for the recipient with this public key; each is there whole and durable, or not at all.

    Older files of keys of this school in the folder are removed: they still open what was erased since.
    Raises ``BackupKeyError``, ``BackupWriteError``.
    """
    try:
        seal_for(public, b"", b"")
    except EvidenceKeyError as error:
        raise BackupKeyError() from error
    try:
        made = _make(box, public, folder, progress)
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise BackupWriteError(folder=str(folder), reason=reason) from error
    SignalStore(box.database).write(BACKUP_SIGNAL, {"size": made.about.size}, box.clock.now_ms())
    return made


def _make(box: OpenBox, public: bytes, folder: Path, progress: Progress) -> Made:
    for left in folder.glob(f".{box.school.code}-*{PART}"):  # of a backup that was killed
        left.unlink()
    snapshot = box.database
    with snapshot.snapshot():
        about, names = _about(snapshot, box.clock.now_ms(), public), tables(snapshot)
        total, done = count_rows(snapshot, names), 0
        device_key, led = box.ledger.signing_key, chain_of(box.ledger.keys)  # those of the same moment

        def counted(rows: int) -> None:
            nonlocal done
            done += rows
            progress(done, total)

        moment = datetime.fromtimestamp(about.made_ms / 1000, UTC)
        name = f"{about.school}-{about.generation}-{about.size}-{moment:%Y%m%dT%H%M%SZ}"
        backup, keys = folder / f"{name}.{BACKUP}", folder / f"{name}.{KEYS}"
        try:
            _write(_part(backup), seal_file(about, public, device_key, dump(snapshot, names, counted), led))
            of_keys = replace(about, kind=KEYS)
            _write(_part(keys), seal_file(of_keys, public, device_key, dump(snapshot, KEY_TABLES), led))
            # The keys first: they open the older backups as well, while a backup without its keys opens nothing.
            for path in (keys, backup):
                _part(path).rename(path)
                _sync(folder)
        finally:
            for path in (keys, backup):
                with suppress(OSError):
                    _part(path).unlink(missing_ok=True)
    older = [one for one in folder.glob(f"{about.school}-*.{KEYS}") if one != keys]
    for one in older:
        one.unlink()
    _sync(folder)
    return Made(backup, keys, about, total, sorted(older))


def _about(snapshot: Database, now_ms: int, public: bytes) -> About:
    found = snapshot.row("SELECT code, origin, generation FROM school")
    if found is None:
        raise NotFoundedError()
    code, origin, generation = found
    size = LedgerStore.find(snapshot, origin).head().size
    levels = schema_levels(snapshot, BOX_FAMILIES)
    return About(BACKUP, code, origin, generation, size, now_ms, levels, recipient_id(public))


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name}{PART}")


def _write(path: Path, parts: Iterable[bytes]) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        for part in parts:
            file.write(part)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
