"""What later ledgers of the box say was erased in an earlier one: every word of it is proven before it counts."""

from collections.abc import Iterator
from dataclasses import dataclass

from appliance.ledger.entry import Body, EntryType, check_body
from appliance.ledger.erasure import EarlierErasure, erasure_of
from appliance.ledger.receipt import open_receipt
from appliance.services.generations import generations
from appliance.store.database import Database
from appliance.store.ledger import LedgerStore


@dataclass(frozen=True)
class ToldErasure:
    """``receipt`` proves that the entry which says so is in the ledger ``origin``, and ``body`` is that entry's."""

    origin: str
    receipt: bytes
    body: Body
    erasure: EarlierErasure


def later_erasures(database: Database, origin: str) -> Iterator[ToldErasure]:
    """All erasures in the ledger ``origin`` of which a later ledger of this box tells.

    Each entry is under a head that the box signed, and its body is the one that it committed to; raises an
    ``UntrustedError`` for one that is not.
    """
    ledgers = [LedgerStore.find(database, one.origin) for one in generations(database)]
    first = next((at for at, one in enumerate(ledgers, 1) if one.origin == origin), len(ledgers))
    for ledger in ledgers[first:]:
        for index, entry in ledger.of_type(EntryType.EARLIER_BODY_ERASED):
            body = ledger.body(index)
            if body is None:
                continue
            check_body(entry, body)
            erasure = erasure_of(entry, body, ledger.origin)
            if erasure is None or erasure.origin != origin:
                continue
            receipt = ledger.receipt(index)
            open_receipt(receipt, ledger.origin, ledger.keys, None)
            yield ToldErasure(ledger.origin, receipt, body, erasure)
