"""Acts that break their promise. A bench that does not notice them proves nothing."""

from typing import Any, Final

from appliance.store.database import Database
from tests.sim.durable.act import Act, Witness, append, opened
from tests.sim.durable.acts import ACTS, Append


class UnsafeDatabase(Database):
    """Does not wait for the disk at a commit: safe from kills, not from power cuts."""

    def _connect(self) -> Any:
        connection = super()._connect()
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection


class UnsafeAppend(Append):
    """As ``Append``, without waiting for the disk."""

    name = "unsafe_append"
    database = UnsafeDatabase


class HastyAppend(Append):
    """Says that an entry is there before the transaction has ended."""

    name = "hasty_append"

    def run(self, folder: Any, witness: Witness, times: int) -> None:
        with opened(folder, self.database) as (database, ledger):
            for _ in range(times):
                witness.begins()
                size = ledger.head().size
                with database.transaction():
                    witness.done({"entries": [[size, "", None]]})
                append(ledger, 1)


CONTROLS: Final[tuple[Act, ...]] = (UnsafeAppend(), HastyAppend())


def act_named(name: str) -> Act:
    """One that promises or one that only seems to; raises ``KeyError``."""
    return {act.name: act for act in (*ACTS, *CONTROLS)}[name]
