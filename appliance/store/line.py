"""What the line carried, each time that it was measured."""

from dataclasses import dataclass

from appliance.store.database import Database

KEPT_MS = 2 * 366 * 86_400_000


@dataclass(frozen=True, slots=True)
class LineSample:
    """``at_ms`` since 1970; ``bit_s`` in each direction at least; ``rtt_ms`` the quickest way there and back;
    ``total_bytes`` what the measurement itself sent."""

    at_ms: int
    bit_s: int
    rtt_ms: int
    total_bytes: int


class LineStore:
    """The measurements of two years."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, sample: LineSample) -> None:
        row = (sample.at_ms, sample.bit_s, sample.rtt_ms, sample.total_bytes)
        with self._database.transaction() as transaction:
            transaction.run("DELETE FROM line_sample WHERE at_ms < ?", (sample.at_ms - KEPT_MS,))
            transaction.run("INSERT OR REPLACE INTO line_sample VALUES (?, ?, ?, ?)", row)

    def since(self, first_ms: int) -> list[LineSample]:
        """The oldest first."""
        sql = "SELECT at_ms, bit_s, rtt_ms, total_bytes FROM line_sample WHERE at_ms >= ? ORDER BY at_ms"
        return [LineSample(*row) for row in self._database.rows(sql, (first_ms,))]

    def latest(self) -> LineSample | None:
        sql = "SELECT at_ms, bit_s, rtt_ms, total_bytes FROM line_sample ORDER BY at_ms DESC LIMIT 1"
        found = self._database.row(sql)
        return None if found is None else LineSample(*found)
