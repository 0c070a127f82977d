"""When content is kept no longer."""

from datetime import UTC, datetime

import pytest

from appliance.ledger.entry import EntryType
from appliance.school.retention import Retention, Rule


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2031, 4, 1, 12, tzinfo=UTC), datetime(2026, 4, 1, 12, tzinfo=UTC)),
        (datetime(2032, 2, 29, tzinfo=UTC), datetime(2027, 2, 28, tzinfo=UTC)),
    ],
)
def test_years_count_by_the_calendar(now: datetime, expected: datetime) -> None:
    assert Retention({Rule.ACCESS_LOG: 5}).deadline(Rule.ACCESS_LOG, now) == expected


def test_a_rule_without_years_keeps_for_good() -> None:
    assert Retention({}).deadline(Rule.ACCESS_LOG, datetime(2099, 1, 1, tzinfo=UTC)) is None


def test_no_type_is_under_two_rules_and_what_the_ledger_lives_on_under_none() -> None:
    ruled = [one for rule in Rule for one in (*rule.types, *rule.referred)]
    assert len(ruled) == len(set(ruled))
    assert not set(ruled) & {
        EntryType.LEDGER_OPENED,
        EntryType.BOX_STARTED,
        EntryType.IDENTITY_INTRODUCED,
        EntryType.BODY_ERASED,
    }
