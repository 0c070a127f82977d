"""Numbered SQL migrations, each all or nothing.

A family is a folder of files ``NNNN_name.sql``, numbered from 1 without gaps; what SQL cannot say of a step is a
function that runs after its file in the same transaction. The box has the families ``ledger`` and
``box``, the hub ``ledger`` and ``hub``; the table ``migration`` remembers what ran.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from importlib.resources.abc import Traversable

from appliance.errors import ConfigError
from appliance.store.database import Database, Transaction

REGISTER = """
CREATE TABLE IF NOT EXISTS migration (
  family TEXT NOT NULL, number INTEGER NOT NULL, name TEXT NOT NULL, PRIMARY KEY (family, number)
) STRICT
"""


Conversion = Callable[[Database, Transaction], None]


class SchemaTooNewError(ConfigError):
    """The database was made by a newer version of the program."""

    code = "store.too_new"


class SchemaTooOldError(ConfigError):
    """The database waits for ``appliance migrate``."""

    code = "store.too_old"


@dataclass(frozen=True)
class Family:
    """A named folder of migrations."""

    name: str
    folder: Traversable
    conversions: Mapping[int, Conversion] = field(default_factory=dict)
    """By the number of the step."""

    def steps(self) -> list[tuple[int, str, str]]:
        """(number, name, SQL) in order."""
        files = sorted((one for one in self.folder.iterdir() if one.name.endswith(".sql")), key=lambda one: one.name)
        steps = [(int(one.name[:4]), one.name[5:-4], one.read_text(encoding="utf-8")) for one in files]
        if [number for number, _, _ in steps] != list(range(1, len(steps) + 1)):
            raise ConfigError(reason=f"migrations of {self.name} are not numbered 1 to {len(steps)}")
        return steps


def migrate(database: Database, families: tuple[Family, ...], levels: Mapping[str, int] | None = None) -> list[str]:
    """Brings the schema up to date, or up to a number of each family; returns the names of what ran, empty when nothing
    was to do."""
    database.script(REGISTER)
    ran = []
    for family in families:
        done = _done(database, family)
        for number, name, sql in family.steps()[done : None if levels is None else levels[family.name]]:
            _run(database, family, number, name, sql)
            ran.append(f"{family.name}/{number:04}_{name}")
    return ran


def schema_levels(database: Database, families: tuple[Family, ...]) -> dict[str, int]:
    """The number of the last migration that ran, by family; raises ``SchemaTooNewError``."""
    return {family.name: _done(database, family) for family in families}


def check_schema(database: Database, families: tuple[Family, ...]) -> None:
    """Raises ``SchemaTooOldError`` or ``SchemaTooNewError`` unless the schema is exactly this program's."""
    if database.row("SELECT 1 FROM sqlite_master WHERE name = 'migration'") is None:
        raise SchemaTooOldError(family="all", waiting=sum(len(one.steps()) for one in families))
    for family in families:
        if waiting := len(family.steps()) - _done(database, family):
            raise SchemaTooOldError(family=family.name, waiting=waiting)


def _run(database: Database, family: Family, number: int, name: str, sql: str) -> None:
    def finish(transaction: Transaction) -> None:
        if number in family.conversions:
            family.conversions[number](database, transaction)
        transaction.run("INSERT INTO migration VALUES (?, ?, ?)", (family.name, number, name))

    database.script(sql, finish)


def _done(database: Database, family: Family) -> int:
    found = database.row("SELECT coalesce(max(number), 0) FROM migration WHERE family = ?", (family.name,))
    done = int(found[0]) if found else 0
    if done > len(family.steps()):
        raise SchemaTooNewError(family=family.name, database=done, program=len(family.steps()))
    return done
