"""Erasing bodies of an earlier ledger, which is closed: the ledger that is written says so, in one transaction."""

from collections.abc import Sequence

from appliance.ledger.entry import EntryType
from appliance.ledger.erasure import MOST_INDICES, EarlierErasure
from appliance.store.appending import Appending, Draft
from appliance.store.ledger import LedgerStore


def erase_earlier(appending: Appending, earlier: LedgerStore, indices: Sequence[int], rule: str) -> list[int]:
    """Erases the bodies of these entries of ``earlier`` for the legal reason that ``rule`` names.

    Returns those that had one, in order. Raises ``NoEntryError``.
    """
    erased = earlier.forget_bodies(appending.transaction, sorted(set(indices)))
    tell_erased(appending, earlier.origin, erased, rule)
    return erased


def tell_erased(appending: Appending, origin: str, indices: Sequence[int], rule: str) -> None:
    """Writes that the bodies of these entries of an earlier ledger are gone, and why; ``indices`` in rising order."""
    for at in range(0, len(indices), MOST_INDICES):
        erasure = EarlierErasure(origin, tuple(indices[at : at + MOST_INDICES]), rule)
        appending.add(Draft(EntryType.EARLIER_BODY_ERASED, erasure.content()))
