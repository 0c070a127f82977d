"""The hub's own certificate authority: it says who is who on the line, and nothing else.

Certificates are X.509 (RFC 5280) with P-256 keys. The common name of a client certificate is the name the broker's
access rules go by: a school code, or ``hub``.
"""

import ipaddress
from datetime import UTC, datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from appliance.errors import ConfigError, RefusedError

AUTHORITY_DAYS, SERVER_DAYS, CLIENT_DAYS = 3650, 397, 90
BACKDATED = timedelta(days=1)
"""A box's clock may be behind; a certificate that is valid only from now on would lock it out."""
SERVER, CLIENT = ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH


class AuthorityError(ConfigError):
    """The authority's certificate or key is missing, or they do not belong together."""

    code = "hub.authority"


class CertificateRequestError(RefusedError):
    """A certificate request that is none, is not signed by its own key, or has a key other than P-256."""

    code = "hub.certificate_request"


class Authority:
    """Issues certificates. ``certificate`` is its own."""

    def __init__(self, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        self.certificate, self._key = certificate, key

    @classmethod
    def make(cls, name: str, key_pem: bytes, now: datetime) -> "Authority":
        """A new, self-signed authority for this key."""
        key = _private(key_pem)
        subject = _name(f"Madoguchi {name}")
        builder = _builder(subject, subject, key.public_key(), AUTHORITY_DAYS, now)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        builder = builder.add_extension(_key_usage(issues=True), critical=True)
        return cls(builder.sign(key, hashes.SHA256()), key)

    @classmethod
    def load(cls, certificate_pem: bytes, key_pem: bytes) -> "Authority":
        """Raises ``AuthorityError``."""
        try:
            certificate = x509.load_pem_x509_certificate(certificate_pem)
        except ValueError as error:
            raise AuthorityError(reason="certificate") from error
        key = _private(key_pem)
        if certificate.public_key() != key.public_key():
            raise AuthorityError(reason="the key is not the certificate's")
        return cls(certificate, key)

    def issue_server(self, names: tuple[str, ...], key_pem: bytes, now: datetime) -> x509.Certificate:
        """For the broker, under every name or address by which it is called."""
        return self._issue(names[0], _private(key_pem).public_key(), SERVER, SERVER_DAYS, now, names)

    def issue_own_client(self, name: str, key_pem: bytes, now: datetime, days: int = SERVER_DAYS) -> x509.Certificate:
        """For the hub's own end of the line."""
        return self._issue(name, _private(key_pem).public_key(), CLIENT, days, now)

    def revocation_list(self, serials: list[tuple[int, int]], now: datetime, days: int) -> bytes:
        """In PEM: the ``serials`` that count no more, each with when that began (milliseconds since 1970)."""
        builder = x509.CertificateRevocationListBuilder().issuer_name(self.certificate.subject)
        builder = builder.last_update(now - BACKDATED).next_update(now + timedelta(days=days))
        number = x509.CRLNumber(int(now.timestamp() * 1000))
        builder = builder.add_extension(number, critical=False)
        own = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(own, critical=False)
        for serial, at_ms in serials:
            at = datetime.fromtimestamp(at_ms // 1000, UTC)
            one = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
            builder = builder.add_revoked_certificate(one)
        return builder.sign(self._key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def issue_client(self, name: str, request_pem: bytes, now: datetime, days: int = CLIENT_DAYS) -> x509.Certificate:
        """For a box, for so many days. Only the key is taken from the request, never a name.

        Raises ``CertificateRequestError``.
        """
        try:
            request = x509.load_pem_x509_csr(request_pem)
        except ValueError as error:
            raise CertificateRequestError(reason="not a request") from error
        key = request.public_key()
        if not request.is_signature_valid:
            raise CertificateRequestError(reason="signature")
        if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
            raise CertificateRequestError(reason="not a P-256 key")
        return self._issue(name, key, CLIENT, days, now)

    def _issue(
        self,
        common_name: str,
        key: ec.EllipticCurvePublicKey,
        usage: ObjectIdentifier,
        days: int,
        now: datetime,
        names: tuple[str, ...] = (),
    ) -> x509.Certificate:
        builder = _builder(_name(common_name), self.certificate.subject, key, days, now)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_key_usage(issues=False), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([usage]), critical=False)
        own = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(own, critical=False)
        if names:
            builder = builder.add_extension(x509.SubjectAlternativeName([_general(one) for one in names]), False)
        return builder.sign(self._key, hashes.SHA256())


def make_key() -> bytes:
    """A new P-256 private key in PEM."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)


def _private(key_pem: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        key = serialization.load_pem_private_key(key_pem, password=None)
    except (ValueError, TypeError) as error:
        raise AuthorityError(reason="no private key in PEM") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise AuthorityError(reason="not a P-256 key")
    return key


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, days: int, now: datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _key_usage(issues: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not issues,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=issues,
        crl_sign=issues,
        encipher_only=False,
        decipher_only=False,
    )


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
