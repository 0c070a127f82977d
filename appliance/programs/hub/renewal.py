"""A new certificate for a box that asks over its line before the old one ends."""

from datetime import UTC, datetime

from appliance.clock import Clock
from appliance.config import read_credential
from appliance.errors import BusyError, MadoguchiError, RefusedError
from appliance.programs.hub.authority import Authority, pem
from appliance.programs.hub.files import read_file
from appliance.programs.hub.revocation import Revocations
from appliance.programs.hub.settings import AUTHORITY_FILE, AUTHORITY_KEY, HubSettings
from appliance.store.database import Database
from appliance.sync.renewal import RenewalAnswer, RenewalRequest

LEAST_MS = 60_000


class RevokedError(RefusedError):
    """The school is shut out; only a person lets it in again."""

    code = "hub.revoked"


class RenewedTooOftenError(BusyError):
    """A box that asks for one certificate after the other."""

    code = "hub.renewed_too_often"


class Renewals:
    """Answers requests of boxes that the broker has let in under their schools' names."""

    def __init__(self, settings: HubSettings, database: Database, clock: Clock) -> None:
        self._settings, self._database, self._clock = settings, database, clock
        self._renewed_ms: dict[str, int] = {}

    def __call__(self, school: str, request: RenewalRequest) -> RenewalAnswer:
        """Never raises: what goes wrong is the answer."""
        try:
            return RenewalAnswer(self._renew(school, request.certificate_request))
        except MadoguchiError as error:
            return RenewalAnswer(b"", error.code)

    def _renew(self, school: str, request: bytes) -> bytes:
        uptime_ms, now_ms = self._clock.monotonic_ms(), self._clock.now_ms()
        if school in self._renewed_ms and uptime_ms - self._renewed_ms[school] < LEAST_MS:
            raise RenewedTooOftenError()
        authority_pem = read_file(self._settings.hub.state_dir / AUTHORITY_FILE)
        authority = Authority.load(authority_pem, read_credential(AUTHORITY_KEY))
        now, days = datetime.fromtimestamp(now_ms // 1000, UTC), self._settings.boxes.certificate_days
        certificate = authority.issue_client(school, request, now, days)
        until_ms = int(certificate.not_valid_after_utc.timestamp() * 1000)
        with self._database.transaction() as transaction:
            if not Revocations(self._database).renewed(transaction, school, certificate.serial_number, until_ms):
                raise RevokedError()
        self._renewed_ms[school] = uptime_ms
        return pem(certificate)
