"""A disk that may forget whatever was not synced, and everything it could be left with when the power goes.

What it promises is what SQLite's contract asks of a disk and no more, which is less than ext4 gives:

1. Bytes and size of a file are there after an fsync or fdatasync of that file; before it, each sector of 512 bytes is
   there as it was after any one of the writes that touched it since, whatever became of the others, in any order.
2. A sector is written whole or not at all, and a write leaves the bytes beside it alone (what SQLite calls powersafe
   overwrite and takes for granted on every Unix).
3. A file that has grown may have its new size without its new bytes: they are zeros, or what lay there before.
4. Names made, moved and removed are there after an fsync of their folder. An fsync of the file does not keep its name,
   though on ext4 it does. Before that any of them may be there without those before it; each is there whole or not.

Time is not a promise: nothing becomes durable by waiting. Mode bits and owners are not modelled.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, unique
from pathlib import Path
from typing import Final

from tests.sim.powercut.log import Kind, Record

SECTOR: Final = 512
ZEROS: Final = bytes(SECTOR)


class NotReplayableError(RuntimeError):
    """The program did something to a file that the log cannot describe."""


@unique
class Cut(Enum):
    """What becomes of that which was not synced."""

    NOTHING = "nothing of it is there"
    EVERYTHING = "all of it is there"
    BEGINNING = "what came first is there, the last of it torn"
    END = "what came last is there, and what came first is not"
    SOME = "some writes are there, whole"
    TORN = "some sectors are there"
    STALE = "some sectors are there; in place of new ones lies what was there before"


@dataclass
class File:
    """``synced`` is what is on the disk for sure, ``content`` what programs see, ``writes`` the way from one to the
    other: for each write since the sync the new size and the new bytes of each sector that it touched."""

    synced: bytes = b""
    content: bytearray = field(default_factory=bytearray)
    writes: list[tuple[int, dict[int, bytes]]] = field(default_factory=list)

    def write(self, offset: int, data: bytes) -> None:
        end = offset + len(data)
        touched = range(min(offset, len(self.content)) // SECTOR, -(-end // SECTOR))
        if len(self.content) < end:
            self.content.extend(bytes(end - len(self.content)))
        self.content[offset:end] = data
        self._remember(touched)

    def resize(self, size: int) -> None:
        shorter, longer = sorted((size, len(self.content)))
        self.content[size:] = bytes(max(0, size - len(self.content)))
        self._remember(range(shorter // SECTOR, -(-longer // SECTOR)))

    def sync(self) -> None:
        self.synced = bytes(self.content)
        self.writes.clear()

    def after(self, keep: Callable[[int, int], bool], fill: Callable[[], bytes]) -> bytes:
        """What is left: ``keep`` says of the number of a write and a sector whether it reached the disk (of a write and
        -1: whether the size did); ``fill`` is what lies where nothing was written yet."""
        left: dict[int, bytes] = {}
        size = len(self.synced)
        for number, (new_size, sectors) in enumerate(self.writes):
            if keep(number, -1):
                size = new_size
            left.update({sector: data for sector, data in sectors.items() if keep(number, sector)})
        content = bytearray(self.synced[:size])
        while len(content) < size:
            content += fill()
        for sector, data in left.items():
            if sector * SECTOR >= size:
                continue
            content[sector * SECTOR : sector * SECTOR + SECTOR] = data
        return bytes(content[:size])

    def _remember(self, sectors: range) -> None:
        now = {one: bytes(self.content[one * SECTOR : one * SECTOR + SECTOR]).ljust(SECTOR, b"\0") for one in sectors}
        self.writes.append((len(self.content), now))


@dataclass
class Change:
    """A change of names, whole or not at all; ``waits_for`` are the folders whose fsync it still needs."""

    kind: Kind
    path: str
    other: str
    made: File | None
    waits_for: set[str]

    @property
    def names(self) -> set[str]:
        return {self.path, self.other} - {""}


class Disk:
    """Begins with what lies in a folder, all of it durable; ``play`` takes the records of a log one by one."""

    def __init__(self, folder: Path) -> None:
        self._files: dict[int, File] = {}
        self._folders: dict[int, str] = {folder.stat().st_ino: ""}
        self._synced: dict[str, File | None] = {}
        self._changes: list[Change] = []
        for path in sorted(folder.rglob("*")):
            inode, name = path.stat().st_ino, str(path.relative_to(folder))
            if path.is_dir():
                self._folders[inode], self._synced[name] = name, None
            else:
                data = path.read_bytes()
                self._files[inode] = self._synced[name] = File(data, bytearray(data))

    def play(self, record: Record) -> None:
        """Raises ``NotReplayableError``."""
        match record.kind:
            case Kind.NOTE:
                return
            case Kind.UNKNOWN:
                raise NotReplayableError(f"{record.path}: {record.data.decode()}")
            case Kind.WRITE:
                self._file(record).write(record.offset, record.data)
            case Kind.TRUNCATE:
                self._file(record).resize(record.offset)
            case Kind.SYNC if record.inode in self._folders:
                self._sync_folder(self._folders[record.inode])
            case Kind.SYNC:
                self._file(record).sync()
            case _:
                self._rename(record)

    def after(self, cut: Cut, choice: random.Random) -> dict[str, bytes | None]:
        """What is left when the power goes now: paths, bytes of a file, None for a folder."""
        names = dict(self._synced)
        keep = _keeper(cut, choice, len(self._changes))
        for number, change in enumerate(self._changes):
            if keep(number, 0):
                _apply(change, names)
        fill = (lambda: choice.randbytes(SECTOR)) if cut is Cut.STALE else (lambda: ZEROS)
        return {
            name: None if file is None else file.after(_keeper(cut, choice, len(file.writes)), fill)
            for name, file in names.items()
            if all(parent in names for parent in _parents(name))
        }

    def _file(self, record: Record) -> File:
        try:
            return self._files[record.inode]
        except KeyError:
            raise NotReplayableError(f"{record.path}: a file without a beginning") from None

    def _rename(self, record: Record) -> None:
        made, other = None, record.data.decode()
        if record.kind is Kind.CREATE:
            made = self._files[record.inode] = File()
        elif record.kind is Kind.MKDIR:
            self._folders[record.inode] = record.path
        elif record.kind is Kind.RENAME and record.path in self._folders.values():
            raise NotReplayableError(f"{record.path}: a folder that moves")
        touched = {_folder(record.path)} | ({_folder(other)} if other else set())
        self._changes.append(Change(record.kind, record.path, other, made, touched))

    def _sync_folder(self, folder: str) -> None:
        waiting: list[Change] = []
        for change in self._changes:
            change.waits_for.discard(folder)
            # What happened to the same name before cannot come after it.
            change.waits_for.update(*(one.waits_for for one in waiting if one.names & change.names))
            if change.waits_for:
                waiting.append(change)
            else:
                _apply(change, self._synced)
        self._changes = waiting


def leave(state: dict[str, bytes | None], folder: Path) -> None:
    """Writes what a power cut left into an empty folder."""
    for name, data in sorted(state.items()):
        if data is None:
            (folder / name).mkdir(parents=True)
        else:
            (folder / name).write_bytes(data)


def _keeper(cut: Cut, choice: random.Random, count: int) -> Callable[[int, int], bool]:
    """Says of a write (0 to ``count``) and a sector whether it reached the disk; asked anew, it says the same."""
    turn = choice.randint(0, count)
    whole = [choice.random() < 0.5 for _ in range(count)]
    share, salt = choice.choice((0.1, 0.5, 0.9)), choice.getrandbits(32)

    def torn(number: int, sector: int) -> bool:
        return random.Random(salt ^ (number << 32) ^ (sector + 1)).random() < share

    match cut:
        case Cut.NOTHING:
            return lambda *_: False
        case Cut.EVERYTHING:
            return lambda *_: True
        case Cut.BEGINNING:
            return lambda number, sector: number < turn or (number == turn and torn(number, sector))
        case Cut.END:
            return lambda number, _: number >= turn
        case Cut.SOME:
            return lambda number, _: whole[number]
        case Cut.TORN | Cut.STALE:
            return torn


def _apply(change: Change, names: dict[str, File | None]) -> None:
    """Changes what can be changed: a name that is not there cannot be moved or removed."""
    match change.kind:
        case Kind.CREATE | Kind.MKDIR:
            names[change.path] = change.made
        case Kind.RENAME if change.path in names:
            names[change.other] = names.pop(change.path)
        case Kind.LINK if change.path in names:
            names[change.other] = names[change.path]
        case Kind.UNLINK | Kind.RMDIR:
            names.pop(change.path, None)


def _folder(path: str) -> str:
    return path.rpartition("/")[0]


def _parents(path: str) -> list[str]:
    parts = path.split("/")
    return ["/".join(parts[:end]) for end in range(1, len(parts))]
