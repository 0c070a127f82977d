"""Words that programs leave for each other: what the kiosk sees of the reader, what ``syncd`` knows of the line."""

import json
from typing import Any

from appliance.store.database import Database


class SignalStore:
    def __init__(self, database: Database) -> None:
        self._database = database

    def leave(self, name: str, value: dict[str, Any], now_ms: int) -> None:
        """Replaces what was said under this name."""
        text = json.dumps(value, ensure_ascii=False, sort_keys=True)
        with self._database.transaction() as transaction:
            transaction.run(
                "INSERT INTO signal VALUES (?, ?, ?)"
                " ON CONFLICT (name) DO UPDATE SET value = excluded.value, at_ms = excluded.at_ms",
                (name, text, now_ms),
            )

    def read(self, name: str) -> tuple[dict[str, Any], int] | None:
        """The value and when it was left, in milliseconds since 1970; None if nothing was ever said."""
        found = self._database.row("SELECT value, at_ms FROM signal WHERE name = ?", (name,))
        return None if found is None else (json.loads(found[0]), int(found[1]))
