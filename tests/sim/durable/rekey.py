"""``appliance keys rotate``: a new key for the database, while others go on recording."""

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

from appliance.config import CredentialSource
from appliance.services.founding import DATABASE_KEY as KEY_NAME
from appliance.services.key_rotation import KeyRotation
from appliance.services.opening import DATABASE_NAME
from appliance.store.database import Database
from appliance.store.faults import WrongKeyError
from appliance.store.ledger import OwnLedger
from tests.sim.box import DATABASE_KEY
from tests.sim.durable.act import Fact, LedgerAct, LostError, UnusableError, Witness, append, opened
from tests.sim.durable.writer import writing

KEYS: Final = "keys"
LONG: Final = bytes(3_000)
ENTRIES: Final = 300


class Rekey(LedgerAct):
    """Exactly one of the keys opens the database at every moment, and none that was replaced ever again."""

    name = "rekey"
    share = 3
    calls = 10
    lives = 8

    def prepare(self, folder: Path) -> list[Fact]:
        facts = super().prepare(folder)
        (folder / KEYS).mkdir()
        (folder / KEYS / KEY_NAME).write_bytes(DATABASE_KEY)
        with opened(folder) as (_, ledger):
            return [*facts, append(ledger, ENTRIES, LONG)]  # pages enough for a rewrite that can be met in the middle

    def reopened(self, folder: Path) -> AbstractContextManager[tuple[Database, OwnLedger]]:
        return opened(folder, self.database, CredentialSource(KEY_NAME))

    @contextmanager
    def beside(self, folder: Path) -> Iterator[list[Fact]]:
        facts = list[Fact]()
        with credentials(folder), writing(lambda: self.reopened(folder), facts.append):
            yield facts

    def run(self, folder: Path, witness: Witness, times: int) -> None:
        with credentials(folder), writing(lambda: self.reopened(folder), witness.also):
            for _ in range(times):
                key = (folder / KEYS / KEY_NAME).read_bytes()
                witness.begins()
                rotate(folder)
                witness.done({"retired": key.hex()})

    def check(self, folder: Path, facts: list[Fact]) -> list[Fact]:
        with credentials(folder):
            key_that_opens(folder, facts)
            found = super().check(folder, facts)
            seen = present(folder)
            rotate(folder)
            (now,) = present(folder)
            if len(seen) == 2 and now not in seen:
                raise UnusableError("a change that was interrupted was begun anew with a third key")
            retired: list[Fact] = [{"retired": one.hex()} for one in seen if one != now]
            key_that_opens(folder, retired)
            before = [fact for fact in facts if "retired" in fact]
            return [*super().check(folder, facts + found), *before, *retired]


@contextmanager
def credentials(folder: Path) -> Iterator[None]:
    """The folder of credentials is known, as systemd tells it to a program."""
    before = os.environ.get("CREDENTIALS_DIRECTORY")
    os.environ["CREDENTIALS_DIRECTORY"] = str(folder / KEYS)
    try:
        yield
    finally:
        if before is None:
            del os.environ["CREDENTIALS_DIRECTORY"]
        else:
            os.environ["CREDENTIALS_DIRECTORY"] = before


def rotate(folder: Path) -> None:
    """The command; needs ``credentials``."""
    KeyRotation(folder / DATABASE_NAME, KEY_NAME).run()


def present(folder: Path) -> list[bytes]:
    """The keys that programs would try."""
    with credentials(folder):
        return CredentialSource(KEY_NAME)()


def key_that_opens(folder: Path, facts: list[Fact]) -> bytes:
    """The only one of those that are there; raises ``LostError`` if there is none, or if one that was replaced opens it
    as well."""
    keys = present(folder)
    opening = [key for key in keys if opens(folder, key)]
    if len(opening) != 1:
        raise LostError(f"{len(opening)} of {len(keys)} keys open the database")
    for key in (bytes.fromhex(fact["retired"]) for fact in facts if "retired" in fact):
        if opens(folder, key):
            raise LostError("a key that was replaced opens the database")
    return opening[0]


def opens(folder: Path, key: bytes) -> bool:
    try:
        Database.open(folder / DATABASE_NAME, key).close()
    except WrongKeyError:
        return False
    return True
