"""All acts that promise to be durable. A new one is added to ``ACTS``, and both benches interrupt it."""

from pathlib import Path
from typing import Final

from appliance.services.opening import DATABASE_NAME
from appliance.store.migrate import check_schema, migrate
from appliance.store.schema import BOX_FAMILIES
from appliance.store.tree import INDEX_MASK
from tests.sim.box import DATABASE_KEY
from tests.sim.durable.act import Act, Fact, LedgerAct, LostError, Witness, append, fact_of, opened
from tests.sim.durable.backing_up import BackUp
from tests.sim.durable.founding import FoundBox, FoundHub
from tests.sim.durable.old_ledger import prepare_old_ledger
from tests.sim.durable.rekey import Rekey

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


class Erase(LedgerAct):
    """The oldest body that is there is erased, and the ledger says so in the same transaction."""

    name = "erase"
    share = 4
    calls = 250

    def run(self, folder: Path, witness: Witness, times: int) -> None:
        with opened(folder, self.database) as (database, ledger):
            for _ in range(times):
                (row,) = database.rows("SELECT min(id) FROM entry WHERE body IS NOT NULL")[0]
                size = ledger.head().size
                witness.begins()
                with ledger.append() as appending:
                    appending.erase([row & INDEX_MASK], "bench")
                witness.done({**fact_of(ledger, size, size + 1), "erased": row & INDEX_MASK})

    def may_be_erased(self, facts: list[Fact]) -> frozenset[int]:
        return frozenset(entry[0] for fact in facts for entry in fact["entries"])

    def check(self, folder: Path, facts: list[Fact]) -> list[Fact]:
        there, *more = super().check(folder, facts)
        for index in (fact["erased"] for fact in facts if "erased" in fact):
            if there["entries"][index][2] is not None:
                raise LostError(f"the body of entry {index} was erased and is there")
        return [there, *more]


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


ACTS: Final[tuple[Act, ...]] = (
    Append(),
    AppendBatch(),
    Erase(),
    Migrate(),
    Rekey(),
    BackUp(),
    FoundBox(),
    FoundHub(),
)
