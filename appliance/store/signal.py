"""What one program says of itself for others to show. The last word counts; nothing personal is ever said here."""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from appliance.errors import Field
from appliance.store.database import Database


class Signal(NamedTuple):
    """``value`` is what was said, ``at_ms`` when, in milliseconds since 1970."""

    value: dict[str, Any]
    at_ms: int


class SignalStore:
    """One row for each ``name`` (``sync``, ``reader`` ...)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def write(self, name: str, value: Mapping[str, Field], at_ms: int, *, waiting: bool = True) -> None:
        """Replaces what was said under this name; without ``waiting`` only if nobody else writes at this moment."""
        text = json.dumps(dict(value), ensure_ascii=False, sort_keys=True)
        with self._database.transaction(waiting=waiting) as transaction:
            transaction.run("INSERT OR REPLACE INTO signal VALUES (?, ?, ?)", (name, text, at_ms))

    def read(self, name: str) -> Signal | None:
        found = self._database.row("SELECT value, at_ms FROM signal WHERE name = ?", (name,))
        return None if found is None else Signal(json.loads(found[0]), found[1])
