"""A look-alike of the certificate hierarchy behind My Number cards, made when it is needed.

It says the same things as the real one in the same places, under ``O=JPKI-TEST``. Several root generations share one
issuer name per use, as the real ones do, so that nothing can be chained by name alone. No key is ever committed.
"""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum, unique
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey

ORGANISATION = "JPKI-TEST"
AGENCY = "Japan Agency for Local Authority Information Systems"
PERSON_ARC = "1.2.392.200149.8.5.5"
PADDING_OID = x509.ObjectIdentifier("2.999.1")  # 2.999 is the arc that ITU-T keeps free for examples
LATEST = 3
# Certificate files of real cards were seen at about this size; the comparisons with other programs use it.
REFERENCE_DER_BYTES = 1453


@unique
class Use(StrEnum):
    """The two certificates on a card; ``unit`` stands in the issuer's name, ``policy`` in the certificate."""

    AUTHENTICATION = "authentication"
    SIGNATURE = "signature"

    @property
    def unit(self) -> str:
        return {"authentication": "JPKI for user authentication", "signature": "JPKI for digital signature"}[self]

    @property
    def unit_in_japanese(self) -> str:
        return {"authentication": "模擬認証サービス利用者証明用", "signature": "模擬認証サービス署名用"}[self]

    @property
    def policy(self) -> str:
        return {"authentication": "1.2.392.200149.8.5.1.3.30", "signature": "1.2.392.200149.8.5.1.1.20"}[self]


@unique
class KeyType(StrEnum):
    RSA_2048 = "rsa-2048"
    P_384 = "p-384"


# The cards of today belong to generations 2 and 3; 4 stands for the coming one with ECDSA.
GENERATIONS: Mapping[int, KeyType] = {2: KeyType.RSA_2048, 3: KeyType.RSA_2048, 4: KeyType.P_384}


@dataclass(frozen=True)
class Person:
    """What a signature certificate says of its holder. ``birth`` is an era digit and YYYYMMDD."""

    name: str = "窓口 花子"
    sex: str = "2"
    birth: str = "419850401"
    address: str = "見本県例示市架空町一丁目2番3号"
    name_substitutes: str = "0" * 5
    address_substitutes: str = "0" * 15


@dataclass(frozen=True)
class Issued:
    """A key and the certificate that speaks of it; ``der`` is what lies in the card's file."""

    key: PrivateKey
    certificate: x509.Certificate

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(serialization.Encoding.DER)

    def save(self, folder: Path, name: str) -> None:
        pem, plain = serialization.Encoding.PEM, serialization.NoEncryption()
        secret = folder / f"{name}.key"
        secret.touch(mode=0o600)
        secret.write_bytes(self.key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain))
        (folder / f"{name}.crt").write_bytes(self.certificate.public_bytes(pem))

    @classmethod
    def load(cls, folder: Path, name: str) -> "Issued":
        key = serialization.load_pem_private_key((folder / f"{name}.key").read_bytes(), None)
        if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise TypeError(f"{name}.key in {folder} is neither RSA nor EC")
        return cls(key, x509.load_pem_x509_certificate((folder / f"{name}.crt").read_bytes()))


@dataclass(frozen=True)
class Wish:
    """What a leaf shall say where it differs from a good one; ``None`` leaves the good value.

    ``der_length`` is the length in bytes that the whole certificate shall have, reached by padding.
    """

    common_name: str | None = None
    not_before: datetime | None = None
    not_after: datetime | None = None
    policy: str | None = None
    key_usage: x509.KeyUsage | None = None
    person: Person = field(default_factory=Person)
    der_length: int | None = None
    serial: int | None = None


def make_key(kind: KeyType = KeyType.RSA_2048) -> PrivateKey:
    if kind is KeyType.P_384:
        return ec.generate_private_key(ec.SECP384R1())
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def opaque_id() -> str:
    """20 characters without meaning, such as stand in the subject of an authentication certificate."""
    return "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(20))


def key_usage(*said: str) -> x509.KeyUsage:
    """The extension with the named bits set, e.g. ``key_usage("digital_signature")``."""
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
             "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip
    if unknown := set(said) - set(names):
        raise ValueError(f"no such key usage: {', '.join(sorted(unknown))}")
    return x509.KeyUsage(**{name: name in said for name in names})


def issuer_name(use: Use) -> x509.Name:
    return _name(ORGANISATION, use.unit, AGENCY)


def issue_root(use: Use, kind: KeyType = KeyType.RSA_2048) -> Issued:
    """A self-signed root; every generation of one use carries the same name."""
    key, now, name = make_key(kind), datetime.now(UTC), issuer_name(use)
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(random_serial())
        .not_valid_before(now - timedelta(days=365))
        .not_valid_after(now + timedelta(days=3650))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(key_usage("key_cert_sign", "crl_sign"), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    return Issued(key, builder.sign(key, _hash_for(key)))


def issue_leaf(root: Issued, use: Use, key: PrivateKey, wish: Wish | None = None) -> Issued:
    """A card's certificate, good unless ``wish`` says otherwise.

    Raises ``ValueError`` if the wanted length is shorter than the certificate is without padding.
    """
    wish = wish or Wish()
    builder = _leaf_builder(root, use, key, wish)
    certificate = builder.sign(root.key, _hash_for(root.key))
    if wish.der_length is not None:
        certificate = _padded(builder, root.key, wish.der_length, len(Issued(key, certificate).der))
    return Issued(key, certificate)


def random_serial() -> int:
    """127 random bits with the first one set: large, positive, and always 16 bytes of DER."""
    return 1 << 126 | secrets.randbits(126)


def _leaf_builder(root: Issued, use: Use, key: PrivateKey, wish: Wish) -> x509.CertificateBuilder:
    now = datetime.now(UTC)
    usage = {Use.AUTHENTICATION: key_usage("digital_signature"),
             Use.SIGNATURE: key_usage("digital_signature", "content_commitment")}[use]  # fmt: skip
    in_japanese = x509.DirectoryName(_name("模擬認証サービス", use.unit_in_japanese, "模擬機構"))
    list_name = x509.DirectoryName(_name(ORGANISATION, use.unit, "CRL Distribution Points", "Kasumigaseki CRLDP"))
    builder = (
        x509.CertificateBuilder()
        .subject_name(_subject(wish.common_name or opaque_id()))
        .issuer_name(root.certificate.subject)
        .public_key(key.public_key())
        .serial_number(wish.serial or random_serial())
        .not_valid_before(wish.not_before or now - timedelta(days=30))
        .not_valid_after(wish.not_after or now + timedelta(days=5 * 365))
        .add_extension(wish.key_usage or usage, critical=True)
        .add_extension(
            x509.CertificatePolicies([x509.PolicyInformation(x509.ObjectIdentifier(wish.policy or use.policy), None)]),
            critical=True,
        )
        .add_extension(x509.IssuerAlternativeName([in_japanese]), critical=False)
        .add_extension(
            x509.CRLDistributionPoints([x509.DistributionPoint([list_name], None, None, None)]), critical=False
        )
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(root.key.public_key()), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if use is Use.AUTHENTICATION:
        return builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
    return builder.add_extension(_person_names(wish.person), critical=False)


def _person_names(person: Person) -> x509.SubjectAlternativeName:
    said = {1: person.name, 2: person.name_substitutes, 3: person.sex, 4: person.birth, 5: person.address,
            6: person.address_substitutes}  # fmt: skip
    return x509.SubjectAlternativeName(
        [x509.OtherName(x509.ObjectIdentifier(f"{PERSON_ARC}.{at}"), _utf8_string(text)) for at, text in said.items()]
    )


def _utf8_string(text: str) -> bytes:
    body = text.encode()
    if len(body) > 255:
        raise ValueError("a text of a certificate must fit 255 bytes")
    return bytes([0x0C, *([0x81] if len(body) > 127 else []), len(body)]) + body


def _padded(builder: x509.CertificateBuilder, key: PrivateKey, wanted: int, bare: int) -> x509.Certificate:
    # A length that grows by a byte makes enclosing lengths grow too, so one padding cannot reach every size: a
    # second one of a few bytes fills the gaps.
    for second in (None, 0, 1, 2, 3, 4):
        for first in range(max(0, wanted - bare - 60), max(0, wanted - bare)):
            candidate = builder.add_extension(x509.UnrecognizedExtension(PADDING_OID, bytes(first)), critical=False)
            if second is not None:
                other = x509.ObjectIdentifier(f"{PADDING_OID.dotted_string}.1")
                candidate = candidate.add_extension(x509.UnrecognizedExtension(other, bytes(second)), critical=False)
            made = candidate.sign(key, _hash_for(key))
            if len(made.public_bytes(serialization.Encoding.DER)) == wanted:
                return made
    raise ValueError(f"a certificate of {wanted} bytes cannot be made: it has {bare} without padding")


def _name(organisation: str, *units: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, organisation),
            *(x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, unit) for unit in units),
        ]
    )


def _subject(common_name: str) -> x509.Name:
    return x509.Name(
        [x509.NameAttribute(NameOID.COUNTRY_NAME, "JP"), x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    )


def _hash_for(key: PrivateKey) -> hashes.SHA256 | hashes.SHA384:
    return hashes.SHA384() if isinstance(key, ec.EllipticCurvePrivateKey) else hashes.SHA256()


if __name__ == "__main__":
    from tests.sim.card.deck import main  # stands on this module

    main()
