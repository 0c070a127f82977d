"""How a box comes to belong to a hub: the request it writes, and the answer it keeps."""

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appliance.errors import ConfigError, UntrustedError
from appliance.ledger.keys import VerifyingKey
from appliance.ledger.succession import chain_of
from appliance.services.opening import OpenBox
from appliance.store.database import Database
from appliance.store.ledger import NoLedgerError
from appliance.store.mirror import MirrorLedger
from appliance.sync.enrolment import EnrolmentBundle, EnrolmentRequest


class LineKeyError(ConfigError):
    """The credential ``line.key`` is no P-256 key in PEM."""

    code = "enrolment.line_key"


class ForeignBundleError(UntrustedError):
    """An answer that is not for this box, or does not fit together; ``reason`` says how."""

    code = "enrolment.foreign"


class EnrolmentStore:
    """The answer of the hub, as the box keeps it."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def find(self) -> EnrolmentBundle | None:
        found = self._database.row("SELECT bundle FROM enrolment")
        return None if found is None else EnrolmentBundle.from_json(found[0].encode())

    def write(self, bundle: EnrolmentBundle, now_ms: int) -> None:
        with self._database.transaction() as transaction:
            transaction.run("INSERT OR REPLACE INTO enrolment VALUES (1, ?, ?)", (bundle.to_json().decode(), now_ms))


def make_request(box: OpenBox, line_key_pem: bytes) -> EnrolmentRequest:
    """What the box asks the hub with; raises ``LineKeyError``."""
    key = _line_key(line_key_pem)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, box.school.code)])
    keys = box.ledger.keys
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return EnrolmentRequest(
        school=box.school.code,
        name=box.school.name,
        origin=box.school.origin,
        device_key=keys.newest.key.pem().decode(),
        certificate_request=request.public_bytes(serialization.Encoding.PEM).decode(),
        first_key=keys.first.pem().decode() if keys.newest.succession else "",
        successions=tuple(chain_of(keys)),
    )


def accept_bundle(box: OpenBox, line_key_pem: bytes, bundle: EnrolmentBundle) -> None:
    """Keeps the hub's answer and pins its keys, if

    1. it is for this school,
    2. the certificate is of the box's own line key and issued by the authority in it,
    3. the feed is one that is not known yet, or known with the same key.

    Raises ``ForeignBundleError`` or ``LineKeyError``; nothing is changed then.
    """
    if bundle.school != box.school.code:
        raise ForeignBundleError(reason="school")
    _check_certificate(bundle, _line_key(line_key_pem).public_key())
    feed_key = VerifyingKey.from_pem(bundle.feed_key.encode())
    try:
        known = MirrorLedger.find(box.database, bundle.feed_origin).public_key
    except NoLedgerError:
        MirrorLedger.add(box.database, bundle.feed_origin, feed_key)
    else:
        if known != feed_key:
            raise ForeignBundleError(reason="feed key")
    EnrolmentStore(box.database).write(bundle, box.clock.now_ms())


def _check_certificate(bundle: EnrolmentBundle, own: ec.EllipticCurvePublicKey) -> None:
    try:
        certificate = x509.load_pem_x509_certificate(bundle.certificate.encode())
        authority = x509.load_pem_x509_certificate(bundle.authority.encode())
        certificate.verify_directly_issued_by(authority)
    except InvalidSignature as error:
        raise ForeignBundleError(reason="authority") from error
    except (ValueError, TypeError) as error:
        raise ForeignBundleError(reason="certificate") from error
    if certificate.public_key() != own:
        raise ForeignBundleError(reason="line key")


def _line_key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise LineKeyError() from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise LineKeyError()
    return key
