"""Admitting a school: pinning its keys, opening its feed, and the answer that its box keeps."""

from datetime import UTC, datetime

from appliance.clock import Clock
from appliance.config import read_credential
from appliance.errors import RefusedError, UntrustedError
from appliance.ledger.entry import EntryType
from appliance.ledger.keys import SigningKey, VerifyingKey
from appliance.ledger.succession import follow
from appliance.programs.hub.authority import Authority, AuthorityError, pem
from appliance.programs.hub.registry import AdmittedSchool, Registry
from appliance.programs.hub.revocation import Revocations
from appliance.programs.hub.settings import (
    AUTHORITY_FILE,
    AUTHORITY_KEY,
    BACKUP_FILE,
    EVIDENCE_FILE,
    HUB_KEY,
    HubSettings,
)
from appliance.store.appending import Draft
from appliance.store.database import Database
from appliance.store.ledger import NoLedgerError, OwnLedger
from appliance.store.mirror import MirrorLedger
from appliance.sync.enrolment import EnrolmentBundle, EnrolmentRequest

FEED_GENERATION = 1


class AdmittedBeforeError(RefusedError):
    """The school is known with another ledger or another device key: a person has to look at it."""

    code = "hub.admitted_before"


class NoNewGenerationError(RefusedError):
    """A new generation was to be admitted, and the request is not for one that follows the known ledger."""

    code = "hub.no_new_generation"


def admit(
    settings: HubSettings,
    database: Database,
    clock: Clock,
    request: EnrolmentRequest,
    *,
    new_generation: bool = False,
) -> EnrolmentBundle:
    """Admits the school, or renews the certificate of one that asks again with the same keys, or with a device key
    that followed from the known one.

    With ``new_generation`` a later generation of the school's ledger, with whatever key, takes the place of the known
    one, of which the mirror stays: a person knows that the box was restored.

    Raises ``NoNewGenerationError``, ``AdmittedBeforeError``, ``CertificateRequestError`` or a ``ConfigError``.
    """
    folder = settings.hub.state_dir
    try:
        authority_pem, evidence_key = (folder / AUTHORITY_FILE).read_bytes(), (folder / EVIDENCE_FILE).read_bytes()
    except OSError as error:
        raise AuthorityError(reason="the hub is not founded") from error
    authority = Authority.load(authority_pem, read_credential(AUTHORITY_KEY))
    hub_key = SigningKey.from_pem(read_credential(HUB_KEY))
    now_ms = clock.now_ms()
    now = datetime.fromtimestamp(now_ms // 1000, UTC)
    days = settings.boxes.certificate_days
    certificate = authority.issue_client(request.school, request.certificate_request.encode(), now, days)
    feed_origin = f"madoguchi/1/{request.school}/feed/{FEED_GENERATION}"
    school = AdmittedSchool(request.school, request.name, request.origin, feed_origin)
    _pin(database, request, new_generation)
    feed = _feed(database, feed_origin, hub_key, clock)
    until_ms = int(certificate.not_valid_after_utc.timestamp() * 1000)
    with database.transaction() as transaction:
        Registry(database).add(transaction, school, now_ms, until_ms)
        Revocations(database).issued(transaction, school.code, certificate.serial_number, until_ms)
    _open_feed(feed, school, settings.hub.name, clock)
    return EnrolmentBundle(
        school=request.school,
        host=settings.boxes.host,
        port=settings.boxes.port,
        authority=authority_pem.decode(),
        certificate=pem(certificate).decode(),
        hub_name=settings.hub.name,
        hub_key=hub_key.public.pem().decode(),
        evidence_key=evidence_key,
        feed_origin=feed_origin,
        feed_key=hub_key.public.pem().decode(),
        backup_key=(folder / BACKUP_FILE).read_bytes() if (folder / BACKUP_FILE).exists() else None,
    )


def _pin(database: Database, request: EnrolmentRequest, new_generation: bool) -> None:
    device_key = VerifyingKey.from_pem(request.device_key.encode())
    known = database.row("SELECT box_origin FROM school WHERE code = ?", (request.school,))
    if new_generation and (known is None or _generation(request.origin) <= _generation(known[0])):
        raise NoNewGenerationError(
            school=request.school, known=None if known is None else str(known[0]), asked=request.origin
        )
    if known is not None and known[0] != request.origin and not new_generation:
        raise AdmittedBeforeError(school=request.school, reason="another ledger")
    try:
        mirror = MirrorLedger.find(database, request.origin)
    except NoLedgerError:
        MirrorLedger.add(database, request.origin, request.signers())
        return
    try:
        keys = follow(mirror.keys, request.successions, request.origin)
    except UntrustedError as error:
        raise AdmittedBeforeError(school=request.school, reason="another device key") from error
    if keys.newest.key != device_key:
        raise AdmittedBeforeError(school=request.school, reason="another device key")
    mirror.learn(keys)


def _generation(origin: str) -> int:
    return int(origin.rpartition("/")[2])


def _feed(database: Database, origin: str, hub_key: SigningKey, clock: Clock) -> OwnLedger:
    try:
        feed = OwnLedger.find(database, origin)
    except NoLedgerError:
        feed = OwnLedger.add(database, origin, hub_key.public)
    return feed.attach(hub_key, clock)


def _open_feed(feed: OwnLedger, school: AdmittedSchool, hub_name: str, clock: Clock) -> None:
    if feed.head().size:
        return  # asked again: the feed goes on
    opened = {"origin": feed.origin, "school": school.code, "boot_id": clock.boot_id, "key_id": feed.public_key.key_id}
    with feed.append() as appending:
        appending.add(Draft(EntryType.LEDGER_OPENED, opened))
        appending.add(Draft(EntryType.SETTINGS_PUBLISHED, {"hub": hub_name, "school": school.code}))
