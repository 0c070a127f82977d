"""``appliance backup``: two files for the prefecture alone, while others go on recording."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from appliance.clock import SystemClock
from appliance.errors import MadoguchiError
from appliance.ledger.keys import SigningKey
from appliance.ledger.recipient import Recipient
from appliance.ledger.sealed_file import About, open_content
from appliance.services.backup import BACKUP, KEYS, PART
from appliance.services.opening import OpenBox, found_box, open_box
from appliance.store.ledger import LedgerStore
from tests.school.small import CODE
from tests.sim.backup import NewBox, back_up, header_of
from tests.sim.box import DATABASE_KEY, SCHOOL_NAME
from tests.sim.clock import ManualClock
from tests.sim.durable.act import (
    DEVICE_KEY,
    Fact,
    LedgerAct,
    LostError,
    UnusableError,
    Witness,
    append,
    fact_of,
    opened,
    said,
)
from tests.sim.durable.writer import writing

HOLDER: Final = "prefecture.key"
OUT: Final = "out"
LONG: Final = bytes(300)
ENTRIES: Final = 200


class BackUp(LedgerAct):
    """Under its final name a file is whole; a backup that was acknowledged holds what was promised before it began, and
    can be restored with the keys beside it."""

    name = "backup"
    share = 3
    calls = 8
    lives = 6

    def prepare(self, folder: Path) -> list[Fact]:
        (folder / HOLDER).write_bytes(Recipient.make().to_bytes())
        (folder / OUT).mkdir()
        key = SigningKey.make()
        (folder / DEVICE_KEY).write_bytes(key.pem())
        with found_box(folder, DATABASE_KEY, key, SystemClock(), str(CODE), SCHOOL_NAME).database:
            pass
        with opened(folder) as (_, ledger):
            append(ledger, ENTRIES, LONG)
            return [fact_of(ledger, 0, ledger.head().size)]

    @contextmanager
    def beside(self, folder: Path) -> Iterator[list[Fact]]:
        facts = list[Fact]()
        with writing(lambda: self.reopened(folder), facts.append):
            yield facts

    def run(self, folder: Path, witness: Witness, times: int) -> None:
        with writing(lambda: self.reopened(folder), witness.also), box_of(folder) as box:
            for _ in range(times):
                witness.begins()
                witness.done(backed_up(folder, box))

    def check(self, folder: Path, facts: list[Fact]) -> list[Fact]:
        found = super().check(folder, facts)
        backups, keys = whole_files(folder, BACKUP), whole_files(folder, KEYS)
        promised = [fact for fact in facts if "backup" in fact]
        for fact in promised:
            if fact["backup"] not in backups:
                raise LostError(f"{fact['backup']} is not there")
            if backups[fact["backup"]].size < fact["least"]:
                raise LostError(f"{fact['backup']} ends before {fact['least']}")
        newest_keys = max((about.size for about in keys.values()), default=-1)
        for name, about in backups.items():
            if about.size > newest_keys:
                raise LostError(f"nothing opens the bodies of {name}")
        if promised and min(about.size for about in keys.values()) < backups[promised[-1]["backup"]].size:
            raise LostError("keys that were removed are there")
        if backups:
            restore(folder, newest(backups), newest(keys), facts)
        with box_of(folder) as box:
            again = backed_up(folder, box)
        if left := [path.name for path in (folder / OUT).iterdir() if path.name.endswith(PART)]:
            raise UnusableError(f"{left[0]} is left for ever")
        return [*found, *promised, again]


@contextmanager
def box_of(folder: Path) -> Iterator[OpenBox]:
    key = SigningKey.from_pem((folder / DEVICE_KEY).read_bytes())
    box = open_box(folder, DATABASE_KEY, key, SystemClock())
    with box.database:
        yield box


def backed_up(folder: Path, box: OpenBox) -> Fact:
    """Makes a backup; its name, and how many entries there were before it began."""
    least = box.ledger.head().size
    made = back_up(box, Recipient.from_bytes((folder / HOLDER).read_bytes()), folder / OUT)
    return {"backup": made.backup.name, "least": least}


def whole_files(folder: Path, kind: str) -> dict[str, About]:
    """What the files of this kind under final names say of themselves; raises ``UnusableError`` if one is not whole."""
    holder = Recipient.from_bytes((folder / HOLDER).read_bytes())
    device = SigningKey.from_pem((folder / DEVICE_KEY).read_bytes()).public
    found = {}
    for path in (folder / OUT).glob(f"*.{kind}"):
        try:
            header = header_of(path)
            header.verify(device)
            with path.open("rb") as file:
                file.seek(len(header.to_bytes()))
                for _ in open_content(header, header.content_key(holder), file.read):
                    pass
        except MadoguchiError as error:
            raise UnusableError(f"{path.name} is not whole: {error!r}") from error
        found[path.name] = header.about
    return found


def newest(files: dict[str, About]) -> str:
    return max(files, key=lambda name: files[name].size)


def restore(folder: Path, backup: str, keys: str, facts: list[Fact]) -> None:
    """Into a new box, where every entry that was promised and is in the backup must be as it was."""
    holder = Recipient.from_bytes((folder / HOLDER).read_bytes())
    with tempfile.TemporaryDirectory(dir=folder.parent, prefix="restored-") as name:
        new = NewBox(Path(name) / "state", ManualClock(SystemClock().now_ms()))
        restored = new.restore(holder, folder / OUT / backup, folder / OUT / keys)
        with new.open().database as database:
            items = LedgerStore.find(database, restored.previous).items(0, restored.size)
            there = [said(index, item) for index, item in enumerate(items)]
    for entry in (entry for fact in facts for entry in fact.get("entries", []) if entry[0] < len(there)):
        if there[entry[0]] != entry:
            raise LostError(f"entry {entry[0]} is another in {backup}")
