"""The issuing keys that the box believes, pinned by key: all generations of the card's root share one name."""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from appliance.errors import ConfigError

TEST_ORGANISATION: Final = "JPKI-TEST"
PEM_MARK: Final = b"-----BEGIN"


class AnchorFileError(ConfigError):
    """A file of anchors holds no certificate, or something else."""

    code = "trust.anchor_file"


@dataclass(frozen=True)
class Anchor:
    """One root. ``key_id`` is the SHA-256 of its SubjectPublicKeyInfo (32 bytes).

    Its own period of validity is not a criterion (RFC 5280 section 6.1.1 d: an anchor is a name and a key); whoever
    provides the anchors takes one away when its time is over.
    """

    certificate: x509.Certificate
    key_id: bytes

    @property
    def is_test(self) -> bool:
        """Whether it belongs to the look-alike hierarchy for trying things out."""
        names = self.certificate.subject.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)
        return any(one.value == TEST_ORGANISATION for one in names)


def parse_anchors(data: bytes) -> tuple[Anchor, ...]:
    """The anchors in a file's content: any number of certificates in PEM, or one in DER.

    Raises ``AnchorFileError``.
    """
    try:
        if PEM_MARK in data:
            certificates = x509.load_pem_x509_certificates(data)
        else:
            certificates = [x509.load_der_x509_certificate(data)]
        return tuple(_anchor(one) for one in certificates)
    except Exception as error:
        raise AnchorFileError(reason=type(error).__name__) from error


def _anchor(certificate: x509.Certificate) -> Anchor:
    _ = certificate.subject  # parsed when it is asked for: one that cannot be read is to be known now
    return Anchor(certificate, key_id_of(certificate))


def key_id_of(certificate: x509.Certificate) -> bytes:
    """SHA-256 of the SubjectPublicKeyInfo in DER."""
    key = certificate.public_key()
    return hashlib.sha256(key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).digest()


def named(anchors: Iterable[Anchor], name: x509.Name) -> list[Anchor]:
    """The anchors with this subject."""
    return [one for one in anchors if one.certificate.subject == name]
