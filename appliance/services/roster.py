"""Taking over the school's people from a OneRoster file."""

from datetime import UTC, datetime

from appliance.ledger.entry import EntryType
from appliance.school.roster import read_roster
from appliance.services.opening import OpenBox
from appliance.store.appending import Draft
from appliance.store.cards import CardStore
from appliance.store.people import PeopleStore


class ImportRoster:
    """Reads a file, checks all of it, and replaces the current roster in one transaction."""

    def __init__(self, box: OpenBox, people: PeopleStore, cards: CardStore) -> None:
        self._box, self._people, self._cards = box, people, cards

    def run(self, file: bytes) -> dict[str, int]:
        """Counts of what is now there, by kind; raises ``roster.*`` and changes nothing when a rule is broken.

        Who left can no longer visit: their cards stand for nobody and their unused link codes end.
        """
        roster = read_roster(file)
        now_ms = self._box.clock.now_ms()
        today = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone().date()
        counts = {"classes": sum(one.homeroom for one in roster.classes)}
        for person in roster.people:
            counts[person.kind.value] = counts.get(person.kind.value, 0) + 1
        self._box.room.require()
        with self._box.append() as appending:
            self._people.replace(appending.transaction, roster, file, today, now_ms)
            self._cards.withdraw_codes_of_absent(appending.transaction, now_ms)
            appending.add(Draft(EntryType.ROSTER_IMPORTED, {"counts": counts}))
        return counts
