"""Looking for what must not be there: files, opened databases, and the list of processes."""

import base64
import io
import threading
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from appliance.ledger.verify import Sealed
from appliance.store.database import Database

SAMPLE_S = 0.004
Found = list[tuple[str, str]]
"""(what was found, where); empty when all is well."""


def look(what: Mapping[str, bytes], where: Mapping[str, bytes]) -> Found:
    return [(name, place) for place, data in where.items() for name, needle in what.items() if needle in data]


def spellings(name: str, content: bytes) -> dict[str, bytes]:
    """Bytes as they are, in hexadecimal both ways and with colons, and within a longer base64 at every alignment."""
    found = {
        f"{name} (bytes)": content,
        f"{name} (hexadecimal)": content.hex().encode(),
        f"{name} (HEXADECIMAL)": content.hex().upper().encode(),
        f"{name} (he:xa)": content.hex(":").encode(),
        f"{name} (HE:XA)": content.hex(":").upper().encode(),
    }
    for shift in range(3):
        # The characters at both ends depend on the neighbours too, those between on the content alone.
        inner = base64.b64encode(bytes(shift) + content).rstrip(b"=")[4 if shift else 0 : -1]
        found[f"{name} (base64, {shift})"] = inner
    return found


def files(folders: Iterable[Path], without: Iterable[Path] = ()) -> dict[str, bytes]:
    """Every regular file below these folders, except below those without."""
    left_out = [one.resolve() for one in without]
    found = {}
    for folder in folders:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and not any(path.resolve().is_relative_to(one) for one in left_out):
                found[str(path)] = path.read_bytes()
    return found


def contents(database: Database, name: str) -> dict[str, bytes]:
    """Everything in an opened database, column by column: texts as UTF-8, numbers as decimals, blobs as they are, and
    what lies in a ZIP archive once more unpacked."""
    found = {}
    for (table,) in database.rows("SELECT name FROM sqlite_master WHERE type = 'table'"):
        columns = [str(one[1]) for one in database.rows(f"PRAGMA table_info({table})")]
        for number, row in enumerate(database.rows(f"SELECT * FROM {table}")):
            for column, value in zip(columns, row, strict=True):
                place = f"{name}:{table}[{number}].{column}"
                found[place] = value if isinstance(value, bytes) else str(value).encode()
                if found[place].startswith(b"PK\x03\x04"):
                    found |= unpacked(place, found[place])
    return found


def bodies(items: Iterable[Sealed], name: str) -> dict[str, bytes]:
    """The decrypted bodies of a ledger."""
    return {
        f"{name}:body[{number}]": item.body.salt + item.body.content
        for number, item in enumerate(items)
        if item.body is not None
    }


def unpacked(place: str, archive: bytes) -> dict[str, bytes]:
    with zipfile.ZipFile(io.BytesIO(archive)) as opened:
        return {f"{place}/{name}": opened.read(name) for name in opened.namelist()}


class ProcessList:
    """What ``ps`` would show of every process, arguments and environment, sampled again and again."""

    def __init__(self) -> None:
        self.samples = 0
        self.seen: dict[str, bytes] = {}
        self._ending = threading.Event()

    @contextmanager
    def watching(self) -> Iterator[None]:
        thread = threading.Thread(target=self._watch, name="process-list", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._ending.set()
            thread.join()

    @property
    def of_the_product(self) -> dict[str, bytes]:
        """What was seen of our own programs; other programs of the machine carry numbers of their own."""
        own = {place.split("/")[2] for place, data in self.seen.items() if b"appliance.programs" in data}
        return {place: data for place, data in self.seen.items() if place.split("/")[2] in own}

    def _watch(self) -> None:
        while not self._ending.wait(SAMPLE_S):
            self.samples += 1
            for process in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ", "comm"):
                    self._note(process / name)

    def _note(self, path: Path) -> None:
        try:
            data = path.read_bytes()
        except OSError:
            return  # it ended meanwhile, or it is none of ours to read
        self.seen[f"{path} {hash(data):x}"] = data
