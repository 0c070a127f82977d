"""Shutting a box out: the hub takes nothing more from it at once, and the broker learns of it by a list.

The list is a certificate revocation list (RFC 5280, section 5). One past its own date would lock out every school, so
it holds for ``LIST_DAYS`` and is made anew every day.
"""

import argparse
import json
import os
import threading
import time
from datetime import UTC, datetime

from appliance.clock import Clock, SystemClock
from appliance.config import CredentialSource, read_credential
from appliance.errors import MadoguchiError
from appliance.log import EventLog
from appliance.programs.hub.authority import Authority, make_key, pem
from appliance.programs.hub.files import read_file
from appliance.programs.hub.registry import UnknownSchoolError
from appliance.programs.hub.settings import (
    AUTHORITY_FILE,
    AUTHORITY_KEY,
    DATABASE_KEY,
    DATABASE_NAME,
    FAMILIES,
    REVOKED_FILE,
    HubSettings,
    load_hub_settings,
)
from appliance.store.database import Database, Transaction
from appliance.store.files import write_file
from appliance.store.migrate import migrate
from appliance.sync.mqtt import Address, LineUp, MqttLine
from appliance.sync.tls import line_tls

LIST_DAYS = 30
RENEWED_S = 24 * 3600.0
PUBLIC = 0o666  # less what the umask takes
AGAIN_S, PATIENCE_S = 5.0, 5.0


class Revocations:
    """Reading and writing what was issued and what counts no more."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def issued(self, transaction: Transaction, school: str, serial: int, until_ms: int) -> None:
        """Notes a certificate. A school that is admitted again is not shut out any more; its old ones stay revoked."""
        self._note(transaction, school, serial, until_ms)
        transaction.run("DELETE FROM revoked_school WHERE school = ?", (school,))

    def renewed(self, transaction: Transaction, school: str, serial: int, until_ms: int) -> bool:
        """Notes a certificate that nobody looked at, unless the school is shut out; whether it did."""
        if transaction.row("SELECT 1 FROM revoked_school WHERE school = ?", (school,)) is not None:
            return False
        self._note(transaction, school, serial, until_ms)
        transaction.run("UPDATE school SET certificate_until_ms = ? WHERE code = ?", (until_ms, school))
        return True

    def _note(self, transaction: Transaction, school: str, serial: int, until_ms: int) -> None:
        sql = "INSERT INTO issued_certificate (serial, school, until_ms) VALUES (?, ?, ?)"
        transaction.run(sql, (f"{serial:x}", school, until_ms))

    def revoke(self, school: str, reason: str, now_ms: int) -> int:
        """Shuts the school's box out; how many certificates count no more. Raises ``UnknownSchoolError``."""
        with self._database.transaction() as transaction:
            if transaction.row("SELECT 1 FROM school WHERE code = ?", (school,)) is None:
                raise UnknownSchoolError(school=school)
            transaction.run(
                "INSERT INTO revoked_school VALUES (?, ?, ?) ON CONFLICT (school) DO NOTHING", (school, now_ms, reason)
            )
            sql = "UPDATE issued_certificate SET revoked_ms = ? WHERE school = ? AND revoked_ms IS NULL"
            return transaction.run(sql, (now_ms, school))

    def schools(self) -> frozenset[str]:
        """The codes of those that are shut out."""
        return frozenset(str(code) for (code,) in self._database.rows("SELECT school FROM revoked_school"))

    def serials(self, now_ms: int) -> list[tuple[int, int]]:
        """Each revoked certificate that has not expired: its serial, and when it was revoked (ms)."""
        sql = "SELECT serial, revoked_ms FROM issued_certificate WHERE revoked_ms IS NOT NULL AND until_ms > ?"
        return [(int(serial, 16), int(at_ms)) for serial, at_ms in self._database.rows(sql, (now_ms,))]


def write_list(settings: HubSettings, database: Database, clock: Clock) -> None:
    """Makes the list for the broker anew; raises a ``ConfigError``."""
    folder, now_ms = settings.hub.state_dir, clock.now_ms()
    authority = Authority.load(read_file(folder / AUTHORITY_FILE), read_credential(AUTHORITY_KEY))
    serials = Revocations(database).serials(now_ms)
    moment = datetime.fromtimestamp(now_ms // 1000, UTC)
    write_file(folder / REVOKED_FILE, authority.revocation_list(serials, moment, LIST_DAYS), PUBLIC)


class CutOff:
    """Ends the sessions of boxes that are shut out, and keeps the broker's list young. Never waits for anything."""

    def __init__(self, settings: HubSettings, database: Database, clock: Clock, log: EventLog) -> None:
        self._settings, self._database, self._clock, self._log = settings, database, clock, log
        self._told: dict[str, float] = {}
        self._listed_s = -RENEWED_S

    def keep(self) -> None:
        """Makes the list anew when a day has passed; called again and again."""
        if time.monotonic() - self._listed_s < RENEWED_S:
            return
        self._listed_s = time.monotonic()
        try:
            write_list(self._settings, self._database, self._clock)
        except (MadoguchiError, OSError) as error:
            self._listed_s += AGAIN_S - RENEWED_S
            self._log.error("hub.revocation_list", code=getattr(error, "code", type(error).__name__))

    def __call__(self, school: str) -> None:
        """The broker gives a name one session: whoever takes it over ends the one before. Each ``AGAIN_S`` at most."""
        now_s = time.monotonic()
        if now_s - self._told.get(school, -AGAIN_S) < AGAIN_S:
            return
        self._told[school] = now_s
        threading.Thread(target=self._take_over, args=(school,), name="cut-off", daemon=True).start()

    def _take_over(self, school: str) -> None:
        try:
            line = self._line(school)
        except MadoguchiError as error:
            self._log.error("hub.cut_off_fault", school=school, code=error.code)
            return
        line.start()
        end, taken = time.monotonic() + PATIENCE_S, False
        while not taken and time.monotonic() < end:
            taken = not line.events.empty() and isinstance(line.events.get(), LineUp)
            time.sleep(0.02)
        line.stop()
        self._log.warning("hub.cut_off", school=school, done=taken)

    def _line(self, school: str) -> MqttLine:
        authority_pem = read_file(self._settings.hub.state_dir / AUTHORITY_FILE)
        authority = Authority.load(authority_pem, read_credential(AUTHORITY_KEY))
        key, now = make_key(), datetime.fromtimestamp(self._clock.now_ms() // 1000, UTC)
        certificate = authority.issue_own_client(school, key, now, days=1)
        file = os.memfd_create("cut-off", os.MFD_CLOEXEC)
        try:
            os.write(file, key)
            tls = line_tls(authority_pem, pem(certificate), f"/proc/self/fd/{file}")
        finally:
            os.close(file)
        address = Address(self._settings.broker.host, self._settings.broker.port)
        return MqttLine(address, tls, client_id=school, subscriptions=())


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds ``revoke``."""
    revoke = commands.add_parser("revoke", help="shut the box of a school out: its certificates count no more")
    revoke.add_argument("school", metavar="SCHOOLCODE")
    revoke.add_argument("--reason", required=True, metavar="TEXT", help="kept here for the prefecture")
    revoke.add_argument("--json", action="store_true")
    revoke.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings, clock = load_hub_settings(), SystemClock()
    with Database.open(settings.hub.state_dir / DATABASE_NAME, CredentialSource(DATABASE_KEY)) as database:
        migrate(database, FAMILIES)
        count = Revocations(database).revoke(arguments.school, arguments.reason, clock.now_ms())
        write_list(settings, database, clock)
    words = (
        f"The box of {arguments.school} is shut out; {count} certificate(s) were put on the list"
        f" {settings.hub.state_dir / REVOKED_FILE}.\nTo let a box of this school in again: appliance hub token"
        f" {arguments.school}"
    )
    told = {"school": arguments.school, "certificates": count, "list": str(settings.hub.state_dir / REVOKED_FILE)}
    print(json.dumps(told) if arguments.json else words)  # noqa: T201 - a command's answer
    return 0
