"""From the bytes that a card gave to a certificate that other code may rely on."""

import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.types import CertificatePublicKeyTypes
from cryptography.x509.oid import ExtensionOID

from appliance.errors import UntrustedError
from appliance.trust.anchors import Anchor, named
from appliance.trust.holder import Holder, holder_of
from appliance.trust.policy import Candidate, Policy, UntrustedIssuerError, WrongUseError

PSEUDONYM_BYTES: Final = 16
LEAST_SCHOOL_KEY_BYTES: Final = 32
MOST_SERIAL_BYTES: Final = 20  # RFC 5280 section 4.1.2.2
UNDERSTOOD: Final = frozenset(
    {
        ExtensionOID.KEY_USAGE,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.EXTENDED_KEY_USAGE,
    }
)


class MalformedCertificateError(UntrustedError):
    """The bytes are no certificate that RFC 5280 allows."""

    code = "card.untrusted_malformed"


class ExpiredCertificateError(UntrustedError):
    code = "card.untrusted_expired"


class NotYetValidError(UntrustedError):
    """Its time has not come, or the clock of the box is behind."""

    code = "card.untrusted_not_yet_valid"


@dataclass(frozen=True)
class CardCertificate:
    """What both certificates of a card have in common.

    ``issuer_key_id`` is the SHA-256 of the issuer's SubjectPublicKeyInfo. The serial number stays inside: by law it
    serves the check of revocation alone.
    """

    issuer_key_id: bytes
    public_key: CertificatePublicKeyTypes = field(repr=False)
    not_after: datetime
    is_test: bool
    _serial: bytes = field(repr=False)


@dataclass(frozen=True)
class SignatureCertificate(CardCertificate):
    """A certificate that passed ``verify_signer``, and only such a one: nothing else makes this type."""

    holder: Holder


@dataclass(frozen=True)
class AuthenticationCertificate(CardCertificate):
    """A certificate that passed ``verify``, and only such a one: nothing else makes this type."""

    def pseudonym(self, school_key: bytes) -> bytes:
        """The card as this school knows it, 16 bytes; another school's key gives an unrelated one.

        HMAC-SHA-256 over ``issuer_key_id`` and the content octets of the serial number's DER INTEGER, cut to its first
        half. Raises ``ValueError`` for a key under 32 bytes.
        """
        if len(school_key) < LEAST_SCHOOL_KEY_BYTES:
            raise ValueError(f"a school key has at least {LEAST_SCHOOL_KEY_BYTES} bytes")
        return hmac.digest(school_key, self.issuer_key_id + self._serial, hashlib.sha256)[:PSEUDONYM_BYTES]


def verify(der: bytes, anchors: Sequence[Anchor], now: datetime, policy: Policy) -> AuthenticationCertificate:
    """Decides on the certificate of a card. ``now`` is aware of its time zone.

    1. It is one certificate in DER with a positive serial number of at most 20 octets and no unknown critical
       extension, else ``MalformedCertificateError``.
    2. The key of an anchor with exactly its issuer's name signed it, else ``UntrustedIssuerError``: for another
       generation's or a stranger's key as for a certificate that was changed.
    3. ``now`` lies in its period of validity, ends included, else ``NotYetValidError`` or ``ExpiredCertificateError``.
    4. It is not the certificate of a CA, else ``WrongUseError``.
    5. ``policy`` holds.

    Not checked here: revocation (``status``), and whether the card holds the private key (``signature``).
    """
    certificate, anchor = _believed(der, anchors, now, policy)
    return AuthenticationCertificate(
        issuer_key_id=anchor.key_id,
        public_key=certificate.public_key(),
        not_after=certificate.not_valid_after_utc,
        is_test=anchor.is_test,
        _serial=_serial_octets(certificate),
    )


def verify_signer(der: bytes, anchors: Sequence[Anchor], now: datetime, policy: Policy) -> SignatureCertificate:
    """Decides on the certificate of a card's signature key, by the same list as ``verify`` and one more line:

    6. It says who its holder is, else ``HolderError``.
    """
    certificate, anchor = _believed(der, anchors, now, policy)
    return SignatureCertificate(
        issuer_key_id=anchor.key_id,
        public_key=certificate.public_key(),
        not_after=certificate.not_valid_after_utc,
        is_test=anchor.is_test,
        _serial=_serial_octets(certificate),
        holder=holder_of(certificate),  # 6
    )


def _believed(der: bytes, anchors: Sequence[Anchor], now: datetime, policy: Policy) -> tuple[x509.Certificate, Anchor]:
    certificate = _parsed(der)  # 1
    anchor = _issuing(certificate, anchors)  # 2
    if now < certificate.not_valid_before_utc:  # 3
        raise NotYetValidError(since=_day(certificate.not_valid_before_utc))
    if now > certificate.not_valid_after_utc:
        raise ExpiredCertificateError(since=_day(certificate.not_valid_after_utc))
    if _is_ca(certificate):  # 4
        raise WrongUseError(reason="certificate of a CA")
    policy.check(Candidate(certificate, anchor))  # 5
    return certificate, anchor


def _parsed(der: bytes) -> x509.Certificate:
    try:
        certificate = x509.load_der_x509_certificate(der)
        extensions = list(certificate.extensions)
        _ = certificate.public_key(), certificate.subject, certificate.issuer, certificate.not_valid_after_utc
        number = certificate.serial_number
    except Exception as error:  # noqa: BLE001 - the parser raises many kinds for bytes that are no certificate
        # Without the cause: its text may quote the certificate.
        raise MalformedCertificateError(reason=type(error).__name__) from None
    if not der.endswith(b"\0" + certificate.signature):
        # A BIT STRING may say that its last bits do not count: the same certificate in other bytes.
        raise MalformedCertificateError(reason="bits of the signature")
    unknown = next((one.oid for one in extensions if one.critical and one.oid not in UNDERSTOOD), None)
    if unknown is not None:
        raise MalformedCertificateError(reason="critical extension", oid=unknown.dotted_string)
    if number <= 0 or len(_serial_octets(certificate)) > MOST_SERIAL_BYTES:
        raise MalformedCertificateError(reason="serial number")
    return certificate


def _issuing(certificate: x509.Certificate, anchors: Sequence[Anchor]) -> Anchor:
    for anchor in named(anchors, certificate.issuer):
        try:
            certificate.verify_directly_issued_by(anchor.certificate)
        except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
            continue  # another generation of the same name, with another key or kind of key
        return anchor
    raise UntrustedIssuerError(reason="no pinned key signed it")


def _is_ca(certificate: x509.Certificate) -> bool:
    try:
        return certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    except x509.ExtensionNotFound:
        return False


def _serial_octets(certificate: x509.Certificate) -> bytes:
    """The content octets of the DER INTEGER (X.690 section 8.3): a leading zero where the first bit would be set."""
    number = certificate.serial_number
    return number.to_bytes(number.bit_length() // 8 + 1, "big", signed=True)


def _day(when: datetime) -> str:
    return when.astimezone(UTC).date().isoformat()
