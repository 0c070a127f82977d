"""What staff see of the day's visits."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, unique

from appliance.services.carriage import Carriage
from appliance.services.generations import find_generation
from appliance.services.opening import OpenBox
from appliance.store.ledger import LedgerStore
from appliance.store.people import ListedPerson, PeopleStore
from appliance.store.visits import VisitStore


@unique
class Delivery(Enum):
    """How far a record has come: in the box's ledger, sent and not yet confirmed, confirmed by the hub; or kept in a
    generation of the ledger that ended before it was confirmed, and neither sent nor carried on."""

    RECORDED = "recorded"
    PENDING = "pending"
    RECEIVED = "received"
    KEPT = "kept"


@dataclass(frozen=True)
class ListedVisit:
    """``pupils`` are the children whom the guardian stands for today; ``received_ms`` when the receipt came.

    ``generation`` is that of an earlier ledger in which ``entry`` is, None for the one that is written now.
    """

    entry: int
    at: datetime
    guardian: ListedPerson | None
    pupils: list[ListedPerson]
    delivery: Delivery
    received_ms: int | None
    generation: int | None = None


@dataclass(frozen=True)
class Totals:
    """``recorded = receipted + pending`` always holds, counted in entries of the ledger."""

    recorded: int
    receipted: int

    @property
    def pending(self) -> int:
        return self.recorded - self.receipted


class Visits:
    """The list of a day, and how much of the ledger the hub has confirmed."""

    def __init__(self, box: OpenBox, visits: VisitStore, people: PeopleStore) -> None:
        self._box, self._visits, self._people = box, visits, people

    def on(self, day: datetime, sent_size: int) -> list[ListedVisit]:
        """The visits of a local day, the latest first. ``day`` is its midnight, aware of its time zone; ``sent_size``
        how many entries have been sent since the line was last up."""
        with self._box.database.snapshot():  # a new generation may begin meanwhile
            return self._on(day, sent_size)

    def _on(self, day: datetime, sent_size: int) -> list[ListedVisit]:
        end = day + timedelta(days=1)
        listed = []
        ledgers: dict[int | None, LedgerStore] = {}
        current, carriage = self._box.ledger, Carriage(self._box)
        for visit in self._visits.between(int(day.timestamp() * 1000), int(end.timestamp() * 1000)):
            at = datetime.fromtimestamp(visit.at_ms / 1000, day.tzinfo)
            if visit.generation not in ledgers:
                ledgers[visit.generation] = find_generation(self._box, visit.generation)
            ledger = ledgers[visit.generation]
            confirmed = carriage.confirmation(ledger, visit.entry)
            place, index = carriage.places(ledger, visit.entry)[-1]
            if confirmed is not None:
                delivery = Delivery.RECEIVED
            elif place.origin != current.origin:
                delivery = Delivery.KEPT
            else:
                delivery = Delivery.PENDING if index < sent_size else Delivery.RECORDED
            listed.append(
                ListedVisit(
                    visit.entry,
                    at,
                    self._people.person(visit.guardian),
                    self._people.pupils_of(visit.guardian, at.date()),
                    delivery,
                    None if confirmed is None else confirmed.stored_ms,
                    visit.generation,
                )
            )
        return listed

    def totals(self) -> Totals:
        head = self._box.ledger.head()
        return Totals(head.size, head.cosigned_size)
