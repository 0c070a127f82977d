"""Cards and codes: a card stands for one guardian, a code works once."""

import pytest

from appliance.store.cards import CardStore, StoredCode
from appliance.store.database import Database
from appliance.store.faults import ConstraintError

HOUR_MS = 3_600_000
NOW_MS = 1_795_000_000_000
CARD, OTHER_CARD = b"c" * 16, b"d" * 16


@pytest.fixture
def cards(database: Database) -> CardStore:
    with database.transaction() as transaction:
        transaction.run_many(
            "INSERT INTO person VALUES (?, 'guardian', '見本 母', '', '', NULL, 0, 1)", [("mother",), ("father",)]
        )
    return CardStore(database)


def code(digest: bytes, guardian: str = "mother", issued_ms: int = NOW_MS) -> StoredCode:
    return StoredCode(digest, guardian, issued_ms, issued_ms + HOUR_MS, None, None)


def link(cards: CardStore, database: Database, pseudonym: bytes, guardian: str) -> None:
    with database.transaction() as transaction:
        cards.link(transaction, pseudonym, guardian, 3, NOW_MS)


def add(cards: CardStore, database: Database, *codes: StoredCode) -> None:
    for one in codes:
        with database.transaction() as transaction:
            cards.add_code(transaction, one, "admin")


def use(cards: CardStore, database: Database, digest: bytes) -> bool:
    with database.transaction() as transaction:
        return cards.use_code(transaction, digest, NOW_MS + 5)


def test_a_card_stands_for_one_guardian(cards: CardStore, database: Database) -> None:
    assert cards.guardian_of(CARD) is None
    assert not cards.is_linked("mother")
    link(cards, database, CARD, "mother")
    assert cards.guardian_of(CARD) == "mother"
    assert cards.is_linked("mother")
    link(cards, database, CARD, "father")
    assert cards.guardian_of(CARD) == "father"
    assert not cards.is_linked("mother")


def test_a_guardian_may_have_two_cards(cards: CardStore, database: Database) -> None:
    link(cards, database, CARD, "mother")
    link(cards, database, OTHER_CARD, "mother")
    assert (cards.guardian_of(CARD), cards.guardian_of(OTHER_CARD)) == ("mother", "mother")


def test_a_card_of_nobody_is_not_kept(cards: CardStore, database: Database) -> None:
    with pytest.raises(ConstraintError):
        link(cards, database, CARD, "stranger")
    assert cards.guardian_of(CARD) is None


def test_a_link_that_ended_counts_no_more(cards: CardStore, database: Database) -> None:
    link(cards, database, CARD, "mother")
    with database.transaction() as transaction:
        transaction.run("UPDATE card_link SET ended_ms = ?", (NOW_MS,))
    assert cards.guardian_of(CARD) is None
    assert not cards.is_linked("mother")


def test_a_code_is_used_once(cards: CardStore, database: Database) -> None:
    add(cards, database, code(b"1" * 32))
    assert cards.open_code("mother", NOW_MS) == cards.code(b"1" * 32) == code(b"1" * 32)
    assert use(cards, database, b"1" * 32)
    assert not use(cards, database, b"1" * 32)
    used = cards.code(b"1" * 32)
    assert used is not None
    assert used.used_ms == NOW_MS + 5
    assert cards.open_code("mother", NOW_MS) is None
    assert not use(cards, database, b"?" * 32)
    assert cards.code(b"?" * 32) is None


def test_a_new_code_withdraws_the_old_one_of_the_same_guardian(cards: CardStore, database: Database) -> None:
    add(cards, database, code(b"1" * 32), code(b"2" * 32, "father"), code(b"3" * 32, issued_ms=NOW_MS + 1))
    old = cards.code(b"1" * 32)
    assert old is not None
    assert old.withdrawn_ms == NOW_MS + 1
    assert not use(cards, database, b"1" * 32)
    open_code = cards.open_code("mother", NOW_MS + 1)
    assert open_code is not None
    assert open_code.digest == b"3" * 32
    assert cards.open_code("father", NOW_MS) is not None


def test_a_code_that_ended_is_left_as_it_is(cards: CardStore, database: Database) -> None:
    add(cards, database, code(b"1" * 32), code(b"2" * 32, issued_ms=NOW_MS + HOUR_MS))
    old = cards.code(b"1" * 32)
    assert old is not None
    assert old.withdrawn_ms is None


def test_a_code_ends_at_its_millisecond(cards: CardStore, database: Database) -> None:
    add(cards, database, code(b"1" * 32))
    assert cards.open_code("mother", NOW_MS + HOUR_MS - 1) is not None
    assert cards.open_code("mother", NOW_MS + HOUR_MS) is None


def test_a_code_is_for_somebody_of_the_roster_and_unique(cards: CardStore, database: Database) -> None:
    add(cards, database, code(b"1" * 32))
    for wrong in (code(b"2" * 32, "stranger"), code(b"1" * 32, "father")):
        with pytest.raises(ConstraintError):
            add(cards, database, wrong)


def test_attempts_are_counted_around_now(cards: CardStore) -> None:
    for at_ms in (NOW_MS - HOUR_MS, NOW_MS - HOUR_MS + 1, NOW_MS):
        cards.note_attempt(at_ms)
    assert cards.attempts_within(HOUR_MS, NOW_MS) == 2
    assert cards.attempts_within(24 * HOUR_MS, NOW_MS) == 3


def test_attempts_outlive_a_restart(cards: CardStore, database: Database) -> None:
    cards.note_attempt(NOW_MS)
    database.close()
    assert CardStore(database).attempts_within(HOUR_MS, NOW_MS) == 1


def test_a_clock_that_was_years_ahead_locks_nobody_out(cards: CardStore) -> None:
    cards.note_attempt(NOW_MS + 365 * 24 * HOUR_MS)
    cards.note_attempt(NOW_MS + 1_000)  # a correction of seconds forgets nothing
    assert cards.attempts_within(HOUR_MS, NOW_MS) == 1


def test_old_attempts_are_not_kept_for_ever(cards: CardStore, database: Database) -> None:
    for day in range(5):
        cards.note_attempt(NOW_MS + day * 24 * HOUR_MS)
    assert database.row("SELECT count(*) FROM code_attempt") == (2,)
