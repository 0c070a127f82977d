"""A box from its backup: on new hardware, with keys of its own, going on in a new generation of its ledger."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from appliance.clock import Clock
from appliance.errors import ConfigError, RefusedError, UntrustedError
from appliance.ledger.generation import Reason
from appliance.ledger.keys import SigningKey
from appliance.ledger.recipient import Recipient
from appliance.ledger.release import Release, RestoreRequest
from appliance.ledger.sealed_file import Header, SealedFileError, open_content
from appliance.services.audit import audit_ledger
from appliance.services.backup import BACKUP, KEYS
from appliance.services.generations import begin_generation, generations
from appliance.services.ledger_clock import LedgerClock
from appliance.services.opening import DATABASE_NAME, MEMORY_NAME, NOTE_NAME
from appliance.store.database import Database, Keys
from appliance.store.dump import KEY_TABLES, DumpError, Loader, tables
from appliance.store.erasing import tell_erased
from appliance.store.evidence import EvidenceStore
from appliance.store.faults import StoreBusyError
from appliance.store.files import make_file, make_folder
from appliance.store.ledger import LedgerStore, NoLedgerError, OwnLedger
from appliance.store.migrate import SchemaTooNewError, migrate
from appliance.store.schema import BOX_FAMILIES

Progress = Callable[[int, int], None]
"""How much is done, and how much there is: bytes read, then entries verified."""
KEY_NAME = "restore.key"
BUILDING = f"{DATABASE_NAME}.restoring"
ERASED_SINCE = "erased after the backup"


class NoRequestError(ConfigError):
    """No request was made here, or it was used: the key that opens a release is not there."""

    code = "restore.no_request"


class BoxPresentError(RefusedError):
    """There is a database already; nothing is ever restored over it."""

    code = "restore.present"


class PairError(RefusedError):
    """The two files do not belong together; ``reason`` says why."""

    code = "restore.pair"


class RestoredLedgerError(UntrustedError):
    """The records in the backup do not verify; ``error`` is the code of what was found first."""

    code = "restore.ledger"


@dataclass(frozen=True)
class Restored:
    """``size`` entries of the ledger ``previous`` are there, ``erased`` bodies do not open because they were erased
    after the backup; ``origin`` is the new generation."""

    school: str
    previous: str
    origin: str
    size: int
    erased: int


@dataclass(frozen=True)
class Opened:
    """A file of a backup with the key of its content."""

    path: Path
    header: Header
    key: bytes = field(repr=False)


def request_restore(state_dir: Path) -> RestoreRequest:
    """What goes to the prefecture; asked again, it is the same until the restore is done.

    Raises ``BoxPresentError``.
    """
    if (state_dir / DATABASE_NAME).exists():
        raise BoxPresentError(path=str(state_dir / DATABASE_NAME))
    make_folder(state_dir, 0o770)
    make_file(state_dir / KEY_NAME, Recipient.make().to_bytes())
    return RestoreRequest(_one_time_key(state_dir).public_bytes())


class Restoring:
    """One restore into ``state_dir``, with the new box's keys."""

    def __init__(self, state_dir: Path, database_key: bytes | Keys, device_key: SigningKey, clock: Clock) -> None:
        self._state_dir, self._database_key = state_dir, database_key
        self._device_key, self._clock = device_key, clock

    def run(self, backup: Path, keys: Path, release: Release, progress: Progress = lambda _, __: None) -> Restored:
        """Restores the box, or changes nothing.

        1. There is no database here, and the release is for the request that was made here and for these two files.
        2. The files are of one school, and the keys are not older than the backup.
        3. Every chunk of both is whole and in its place, and the last one is there.
        4. Their schema is not newer than this program's; an older one is brought up to date after loading.
        5. The box whose ledger it is signed the headers; every ledger of the box verifies, bodies included. Bodies
           that do not open were erased since.

        The database is built under another name and takes its own at the end; the request's key is gone then.
        """
        final = self._state_dir / DATABASE_NAME
        if final.exists():
            _wipe(self._state_dir / KEY_NAME)  # of a restore that was killed after it was done
            raise BoxPresentError(path=str(final))
        opened = self._open(backup, keys, release)
        reading = _Reading(progress, 2 * sum(one.path.stat().st_size for one in opened))
        self._check(*opened, reading)
        building = self._state_dir / BUILDING
        _remove(building)
        try:
            restored = self._build(building, *opened, reading, progress)
            for name in (NOTE_NAME, MEMORY_NAME):  # of a box that was here before
                (self._state_dir / name).unlink(missing_ok=True)
            building.rename(final)
        finally:
            _remove(building)
        _sync(self._state_dir)
        _wipe(self._state_dir / KEY_NAME)
        return restored

    def _open(self, backup: Path, keys: Path, release: Release) -> tuple[Opened, Opened]:
        one_time = _one_time_key(self._state_dir)
        headers = []
        for path, kind in ((backup, BACKUP), (keys, KEYS)):
            with path.open("rb") as file:
                header = Header.read(file.read)
            if header.about.kind != kind:
                raise SealedFileError(reason="kind")
            headers.append(header)
        of_backup, of_keys = headers
        backup_key, keys_key = release.open(one_time, of_backup, of_keys)
        if of_backup.about.school != of_keys.about.school:
            raise PairError(reason="school")
        if _age(of_keys) < _age(of_backup):
            raise PairError(reason="older")
        for header in headers:
            for family in BOX_FAMILIES:
                there, known = header.about.levels.get(family.name, 0), len(family.steps())
                if there > known:
                    raise SchemaTooNewError(family=family.name, database=there, program=known)
        return Opened(backup, of_backup, backup_key), Opened(keys, of_keys, keys_key)

    def _check(self, backup: Opened, keys: Opened, reading: "_Reading") -> None:
        # An empty database of the backup's own schema says which tables may come.
        scratch = self._state_dir / BUILDING
        _remove(scratch)
        try:
            with Database.create(scratch, self._database_key) as database:
                migrate(database, BOX_FAMILIES, backup.header.about.levels)
                names = tables(database)
        finally:
            _remove(scratch)
        for opened, expected in ((backup, names), (keys, KEY_TABLES)):
            with reading.content(opened) as content:
                Loader(expected).check(content)

    def _build(self, path: Path, backup: Opened, keys: Opened, reading: "_Reading", progress: Progress) -> Restored:
        about = backup.header.about
        with Database.create(path, self._database_key) as database:
            migrate(database, BOX_FAMILIES, about.levels)
            for opened, names in ((backup, tables(database)), (keys, KEY_TABLES)):
                with reading.content(opened) as content:
                    Loader(names).load(content, database)
            with database.transaction() as transaction:
                # Keys that are newer than the backup may speak of a ledger that began after it.
                transaction.run("DELETE FROM body_seed WHERE id >> 44 NOT IN (SELECT id FROM ledger)")
            migrate(database, BOX_FAMILIES)
            forgotten = self._verify(database, backup.header, keys.header, progress)
            erased = sum(map(len, forgotten.values()))
            more = {"backup": backup.header.file_id, "erased_since": erased}
            origin = begin_generation(database, self._device_key, self._clock, Reason.RESTORED, more=more)
            self._tell_erased(database, origin, forgotten)
            if not database.checkpoint():
                raise StoreBusyError()
        return Restored(about.school, about.origin, origin, about.size, erased)

    def _tell_erased(self, database: Database, origin: str, forgotten: dict[str, list[int]]) -> None:
        """The entries that said so were lost with the box; the new ledger says it of each body."""
        ledger = OwnLedger.find(database, origin)
        ledger.attach(self._device_key, LedgerClock(self._clock, ledger))
        with ledger.append() as appending:
            for earlier, indices in forgotten.items():
                tell_erased(appending, earlier, indices, ERASED_SINCE)

    def _verify(self, database: Database, backup: Header, keys: Header, progress: Progress) -> dict[str, list[int]]:
        """The indices of the bodies that do not open any more, by ledger; they and their evidence are gone then."""
        found = database.row("SELECT code, origin, generation FROM school")
        if found != (backup.about.school, backup.about.origin, backup.about.generation):
            raise DumpError(reason="school")
        for header in (backup, keys):
            with suppress(NoLedgerError):  # keys of a later generation: the prefecture knew whose they are
                header.verify(LedgerStore.find(database, header.about.origin).keys)
        erased = {}
        for generation in generations(database):
            ledger = LedgerStore.find(database, generation.origin)
            forgotten = ledger.clear_forgotten()
            with database.transaction() as transaction:  # evidence goes with its act
                EvidenceStore.delete_earlier(transaction, generation.number, forgotten)
            erased[ledger.origin] = forgotten
            # Confirmations are not asked for: one of an earlier hub must not keep the records from coming back.
            audited = audit_ledger(ledger, {}, progress, complete=False)
            if audited.faults:
                raise RestoredLedgerError(origin=ledger.origin, error=audited.faults[0].code)
        if LedgerStore.find(database, backup.about.origin).head().size != backup.about.size:
            raise DumpError(reason="size")
        return erased


class _Reading:
    """Opens the content of files and tells how far they are read."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._total, self._done = progress, total, 0

    @contextmanager
    def content(self, opened: Opened) -> Iterator[BinaryIO]:
        """The content as a file; at the end it has been read to its last chunk."""
        with opened.path.open("rb") as file:
            if Header.read(file.read).file_id != opened.header.file_id:
                raise SealedFileError(reason="changed")

            def read(size: int) -> bytes:
                found = file.read(size)
                self._done += len(found)
                self._progress(min(self._done, self._total - 1), self._total)
                return found

            content = _Content(open_content(opened.header, opened.key, read))
            yield content  # type: ignore[misc]
            content.drain()


class _Content:
    """Chunks as something that can be read."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, b""

    def read(self, size: int) -> bytes:
        """At most so many bytes, none at the end."""
        if not self._rest:
            self._rest = next(self._chunks, b"")
        found, self._rest = self._rest[:size], self._rest[size:]
        return found

    def drain(self) -> None:
        for _ in self._chunks:
            pass


def _age(header: Header) -> tuple[int, int]:
    return header.about.generation, header.about.size


def _one_time_key(state_dir: Path) -> Recipient:
    try:
        raw = (state_dir / KEY_NAME).read_bytes()
    except FileNotFoundError as error:
        raise NoRequestError(path=str(state_dir / KEY_NAME)) from error
    return Recipient.from_bytes(raw)


def _remove(path: Path) -> None:
    for one in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))):
        one.unlink(missing_ok=True)


def _wipe(path: Path) -> None:
    if not path.exists():
        return
    # Overwriting is no promise on flash memory; that the release is worth nothing without this key is why it goes.
    with path.open("r+b") as file:
        file.write(bytes(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()
    _sync(path.parent)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
