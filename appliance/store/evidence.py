"""Sealed evidence, kept until it has reached the hub's verifier, and which certificates it holds already."""

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.ledger.evidence import SealedEvidence
from appliance.store.database import Database, Transaction
from appliance.store.schema import GENERATION_NOW


@dataclass(frozen=True, slots=True)
class StoredEvidence:
    """``message`` is that of the item's epoch."""

    item: SealedEvidence
    message: bytes


class EvidenceStore:
    """Items by their digest and by the entry that they belong to; the message of each epoch once."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, transaction: Transaction, entry: int, evidence: StoredEvidence, now_ms: int) -> None:
        """``entry`` is the index of the entry whose body names the item."""
        item = evidence.item
        transaction.run("INSERT OR IGNORE INTO evidence_epoch VALUES (?, ?, ?)", (item.epoch, evidence.message, now_ms))
        row = (item.digest, item.epoch, item.sealed, entry)
        columns = "digest, epoch, sealed, entry, generation"
        transaction.run(f"INSERT INTO evidence ({columns}) VALUES (?, ?, ?, ?, {GENERATION_NOW})", row)  # noqa: S608

    def find(self, digest: bytes) -> StoredEvidence | None:
        found = self._database.row(
            "SELECT digest, epoch, evidence.sealed, evidence_epoch.sealed FROM evidence"
            " JOIN evidence_epoch ON evidence_epoch.id = epoch WHERE digest = ?",
            (digest,),
        )
        return None if found is None else StoredEvidence(SealedEvidence(*found[:3]), found[3])

    def add_certificate(self, transaction: Transaction, known: bytes, entry: int) -> None:
        """``known`` is a keyed digest, ``entry`` introduced the certificate."""
        transaction.run("INSERT INTO card_certificate VALUES (?, ?)", (known, entry))

    def certificate(self, transaction: Transaction, known: bytes) -> int | None:
        """The entry that introduced the certificate of this keyed digest."""
        found = transaction.row("SELECT entry FROM card_certificate WHERE known = ?", (known,))
        return None if found is None else int(found[0])

    def delete(self, transaction: Transaction, entry: int) -> int:
        """Deletes the items of an entry, and with those of ``card.certificate`` that the certificate is known: the
        next visit introduces it anew. How many items there were."""
        transaction.run("DELETE FROM card_certificate WHERE entry = ?", (entry,))
        where = f"generation = {GENERATION_NOW} AND entry = ?"
        return transaction.run(f"DELETE FROM evidence WHERE {where}", (entry,))  # noqa: S608

    @staticmethod
    def delete_earlier(transaction: Transaction, generation: int, entries: Iterable[int]) -> None:
        """Deletes the items of entries of one generation of the ledger."""
        rows = [(generation, entry) for entry in entries]
        transaction.run_many("DELETE FROM evidence WHERE generation = ? AND entry = ?", rows)

    @staticmethod
    def forget_certificates(transaction: Transaction) -> None:
        """No certificate counts as introduced any more: in a new generation no entry has done so yet."""
        transaction.run("DELETE FROM card_certificate")
