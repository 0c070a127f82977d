"""When the certificate of the line is to be renewed, and what a box takes for its new one."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime

from cryptography import x509
from cryptography.x509.oid import NameOID

from appliance.services.enrolment import ForeignBundleError, accept_bundle, make_request
from appliance.services.opening import OpenBox
from appliance.sync.enrolment import EnrolmentBundle


@dataclass(frozen=True, slots=True)
class Term:
    """When the certificate of the line is to be renewed and when it ends, in milliseconds since 1970."""

    due_ms: int
    until_ms: int


def term_of(bundle: EnrolmentBundle) -> Term | None:
    """Due at two thirds of the certificate's life; None if there is no certificate to be read."""
    try:
        certificate = x509.load_pem_x509_certificate(bundle.certificate.encode())
    except ValueError:
        return None
    begin, end = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    due = begin + (end - begin) * 2 / 3
    return Term(int(due.timestamp() * 1000), int(end.timestamp() * 1000))


def renewal_request(box: OpenBox, line_key_pem: bytes) -> bytes:
    """A certificate request in PEM; raises ``LineKeyError``."""
    return make_request(box, line_key_pem).certificate_request.encode()


def accept_certificate(box: OpenBox, line_key_pem: bytes, bundle: EnrolmentBundle, pem: bytes) -> None:
    """Keeps the new certificate in the enrolment; nothing else of the enrolment can change this way.

    1. It is named for this school and valid now, and longer than the one before.
    2. It is of the box's own line key and issued by the authority that is pinned (``accept_bundle``).

    Raises ``ForeignBundleError`` or ``LineKeyError``; nothing is changed then.
    """
    try:
        new = x509.load_pem_x509_certificate(pem)
        old = x509.load_pem_x509_certificate(bundle.certificate.encode())
        text = pem.decode("ascii")
    except ValueError as error:
        raise ForeignBundleError(reason="certificate") from error
    names = [one.value for one in new.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    now = datetime.fromtimestamp(box.clock.now_ms() / 1000, UTC)
    valid = new.not_valid_before_utc <= now < new.not_valid_after_utc
    if names != [box.school.code] or not valid or new.not_valid_after_utc <= old.not_valid_after_utc:
        raise ForeignBundleError(reason="certificate")
    accept_bundle(box, line_key_pem, replace(bundle, certificate=text))
