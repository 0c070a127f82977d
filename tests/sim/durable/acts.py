"""All acts that promise to be durable. A new one is added to ``ACTS``, and both benches interrupt it."""

from pathlib import Path
from typing import Final

from appliance.services.opening import DATABASE_NAME
from appliance.store.migrate import check_schema, migrate
from appliance.store.schema import BOX_FAMILIES
from tests.sim.box import DATABASE_KEY
from tests.sim.durable.act import Act, Fact, LedgerAct, Witness, append, opened
from tests.sim.durable.founding import FoundBox, FoundHub
from tests.sim.durable.old_ledger import prepare_old_ledger

BATCH: Final = 40


class Append(LedgerAct):
    """One entry after the other."""

    name = "append"
    share = 9
    calls = 450
    count: int = 1

    def run(self, folder: Path, witness: Witness, times: int) -> None:
        with opened(folder, self.database) as (_, ledger):
            for _ in range(times):
                witness.begins()
                witness.done(append(ledger, self.count))


class AppendBatch(Append):
    """Many entries in one transaction."""

    name = "append_batch"
    share = 5
    calls = 70
    lives = 8
    count = BATCH


class Migrate(LedgerAct):
    """A database of the first version is brought up to date. Acknowledged or not, it is then at one of the versions."""

    name = "migrate"
    share = 4
    lives = 1

    def prepare(self, folder: Path) -> list[Fact]:
        return [prepare_old_ledger(folder)]

    def run(self, folder: Path, witness: Witness, times: int) -> None:
        with self.database.open(folder / DATABASE_NAME, DATABASE_KEY) as database:
            witness.begins()
            migrate(database, BOX_FAMILIES)
            witness.done({"migrated": True})

    def check(self, folder: Path, facts: list[Fact]) -> list[Fact]:
        with self.database.open(folder / DATABASE_NAME, DATABASE_KEY) as database:
            if any("migrated" in fact for fact in facts):
                check_schema(database, BOX_FAMILIES)
            migrate(database, BOX_FAMILIES)
        return super().check(folder, facts)


ACTS: Final[tuple[Act, ...]] = (Append(), AppendBatch(), Migrate(), FoundBox(), FoundHub())
