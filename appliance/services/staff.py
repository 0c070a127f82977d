"""Staff accounts: adding the first one, signing in, and the session that follows."""

import hashlib
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from appliance.errors import BusyError, RefusedError, UnavailableError, UntrustedError
from appliance.ledger.entry import EntryType, IdentityKind
from appliance.services.opening import OpenBox
from appliance.store.appending import Draft
from appliance.store.faults import ConstraintError
from appliance.store.staff import StaffStore, StoredStaff

LEAST_PASSWORD = 12
FREE_FAILURES = 5
FIRST_LOCK_MS = 60_000
LONGEST_LOCK_MS = 3_600_000
IDLE_MS = 30 * 60_000
STEP_MS = 5 * 60_000
"""How far a clock may step back under a session; one that began later than this must have begun by a wrong clock."""
TOUCH_MS = 60_000
ABSOLUTE_MS = 12 * 3_600_000
TOKEN_BYTES = 32
STAFF_ID = re.compile(r"[a-z0-9][a-z0-9._-]{1,31}")
ADMINISTRATOR = "it"


class WrongPasswordError(RefusedError):
    """Account or password is wrong; which one is not said."""

    code = "staff.wrong_password"


class AccountLockedError(RefusedError):
    """Too many wrong passwords in a row; ``minutes`` until the next try counts."""

    code = "staff.account_locked"


class WeakPasswordError(RefusedError):
    code = "staff.weak_password"


class StaffIdError(RefusedError):
    """Not a usable account name, or one that exists already."""

    code = "staff.id"


class UnknownAccountError(RefusedError):
    """A password for an account that is not there; told at the box only, never to who signs in."""

    code = "staff.unknown_account"


class SignInNeededError(UntrustedError):
    """No session, or one that has ended."""

    code = "staff.sign_in_needed"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The person behind a request."""

    id: str
    name: str
    role: str


class StaffAccounts:
    """Accounts and sessions of one box; wrong passwords lock an account for a growing time, kept in the database."""

    def __init__(self, box: OpenBox, store: StaffStore) -> None:
        self._box, self._store = box, store
        self._hasher = PasswordHasher()  # argon2id with the library's RFC 9106 low-memory parameters
        # Checked when the account is unknown, so that the answer takes as long as for a known one.
        self._decoy = self._hasher.hash(secrets.token_hex(16))

    def add(self, staff_id: str, name: str, role: str, password: str) -> None:
        """Raises ``StaffIdError``, ``WeakPasswordError``."""
        check_account(staff_id, password)
        staff = StoredStaff(staff_id, name, role, self._hasher.hash(password), 0, 0)
        try:
            self._box.room.use(lambda: self._add(staff))
        except ConstraintError as error:
            raise StaffIdError(reason="taken") from error

    def _add(self, staff: StoredStaff) -> None:
        with self._box.append() as appending:
            self._store.add(appending.transaction, staff, self._box.clock.now_ms())
            number = appending.identity(IdentityKind.STAFF, self._box.pseudonym(f"staff:{staff.id}"))
            appending.add(Draft(EntryType.STAFF_ADDED, {"role": staff.role}, subject=number))

    def set_password(self, staff_id: str, password: str) -> None:
        """Puts another password in the place of one that is lost: ends all sessions of the account, and its lock.

        In one transaction, so that at any moment either the old one or the new one opens it. Raises
        ``UnknownAccountError``, ``WeakPasswordError``.
        """
        if len(password) < LEAST_PASSWORD:
            raise WeakPasswordError(least=LEAST_PASSWORD)
        self._box.room.use(lambda: self._set_password(staff_id, self._hasher.hash(password)))

    def _set_password(self, staff_id: str, hashed: str) -> None:
        with self._box.database.transaction() as transaction:
            if not self._store.set_password(transaction, staff_id, hashed):
                raise UnknownAccountError()

    def sign_in(self, staff_id: str, password: str) -> str:
        """The token of a new session; raises ``WrongPasswordError`` or ``AccountLockedError``."""
        now_ms, room = self._box.clock.now_ms(), self._box.room
        staff = room.use(lambda: self._begin_try(staff_id, now_ms))
        if not self._matches(self._decoy if staff is None else staff.password, password) or staff is None:
            raise WrongPasswordError()
        room.use(lambda: self._store.set_failures(staff_id, 0, 0))
        token = secrets.token_urlsafe(TOKEN_BYTES)
        room.use(lambda: self._open_session(token, staff, now_ms))
        return token

    def _open_session(self, token: str, staff: StoredStaff, now_ms: int) -> None:
        with self._box.append() as appending:
            known = self._store.find(staff.id, appending.transaction)
            if known is None or known.password != staff.password:
                raise WrongPasswordError()  # set anew while the old one was being checked
            self._store.close_sessions_before(appending.transaction, now_ms - IDLE_MS, now_ms - ABSOLUTE_MS)
            self._store.open_session(appending.transaction, _digest(token), staff.id, now_ms)
            number = appending.identity(IdentityKind.STAFF, self._box.pseudonym(f"staff:{staff.id}"))
            appending.add(Draft(EntryType.STAFF_SIGNED_IN, {"with": "password"}, actor=number, subject=number))

    def signed_in(self, token: str | None, *, active: bool = True) -> SignedIn:
        """Who holds this token; raises ``SignInNeededError`` when nobody does or the session has ended.

        ``active`` is False for what a page asks by itself: that must not keep a session alive.
        """
        found = self._store.session(_digest(token)) if token else None
        now_ms = self._box.clock.now_ms()
        if token is None or found is None:
            raise SignInNeededError()
        age_ms = now_ms - found.started_ms
        if now_ms - found.seen_ms > IDLE_MS or not -STEP_MS <= age_ms <= ABSOLUTE_MS:
            with suppress(UnavailableError, BusyError):  # it has ended all the same
                self._store.close_session(_digest(token), waiting=False)
            raise SignInNeededError()
        if active and (now_ms - found.seen_ms > TOUCH_MS or now_ms < found.seen_ms):
            with suppress(UnavailableError, BusyError):  # who looks at what is wrong must not be sent away for it
                self._store.touch_session(_digest(token), now_ms)
        return SignedIn(found.staff.id, found.staff.name, found.staff.role)

    def sign_out(self, token: str | None) -> None:
        if token:
            self._store.close_session(_digest(token))

    def _begin_try(self, staff_id: str, now_ms: int) -> StoredStaff | None:
        """Counts a try as failed before the password is looked at: many at once must not share one count."""
        with self._box.database.transaction() as transaction:
            staff = self._store.find(staff_id, transaction)
            if staff is not None:
                locked_ms = staff.locked_until_ms - now_ms
                # A lock longer than the longest was set by a clock that was ahead; it must not last for years.
                if 0 < locked_ms <= LONGEST_LOCK_MS:
                    raise AccountLockedError(minutes=-(-locked_ms // 60_000))
                failures = staff.failures + 1
                self._store.set_failures(staff_id, failures, now_ms + _lock_ms(failures), transaction)
        return staff

    def _matches(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerifyMismatchError, InvalidHashError):
            return False


def check_account(staff_id: str, password: str) -> None:
    """Whether an account may be called so and have this password; raises ``StaffIdError``, ``WeakPasswordError``."""
    if not STAFF_ID.fullmatch(staff_id):
        raise StaffIdError(reason="form")
    if len(password) < LEAST_PASSWORD:
        raise WeakPasswordError(least=LEAST_PASSWORD)


def _lock_ms(failures: int) -> int:
    """How long an account is locked after so many failures in a row: not at all at first, then twice as long each."""
    over = failures - FREE_FAILURES
    return 0 if over < 0 else min(FIRST_LOCK_MS << min(over, 10), LONGEST_LOCK_MS)


def _digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()


def new_password() -> str:
    """A password that can be read aloud and typed: four groups of four."""
    letters = "abcdefghijkmnpqrstuvwxyz23456789"
    return "-".join("".join(secrets.choice(letters) for _ in range(4)) for _ in range(4))
