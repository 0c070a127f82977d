"""Accounts, lockouts and sessions outlive a restart."""

from dataclasses import replace

import pytest

from appliance.store.database import Database
from appliance.store.faults import ConstraintError
from appliance.store.staff import StaffStore, StoredSession, StoredStaff

ADMIN = StoredStaff("admin", "管理者", "it", "$argon2id$", 0, 0)
TOKEN, OTHER = b"t" * 32, b"u" * 32


@pytest.fixture
def staff(database: Database) -> StaffStore:
    store = StaffStore(database)
    with database.transaction() as transaction:
        store.add(transaction, ADMIN, 1)
    return store


def open_session(staff: StaffStore, database: Database, digest: bytes, now_ms: int) -> None:
    with database.transaction() as transaction:
        staff.open_session(transaction, digest, "admin", now_ms)


def test_an_account_is_found_by_its_id(staff: StaffStore, database: Database) -> None:
    assert staff.find("admin") == ADMIN
    assert staff.find("Admin") is None
    assert staff.count() == 1
    with pytest.raises(ConstraintError), database.transaction() as transaction:
        staff.add(transaction, ADMIN, 2)


def test_failures_are_kept_across_a_restart(staff: StaffStore, database: Database) -> None:
    staff.set_failures("admin", 5, 99)
    database.close()
    found = StaffStore(database).find("admin")
    assert found is not None
    assert (found.failures, found.locked_until_ms) == (5, 99)


def test_a_session_begins_is_seen_and_ends(staff: StaffStore, database: Database) -> None:
    open_session(staff, database, TOKEN, 10)
    assert staff.session(TOKEN) == StoredSession(ADMIN, 10, 10)
    staff.touch_session(TOKEN, 20)
    assert staff.session(TOKEN) == StoredSession(ADMIN, 10, 20)
    assert staff.session(OTHER) is None
    staff.close_session(TOKEN)
    assert staff.session(TOKEN) is None


def test_sessions_that_ended_by_time_are_forgotten(staff: StaffStore, database: Database) -> None:
    for digest, now_ms in ((TOKEN, 10), (OTHER, 20)):
        open_session(staff, database, digest, now_ms)
    staff.touch_session(TOKEN, 30)
    with database.transaction() as transaction:
        staff.close_sessions_before(transaction, seen_ms=15, started_ms=0)
    assert staff.session(TOKEN) is not None
    assert staff.session(OTHER) is not None
    with database.transaction() as transaction:
        staff.close_sessions_before(transaction, seen_ms=25, started_ms=0)
    assert staff.session(OTHER) is None
    with database.transaction() as transaction:
        staff.close_sessions_before(transaction, seen_ms=0, started_ms=11)
    assert staff.session(TOKEN) is None


def test_another_password_ends_the_lock_and_the_sessions_of_one_account(staff: StaffStore, database: Database) -> None:
    other = StoredStaff("teacher", "先生", "staff", "$argon2id$2", 0, 0)
    with database.transaction() as transaction:
        staff.add(transaction, other, 1)
        staff.open_session(transaction, OTHER, "teacher", 1)
    open_session(staff, database, TOKEN, 10)
    staff.set_failures("admin", 9, 99)
    with database.transaction() as transaction:
        assert staff.set_password(transaction, "admin", "$new$")
        assert not staff.set_password(transaction, "nobody", "$new$")
    assert staff.all() == [replace(ADMIN, password="$new$"), other]
    assert staff.session(TOKEN) is None
    assert staff.session(OTHER) == StoredSession(other, 1, 1)
