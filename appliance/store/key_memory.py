"""Which key followed which, in a file beside the database: what an older copy of the database does not know.

Everything in it was signed by the keys themselves, so it needs no protection. Without it nothing is lost, but nobody
can tell why the key fits no more when a database was put back to before a change of it.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from appliance.ledger.encoding import EncodingError, decode, encode
from appliance.ledger.generation import Told
from appliance.store.files import write_file

MOST_BYTES = 1 << 20
MODE = 0o660


class KeyMemory:
    """The file at ``path``: what the keys of all the box's ledgers said of their successors, the first one first."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[Told]:
        """What is remembered: verified when it is used. Nothing, if the file is missing or damaged."""
        try:
            with self._path.open("rb") as file:
                raw = file.read(MOST_BYTES)
            return [_told(origin, succession) for origin, succession in decode(raw)]
        except (OSError, EncodingError, ValueError, TypeError):
            return []

    def add(self, told: Iterable[Told]) -> None:
        """Remembers what is new, durably.

        Never raises: what a full disk keeps out is added at the next start.
        """
        known = self.read()
        new = [one for one in told if one not in known]
        if new:
            with suppress(OSError):
                write_file(self._path, _encoded([*known, *new]), MODE)


def _encoded(told: Sequence[Told]) -> bytes:
    return encode([[one.origin, one.succession] for one in told])


def _told(origin: object, succession: object) -> Told:
    if type(origin) is not str or type(succession) is not bytes:
        raise TypeError
    return Told(origin, succession)
