"""How long the content of records is kept, and by which rule it goes; the records themselves stay for good."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, unique

from appliance.ledger.entry import EntryType


@unique
class Rule(Enum):
    """Name of the rule as the ledger gives it, the types of entries that it is about, and those that go with the last
    entry that refers to them."""

    ACCESS_LOG = (
        "access_log",
        frozenset(
            {
                EntryType.GUARDIAN_LINKED,
                EntryType.GUARDIAN_AUTHENTICATED,
                EntryType.LINK_CODE_ISSUED,
                EntryType.STAFF_SIGNED_IN,
            }
        ),
        frozenset({EntryType.CARD_CERTIFICATE}),
    )

    def __init__(self, label: str, types: frozenset[EntryType], referred: frozenset[EntryType]) -> None:
        self.label, self.types, self.referred = label, types, referred


@dataclass(frozen=True)
class Retention:
    """``years`` is how long each rule keeps; a rule without years keeps for good."""

    years: Mapping[Rule, int]

    def deadline(self, rule: Rule, now: datetime) -> datetime | None:
        """What was recorded before this is to be erased at ``now``; None if the rule keeps for good.

        Years count by the calendar; the 29th of February counts as the 28th where there is none.
        """
        years = self.years.get(rule)
        if years is None:
            return None
        day = 28 if (now.month, now.day) == (2, 29) else now.day
        return now.replace(year=now.year - years, day=day)
