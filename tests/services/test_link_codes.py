"""Codes that staff print: for guardians of the current roster, one at a time, each in the ledger."""

from datetime import date

import pytest

from appliance.ledger.entry import EntryType, type_label
from appliance.school.link_code import digest, expiry_ms, parse_link_code
from appliance.services.ledger_clock import WrongClockError
from appliance.services.link_codes import LinkCodes, NotAGuardianError
from appliance.services.opening import OpenBox
from appliance.store.cards import CardStore
from appliance.store.people import PeopleStore
from tests.services.conftest import STAFF
from tests.sim.clock import ManualClock


def test_a_printed_code_is_kept_as_a_digest_only(
    link_codes: LinkCodes, box: OpenBox, cards: CardStore, clock: ManualClock
) -> None:
    printed = link_codes.issue("mother", STAFF)
    assert printed.guardian.id == "mother"
    assert printed.expires_ms == expiry_ms(clock.ms)
    assert parse_link_code(printed.code.shown) == printed.code
    assert printed.code.digits not in repr(printed)
    stored = cards.code(digest(printed.code, box.school_key))
    assert stored is not None
    assert (stored.guardian, stored.issued_ms, stored.expires_ms) == ("mother", clock.ms, printed.expires_ms)
    rows = box.database.rows("SELECT * FROM link_code")
    assert printed.code.digits not in str(rows)
    assert rows[0][4] == STAFF


def test_every_code_is_an_entry_with_who_issued_it(link_codes: LinkCodes, box: OpenBox) -> None:
    before = box.ledger.head().size
    for guardian in ("mother", "mother", "father"):
        link_codes.issue(guardian, STAFF)
    entries = [box.ledger.entry(index) for index in range(before, box.ledger.head().size)]
    issued = [one for one in entries if one.type == EntryType.LINK_CODE_ISSUED.number]
    assert len(issued) == 3
    assert len({one.actor for one in issued}) == 1
    assert issued[0].subject == issued[1].subject != issued[2].subject
    introduced = [type_label(one.type) for one in entries if one not in issued]
    assert introduced == ["identity.introduced"] * 3


@pytest.mark.parametrize("person", ["hana", "teacher", "nobody", ""])
def test_only_guardians_get_codes(link_codes: LinkCodes, box: OpenBox, person: str) -> None:
    before = box.ledger.head().size
    with pytest.raises(NotAGuardianError):
        link_codes.issue(person, STAFF)
    assert box.ledger.head().size == before
    assert box.database.rows("SELECT * FROM link_code") == []


def test_who_left_the_roster_gets_no_code(link_codes: LinkCodes, people: PeopleStore, box: OpenBox) -> None:
    with box.database.transaction() as transaction:
        transaction.run("UPDATE person SET present = 0 WHERE id = 'father'")
    assert "father" not in {one.id for one in people.guardians_of("hana", date(2026, 9, 1))}
    with pytest.raises(NotAGuardianError):
        link_codes.issue("father", STAFF)
    link_codes.issue("mother", STAFF)


@pytest.mark.parametrize("wrong_ms", [0, 18_000_000, 4_070_908_800_000])
def test_no_code_is_dated_by_a_clock_that_cannot_be_right(
    link_codes: LinkCodes, box: OpenBox, clock: ManualClock, wrong_ms: int
) -> None:
    before, right_ms = box.ledger.head().size, clock.ms
    clock.ms = wrong_ms
    with pytest.raises(WrongClockError):
        link_codes.issue("mother", STAFF)
    assert box.ledger.head().size == before
    assert box.database.rows("SELECT * FROM link_code") == []
    clock.ms = right_ms
    assert link_codes.issue("mother", STAFF).expires_ms == expiry_ms(right_ms)
