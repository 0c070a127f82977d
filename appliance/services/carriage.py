"""Where a record of an earlier generation of the ledger is now: what was not confirmed there was carried on."""

from appliance.services.generations import generations, opening_of
from appliance.services.opening import OpenBox
from appliance.store.ledger import Confirmation, LedgerStore


class Carriage:
    """Made anew for each look: it knows the generations of the moment in which it was made."""

    def __init__(self, box: OpenBox) -> None:
        self._next: dict[str, tuple[LedgerStore, int]] = {}
        for generation in generations(box.database)[1:]:
            ledger = LedgerStore.find(box.database, generation.origin)
            opening = opening_of(ledger)
            if opening is not None:
                self._next[opening.previous.origin] = ledger, opening.first

    def places(self, ledger: LedgerStore, index: int) -> list[tuple[LedgerStore, int]]:
        """The entry itself, and those that carry it in later generations, the latest last."""
        found = [(ledger, index)]
        while (following := self._next.get(ledger.origin)) is not None and index >= following[1]:
            ledger, index = following[0], index - following[1] + 1  # right after the first entry, in their order
            found.append((ledger, index))
        return found

    def confirmation(self, ledger: LedgerStore, index: int) -> Confirmation | None:
        """The hub's confirmation of the record: of the entry itself, or of one that carries it."""
        each = (place.confirmation(at) for place, at in self.places(ledger, index))
        return next((one for one in each if one is not None), None)
