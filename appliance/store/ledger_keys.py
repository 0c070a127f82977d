"""The history of keys of a ledger in the database, its own or a mirror's."""

from appliance.ledger.keys import VerifyingKey
from appliance.ledger.signers import Signers, SigningPeriod
from appliance.store.database import Database, Row, Transaction


class LedgerKeys:
    """The keys of the ledger with this number. Another process may add one at any time, so they are read each time;
    what has not changed is not parsed again."""

    def __init__(self, database: Database, number: int) -> None:
        self._database, self._number = database, number
        self._read: tuple[list[Row], Signers] | None = None

    def signers(self) -> Signers:
        """All of them."""
        sql = "SELECT first, public_key, succession FROM ledger_key WHERE ledger = ? ORDER BY first"
        rows, read = self._database.rows(sql, (self._number,)), self._read
        if read is None or read[0] != rows:
            periods = [SigningPeriod(first, VerifyingKey.from_pem(pem), succession) for first, pem, succession in rows]
            read = self._read = rows, Signers(tuple(periods))
        return read[1]

    @staticmethod
    def add(transaction: Transaction, number: int, period: SigningPeriod) -> None:
        """One more, which somebody has verified."""
        values = number, period.size, period.key.pem(), period.succession
        transaction.run("INSERT INTO ledger_key VALUES (?, ?, ?, ?)", values)
