"""What processes do to a database whose key is changed meanwhile: ``python -m tests.scenarios.key_work DEED PATH``.

Each says on standard output what it has done, one line each time, and ends when its standard input does.
"""

import hashlib
import os
import select
import signal
import sys
from collections.abc import Callable
from pathlib import Path

from appliance.config import CredentialSource
from appliance.errors import MadoguchiError
from appliance.services.founding import DATABASE_KEY
from appliance.services.key_rotation import KeyRotation, Stage
from appliance.store.database import Database

PATIENCE_S = 60.0
LITTLE_BYTES = 8 << 20
TABLE = "CREATE TABLE note (id INTEGER PRIMARY KEY, text BLOB NOT NULL)"


def text_of(number: int) -> bytes:
    """1,024 bytes that only this note can have."""
    return hashlib.blake2b(b"%d" % number).digest() * 16


def write(database: Database, first: int, count: int) -> None:
    with database.transaction() as transaction:
        numbers = range(first, first + count)
        transaction.run_many("INSERT INTO note VALUES (?, ?)", [(number, text_of(number)) for number in numbers])


def last_of(database: Database) -> int:
    found = database.row("SELECT coalesce(max(id), 0) FROM note")
    return int(found[0]) if found else 0


def keep_writing(database: Database) -> None:
    """Says the number of each note as soon as it is durable; rests for a moment after each, as people do."""
    number = last_of(database)
    while not asked_to_end(0.001):
        number += 1
        write(database, number, 1)
        say(str(number))


def keep_reading(database: Database) -> None:
    """Says how many notes there are, all of them whole; never fewer than before."""
    seen = 0
    while not asked_to_end(0.0):
        numbers = []
        for number, text in database.each("SELECT id, text FROM note ORDER BY id"):
            if text != text_of(number):
                raise ValueError(f"note {number} is another")
            numbers.append(number)
        if numbers != list(range(1, len(numbers) + 1)) or len(numbers) < seen:
            raise ValueError(f"{len(numbers)} notes after {seen}")
        seen = len(numbers)
        say(str(seen))


def rotate(path: Path, end_at: str) -> None:
    """Says each stage; at ``end_at`` it ends as when the power goes."""

    def tell(stage: Stage, _: int) -> None:
        say(stage.value)
        if stage.value == end_at:
            os.kill(os.getpid(), signal.SIGKILL)

    say("begun")
    KeyRotation(path, DATABASE_KEY, tell).run()
    say("done")


def run_out_of_room(path: Path) -> None:
    """A disk that is full before the rewrite, then one that fills up in it, then one with room; says how each ends."""
    filler, room = path.with_name("filler"), os.statvfs(path.parent)

    def fill(stage: Stage, _: int) -> None:
        if stage is Stage.MADE:
            occupy(LITTLE_BYTES)  # enough to begin with

    def occupy(left: int) -> None:
        with filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, os.statvfs(path.parent).f_bavail * room.f_frsize - left)

    occupy(LITTLE_BYTES)
    with Database.open(path, CredentialSource(DATABASE_KEY)) as database:
        for tell in (None, fill, None):
            try:
                KeyRotation(path, DATABASE_KEY, tell).run()
                say("done")
            except MadoguchiError as error:
                say(error.code)
                if path.with_name(f"{path.name}-wal").stat().st_size > 0:
                    raise ValueError("what was written in vain is still there") from error
            filler.unlink(missing_ok=True)
            write(database, last_of(database) + 1, 1)


def say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def asked_to_end(rest_s: float) -> bool:
    return bool(select.select([sys.stdin], [], [], rest_s)[0])


def main(deed: str, path: Path, *more: str) -> None:
    alone: dict[str, Callable[..., None]] = {"rotate": rotate, "full": run_out_of_room}
    if deed in alone:
        alone[deed](path, *more)
        return
    deeds: dict[str, Callable[[Database], None]] = {"write": keep_writing, "read": keep_reading}
    with Database.open(path, CredentialSource(DATABASE_KEY), PATIENCE_S) as database:
        deeds[deed](database)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
