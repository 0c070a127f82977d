"""Whether the evidence of an act is what the school's ledger, as it is mirrored here, says of it."""

from enum import Enum, unique

from appliance.ledger.entry import Body, EntryType, check_body
from appliance.ledger.evidence_file import Claim
from appliance.store.database import Database
from appliance.store.ledger import LedgerStore, NoLedgerError


@unique
class Mirrored(Enum):
    """``COMMITTED``: the entry names exactly this. ``OTHER``: it does not. ``ERASED``: what it named is erased here, so
    nothing can be said. ``ABSENT``: the mirror has no such entry, or there is no mirror of this ledger."""

    COMMITTED = "committed"
    OTHER = "other"
    ERASED = "erased"
    ABSENT = "absent"


def look_up(database: Database, claim: Claim) -> Mirrored:
    """Compares a claim with the entry at its place in the mirror.

    1. The mirror reaches to the entry.
    2. The entry is an act of a guardian, and its body is the one that it committed to.
    3. The body names the statement and the item of the act.
    4. The entry refers to one that introduced the item of the certificate.

    Raises ``CommitmentError`` for a body that is not that of its entry: the mirror is damaged then.
    """
    # 1.
    try:
        ledger = LedgerStore.find(database, claim.origin)
    except NoLedgerError:
        return Mirrored.ABSENT
    if claim.entry >= ledger.head().size:
        return Mirrored.ABSENT
    # 2.
    entry = ledger.entry(claim.entry)
    if entry.type != EntryType.GUARDIAN_AUTHENTICATED.number:
        return Mirrored.OTHER
    body = _body(ledger, claim.entry)
    if body is None:
        return Mirrored.ERASED
    # 3.
    content = body.read()
    if (content.get("statement"), content.get("evidence")) != (claim.statement, claim.act.digest):
        return Mirrored.OTHER
    # 4.
    introduced = [one for one in entry.refs if ledger.entry(one).type == EntryType.CARD_CERTIFICATE.number]
    if not introduced:
        return Mirrored.OTHER
    bodies = [_body(ledger, one) for one in introduced]
    if any(one is not None and one.read().get("evidence") == claim.certificate.digest for one in bodies):
        return Mirrored.COMMITTED
    return Mirrored.ERASED if None in bodies else Mirrored.OTHER


def _body(ledger: LedgerStore, index: int) -> Body | None:
    body = ledger.body(index)
    if body is not None:
        check_body(ledger.entry(index), body)
    return body
