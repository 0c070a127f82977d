from datetime import UTC, datetime, timedelta

import pytest

from appliance.trust.status import NOT_CHECKED, Revocation, RevokedError

NOON = datetime(2026, 4, 1, 12, tzinfo=UTC)


def test_not_knowing_is_said_and_refuses_nobody() -> None:
    NOT_CHECKED.check()
    assert str(NOT_CHECKED) == "not checked"
    assert NOT_CHECKED.age(NOON) is None


def test_knowledge_has_an_age() -> None:
    known = Revocation(as_of=NOON - timedelta(hours=30))
    known.check()
    assert str(known) == "as of 2026-03-31T06:00Z"
    assert known.age(NOON) == timedelta(hours=30)
    assert known.age(NOON - timedelta(days=9)) == timedelta()


def test_a_revoked_card_is_refused_with_the_date() -> None:
    with pytest.raises(RevokedError) as caught:
        Revocation(revoked=True, as_of=NOON).check()
    assert caught.value.fields == {"as_of": "as of 2026-04-01T12:00Z"}


def test_a_revocation_needs_a_date() -> None:
    with pytest.raises(ValueError, match="date"):
        Revocation(revoked=True)
