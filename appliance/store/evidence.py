"""Sealed evidence, kept until it has reached the hub's verifier."""

from appliance.ledger.evidence import SealedEvidence
from appliance.store.database import Database, Transaction


class EvidenceStore:
    """Items by their digest, and the message of each epoch that carries its key to the verifier."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, transaction: Transaction, item: SealedEvidence, epoch_key: bytes, now_ms: int) -> None:
        """``epoch_key`` is the HPKE message of the item's epoch; it is stored once."""
        transaction.run("INSERT OR IGNORE INTO evidence_epoch VALUES (?, ?, ?)", (item.epoch, epoch_key, now_ms))
        transaction.run("INSERT INTO evidence VALUES (?, ?, ?)", (item.digest, item.epoch, item.sealed))

    def find(self, digest: bytes) -> tuple[SealedEvidence, bytes] | None:
        """The item and the HPKE message of its epoch."""
        found = self._database.row(
            "SELECT digest, epoch, evidence.sealed, evidence_epoch.sealed FROM evidence"
            " JOIN evidence_epoch ON evidence_epoch.id = epoch WHERE digest = ?",
            (digest,),
        )
        return None if found is None else (SealedEvidence(*found[:3]), found[3])
