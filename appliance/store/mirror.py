"""Mirrors of ledgers that the other side writes: verified batches go in, each with this side's cosignature."""

from appliance.ledger.entry import EntryType
from appliance.ledger.erasure import EarlierErasure
from appliance.ledger.signers import Signers
from appliance.ledger.verify import VerifiedBatch
from appliance.store.database import Transaction
from appliance.store.ledger import Confirmation, LedgerStore, NoLedgerError
from appliance.store.ledger_keys import LedgerKeys
from appliance.store.tree import Entries


class MirrorLedger(LedgerStore):
    """A ledger that the other side writes: verified batches go in, nothing else."""

    def store(self, batch: VerifiedBatch, cosignature: bytes, now_ms: int) -> None:
        """Entries, bodies, head, new keys and this side's cosignature in one transaction.

        ``ConstraintError`` if the mirror has grown since the batch was verified; nothing is stored then.
        """
        size = batch.frontier.size
        with self._database.transaction() as transaction:
            plains = [None if item.body is None else item.body.salt + item.body.content for item in batch.items]
            entries = Entries(
                batch.first, [item.entry for item in batch.items], self._bodies.seal_all(batch.first, plains)
            )
            self._tree.insert(transaction, entries, batch.checkpoint.cose, batch.nodes)
            for entry in batch.entries:
                if entry.type == EntryType.BODY_ERASED.number:
                    for index in entry.refs:
                        self._bodies.erase(transaction, index)
            for period in batch.periods:
                LedgerKeys.add(transaction, self._number, period)
            for erasure in batch.erasures:
                self._erase_earlier(transaction, erasure)
            transaction.run(
                "INSERT INTO cosignature VALUES (?, ?, ?, ?, ?)",
                (self._number, size, batch.checkpoint.cose, cosignature, now_ms),
            )
        self._tree.remember(batch.frontier)

    def learn(self, keys: Signers) -> None:
        """Keeps the keys of this history, which somebody has verified, that are not known yet."""
        with self._database.transaction() as transaction:
            for period in keys.periods[len(self.keys.periods) :]:
                LedgerKeys.add(transaction, self._number, period)

    def _erase_earlier(self, transaction: Transaction, erasure: EarlierErasure) -> None:
        """In the mirror of the earlier ledger, if there is one: it may end before the ledger itself did."""
        try:
            earlier = LedgerStore.find(self._database, erasure.origin)
        except NoLedgerError:
            return
        size = earlier.head().size
        earlier.forget_bodies(transaction, [index for index in erasure.indices if index < size])

    def latest_confirmation(self) -> Confirmation | None:
        """What this side last cosigned: sent again when an acknowledgement may have been lost."""
        size = self.head().cosigned_size
        return None if size == 0 else self.confirmation(size - 1)
