"""Accounts and sessions: who may in, for how long, and what a wrong password or a wrong clock does."""

import re
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from argon2 import PasswordHasher

from appliance.ledger.entry import EntryType, type_label
from appliance.services import staff as module
from appliance.services.opening import OpenBox
from appliance.services.staff import (
    ABSOLUTE_MS,
    FREE_FAILURES,
    IDLE_MS,
    LONGEST_LOCK_MS,
    STEP_MS,
    TOUCH_MS,
    AccountLockedError,
    SignedIn,
    SignInNeededError,
    StaffAccounts,
    StaffIdError,
    UnknownAccountError,
    WeakPasswordError,
    WrongPasswordError,
    new_password,
)
from appliance.store.database import BUSY_TIMEOUT_MS, Database, Transaction
from appliance.store.faults import StoreBusyError
from appliance.store.staff import StaffStore
from tests.sim.box import DATABASE_KEY
from tests.sim.clock import ManualClock

PASSWORD = "正しい馬電池ホチキス 42"
MINUTE_MS = 60_000
YEAR_MS = 365 * 86_400_000


@pytest.fixture(autouse=True)
def _cheap_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same argon2id with little memory, so that many tries fit a test."""
    monkeypatch.setattr(module, "PasswordHasher", lambda: PasswordHasher(1, 8, 1))


@pytest.fixture
def accounts(box: OpenBox) -> StaffAccounts:
    accounts = StaffAccounts(box, StaffStore(box.database))
    accounts.add("admin", "管理者", "it", PASSWORD)
    return accounts


def fail(accounts: StaffAccounts, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(WrongPasswordError):
            accounts.sign_in("admin", "wrong")


def locked_minutes(accounts: StaffAccounts) -> object:
    with pytest.raises(AccountLockedError) as locked:
        accounts.sign_in("admin", PASSWORD)
    return locked.value.fields["minutes"]


def test_signing_in_gives_a_token_that_says_who(accounts: StaffAccounts, box: OpenBox) -> None:
    before = box.ledger.head().size
    first, second = (accounts.sign_in("admin", PASSWORD) for _ in range(2))
    assert first != second
    assert len(first) >= 43
    assert accounts.signed_in(first) == accounts.signed_in(second) == SignedIn("admin", "管理者", "it")
    entries = [box.ledger.entry(index) for index in range(before, box.ledger.head().size)]
    assert [type_label(one.type) for one in entries] == ["staff.signed_in"] * 2


def test_neither_password_nor_token_is_kept(accounts: StaffAccounts, box: OpenBox) -> None:
    token = accounts.sign_in("admin", PASSWORD)
    (row,) = box.database.rows("SELECT * FROM staff")
    assert PASSWORD not in str(row)
    assert str(row[3]).startswith("$argon2id$")
    assert token not in str(box.database.rows("SELECT * FROM staff_session"))


@pytest.mark.parametrize("token", [None, "", "x", "A" * 43])
def test_a_token_of_nobody_needs_a_sign_in(accounts: StaffAccounts, token: str | None) -> None:
    with pytest.raises(SignInNeededError):
        accounts.signed_in(token)


def test_signing_out_ends_one_session_at_once(accounts: StaffAccounts) -> None:
    first, second = (accounts.sign_in("admin", PASSWORD) for _ in range(2))
    accounts.sign_out(first)
    accounts.sign_out(first)
    accounts.sign_out(None)
    with pytest.raises(SignInNeededError):
        accounts.signed_in(first)
    assert accounts.signed_in(second).id == "admin"


def test_which_of_account_and_password_is_wrong_is_not_said(accounts: StaffAccounts, box: OpenBox) -> None:
    before = box.ledger.head().size
    texts = set()
    for account, password in (("admin", "wrong"), ("nobody", PASSWORD), ("", ""), ("ADMIN", PASSWORD)):
        with pytest.raises(WrongPasswordError) as refused:
            accounts.sign_in(account, password)
        texts.add(str(refused.value))
    assert len(texts) == 1
    assert box.ledger.head().size == before


def test_lockouts_grow_and_end(accounts: StaffAccounts, clock: ManualClock) -> None:
    fail(accounts, FREE_FAILURES)
    seen = []
    for _ in range(9):
        minutes = locked_minutes(accounts)
        assert isinstance(minutes, int)
        seen.append(minutes)
        clock.advance(minutes * MINUTE_MS)
        fail(accounts)
    assert seen == [1, 2, 4, 8, 16, 32, 60, 60, 60]
    clock.advance(LONGEST_LOCK_MS)
    assert accounts.sign_in("admin", PASSWORD)
    fail(accounts, FREE_FAILURES - 1)  # a success begins the count anew
    assert accounts.sign_in("admin", PASSWORD)


def test_a_lock_holds_to_its_last_millisecond(accounts: StaffAccounts, clock: ManualClock) -> None:
    fail(accounts, FREE_FAILURES)
    clock.advance(MINUTE_MS - 1)
    assert locked_minutes(accounts) == 1
    clock.advance(1)
    assert accounts.sign_in("admin", PASSWORD)


def test_a_locked_account_is_not_asked_for_its_password(accounts: StaffAccounts, clock: ManualClock) -> None:
    fail(accounts, FREE_FAILURES)
    for _ in range(20):
        locked_minutes(accounts)
    clock.advance(MINUTE_MS)
    fail(accounts)
    assert locked_minutes(accounts) == 2  # tries at a locked account did not count


def test_a_lock_outlives_a_restart(accounts: StaffAccounts, box: OpenBox) -> None:
    fail(accounts, FREE_FAILURES)
    box.database.close()
    assert locked_minutes(StaffAccounts(box, StaffStore(box.database))) == 1


def test_a_lock_of_one_account_is_not_another_ones(accounts: StaffAccounts) -> None:
    accounts.add("teacher", "先生", "staff", PASSWORD)
    fail(accounts, FREE_FAILURES)
    assert accounts.sign_in("teacher", PASSWORD)


def test_tries_at_the_same_time_share_no_count(accounts: StaffAccounts, box: OpenBox) -> None:
    def attempt(_: int) -> str:
        try:
            accounts.sign_in("admin", "wrong")
        except (WrongPasswordError, AccountLockedError, StoreBusyError) as error:
            return error.code
        return "in"

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(attempt, range(24)))
    assert answers.count(WrongPasswordError.code) == FREE_FAILURES
    assert set(answers) == {WrongPasswordError.code, AccountLockedError.code}


def test_a_lock_set_by_a_clock_years_ahead_ends(accounts: StaffAccounts, clock: ManualClock) -> None:
    clock.ms += YEAR_MS
    fail(accounts, FREE_FAILURES)
    clock.ms -= YEAR_MS
    fail(accounts)
    assert locked_minutes(accounts) == 2  # the count was kept, the time is by the right clock


def test_a_session_ends_when_nobody_uses_it(accounts: StaffAccounts, clock: ManualClock) -> None:
    token = accounts.sign_in("admin", PASSWORD)
    clock.advance(IDLE_MS)
    assert accounts.signed_in(token).id == "admin"
    clock.advance(IDLE_MS)
    assert accounts.signed_in(token).id == "admin"
    clock.advance(IDLE_MS + 1)
    with pytest.raises(SignInNeededError):
        accounts.signed_in(token)
    clock.ms -= 2 * IDLE_MS
    with pytest.raises(SignInNeededError):
        accounts.signed_in(token)  # it does not come back with the clock


def test_what_a_page_asks_by_itself_keeps_nobody_in(accounts: StaffAccounts, clock: ManualClock) -> None:
    token = accounts.sign_in("admin", PASSWORD)
    for _ in range(3):
        clock.advance(IDLE_MS // 3)
        assert accounts.signed_in(token, active=False).id == "admin"
    clock.advance(1)
    with pytest.raises(SignInNeededError):
        accounts.signed_in(token, active=False)


def test_a_session_ends_after_a_day_of_work(accounts: StaffAccounts, clock: ManualClock) -> None:
    token = accounts.sign_in("admin", PASSWORD)
    for _ in range(ABSOLUTE_MS // IDLE_MS):
        clock.advance(IDLE_MS)
        assert accounts.signed_in(token).id == "admin"
    clock.advance(1)
    with pytest.raises(SignInNeededError):
        accounts.signed_in(token)


def test_a_request_writes_at_most_once_a_minute(accounts: StaffAccounts, box: OpenBox, clock: ManualClock) -> None:
    token = accounts.sign_in("admin", PASSWORD)

    def seen() -> object:
        return box.database.row("SELECT seen_ms FROM staff_session")

    begun = seen()
    clock.advance(TOUCH_MS)
    accounts.signed_in(token)
    assert seen() == begun
    clock.advance(1)
    accounts.signed_in(token)
    assert seen() == (clock.ms,)


def test_a_small_step_back_of_the_clock_keeps_a_session(accounts: StaffAccounts, clock: ManualClock) -> None:
    token = accounts.sign_in("admin", PASSWORD)
    clock.ms -= STEP_MS
    assert accounts.signed_in(token).id == "admin"
    clock.advance(IDLE_MS + 1)
    with pytest.raises(SignInNeededError):
        accounts.signed_in(token)


def test_a_session_begun_by_a_clock_years_ahead_ends(accounts: StaffAccounts, clock: ManualClock) -> None:
    clock.ms += YEAR_MS
    token = accounts.sign_in("admin", PASSWORD)
    clock.ms -= YEAR_MS
    with pytest.raises(SignInNeededError):
        accounts.signed_in(token)


def test_old_sessions_are_forgotten_at_the_next_sign_in(
    accounts: StaffAccounts, box: OpenBox, clock: ManualClock
) -> None:
    for _ in range(3):
        accounts.sign_in("admin", PASSWORD)
    clock.advance(IDLE_MS + 1)
    accounts.sign_in("admin", PASSWORD)
    assert box.database.row("SELECT count(*) FROM staff_session") == (1,)


def test_a_new_account_is_an_entry(accounts: StaffAccounts, box: OpenBox) -> None:
    size = box.ledger.head().size
    accounts.add("teacher.2", "先生", "staff", "p" * 12)
    entry = box.ledger.entry(box.ledger.head().size - 1)
    assert entry.type == EntryType.STAFF_ADDED.number
    assert entry.subject > 0
    assert box.ledger.head().size == size + 2  # with the introduction of the pseudonym


@pytest.mark.parametrize("staff_id", ["", "a", "A1", "-a", "a b", "ａｂ", "a" * 33, "a/b", "admin\n"])
def test_an_account_name_has_a_form(accounts: StaffAccounts, staff_id: str) -> None:
    with pytest.raises(StaffIdError) as refused:
        accounts.add(staff_id, "先生", "staff", PASSWORD)
    assert refused.value.fields == {"reason": "form"}


def test_an_account_that_exists_and_a_short_password_are_refused(accounts: StaffAccounts, box: OpenBox) -> None:
    size = box.ledger.head().size
    with pytest.raises(StaffIdError) as refused:
        accounts.add("admin", "別人", "staff", PASSWORD)
    assert refused.value.fields == {"reason": "taken"}
    with pytest.raises(WeakPasswordError) as weak:
        accounts.add("teacher", "先生", "staff", "p" * 11)
    assert weak.value.fields == {"least": 12}
    assert box.ledger.head().size == size
    assert accounts.sign_in("admin", PASSWORD)


def test_a_made_password_can_be_read_aloud() -> None:
    made = {new_password() for _ in range(50)}
    assert len(made) == 50
    assert all(re.fullmatch(r"([a-kmnp-z2-9]{4}-){3}[a-kmnp-z2-9]{4}", one) for one in made)


NEW = "another horse battery"


def test_another_password_takes_the_place_of_a_lost_one(accounts: StaffAccounts, box: OpenBox) -> None:
    accounts.add("teacher", "先生", "staff", PASSWORD)
    token, others = accounts.sign_in("admin", PASSWORD), accounts.sign_in("teacher", PASSWORD)
    fail(accounts, FREE_FAILURES)
    size = box.ledger.head().size
    accounts.set_password("admin", NEW)
    with pytest.raises(SignInNeededError):
        accounts.signed_in(token)
    assert accounts.signed_in(others).id == "teacher"
    assert accounts.signed_in(accounts.sign_in("admin", NEW)).id == "admin"  # no lock is left either
    fail(accounts)
    assert box.ledger.head().size == size + 1  # the sign-in; the change itself is no record
    assert NEW not in str(box.database.rows("SELECT * FROM staff"))


def test_a_password_of_nobody_or_a_short_one_changes_nothing(accounts: StaffAccounts) -> None:
    token = accounts.sign_in("admin", PASSWORD)
    with pytest.raises(UnknownAccountError) as unknown:
        accounts.set_password("山田", NEW)
    assert unknown.value.fields == {}
    with pytest.raises(WeakPasswordError):
        accounts.set_password("admin", "p" * 11)
    assert accounts.signed_in(token).id == "admin"
    assert accounts.sign_in("admin", PASSWORD)


def test_the_old_password_opens_nothing_that_it_was_being_checked_for(
    accounts: StaffAccounts, box: OpenBox, monkeypatch: pytest.MonkeyPatch
) -> None:
    matches = accounts._matches

    def meanwhile(stored: str, password: str) -> bool:
        found = matches(stored, password)
        accounts.set_password("admin", NEW)
        return found

    with monkeypatch.context() as slow:
        slow.setattr(accounts, "_matches", meanwhile)
        with pytest.raises(WrongPasswordError):
            accounts.sign_in("admin", PASSWORD)
    assert box.database.row("SELECT count(*) FROM staff_session") == (0,)
    assert accounts.sign_in("admin", NEW)


@pytest.mark.parametrize("statement", ["UPDATE staff", "DELETE FROM staff_session", "COMMIT"])
def test_a_change_that_is_cut_short_leaves_the_old_password(
    accounts: StaffAccounts, monkeypatch: pytest.MonkeyPatch, statement: str
) -> None:
    token, run = accounts.sign_in("admin", PASSWORD), Transaction.run

    class PulledError(Exception):
        """Where the power goes."""

    def pulled(self: Transaction, sql: str, *parameters: object) -> int:
        if sql.startswith(statement):
            raise PulledError
        changed = run(self, sql, *parameters)  # type: ignore[arg-type]
        if statement == "COMMIT" and sql.startswith("DELETE"):
            raise PulledError
        return changed

    with monkeypatch.context() as cut:
        cut.setattr(Transaction, "run", pulled)
        with pytest.raises(PulledError):
            accounts.set_password("admin", NEW)
    assert accounts.signed_in(token).id == "admin"
    assert accounts.sign_in("admin", PASSWORD)


def test_a_page_that_is_read_waits_for_no_writer(accounts: StaffAccounts, box: OpenBox, clock: ManualClock) -> None:
    """Who looks at what is wrong while the database is rewritten is not kept waiting, and not sent away."""
    token, ended = accounts.sign_in("admin", PASSWORD), accounts.sign_in("admin", PASSWORD)
    with Database.open(box.database.path, DATABASE_KEY) as other, other.transaction():
        began_s = time.monotonic()
        clock.advance(TOUCH_MS + 1)
        assert accounts.signed_in(token).id == "admin"
        clock.advance(IDLE_MS)
        with pytest.raises(SignInNeededError):
            accounts.signed_in(ended)
        assert time.monotonic() - began_s < BUSY_TIMEOUT_MS / 2000
    with pytest.raises(SignInNeededError):
        accounts.signed_in(ended)
    assert box.database.row("SELECT count(*) FROM staff_session") == (1,)
