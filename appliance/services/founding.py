"""What a new box needs before anything else: its keys and the certificate of its staff site."""

import ipaddress
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from appliance.ledger.archive_keys import ArchiveSigningKey
from appliance.ledger.keys import KeyFormError, SigningKey
from appliance.store.database import KEY_BYTES
from appliance.store.files import make_file, make_folder

CERTIFICATE_DAYS = 397
PUBLIC = 0o666  # less what the umask takes
DATABASE_KEY, DEVICE_KEY, LINE_KEY, STAFF_KEY = "database.key", "device.key", "line.key", "staff.key"
ARCHIVE_KEY = "archive.key"


MAKERS: dict[str, Callable[[], bytes]] = {
    DATABASE_KEY: lambda: os.urandom(KEY_BYTES),
    DEVICE_KEY: lambda: SigningKey.make().pem(),
    LINE_KEY: lambda: SigningKey.make().pem(),
    STAFF_KEY: lambda: SigningKey.make().pem(),
    ARCHIVE_KEY: lambda: ArchiveSigningKey.make().pem(),
}
"""How each key is made, in the form of its credential."""


def make_credentials(folder: Path) -> list[str]:
    """Makes the keys that are missing, each a file that only its owner reads; returns their names.

    They are durable when this returns: what is encrypted with them must not outlive them. On a device the files are
    then sealed with systemd-creds and removed; in the demo they stay as they are.
    """
    make_folder(folder, 0o700)
    # Exclusive: two founders at once must not each believe in a key of their own.
    return [name for name, make in MAKERS.items() if make_file(folder / name, make())]


def staff_certificate(key_pem: bytes, names: tuple[str, ...], now: datetime) -> bytes:
    """A self-signed certificate (PEM) for the staff site: what serves until the hub or the board provides one.

    Raises ``KeyFormError`` unless the key is an elliptic-curve key in PEM.
    """
    try:
        key = serialization.load_pem_private_key(key_pem, None)
    except (ValueError, TypeError) as error:
        raise KeyFormError(reason="no private key in PEM") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise KeyFormError(reason="no elliptic-curve key")
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(days=CERTIFICATE_DAYS))
        .add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def write_staff_certificate(path: Path, key_pem: bytes, names: tuple[str, ...]) -> bool:
    """Writes a certificate if there is none; whether it did."""
    if path.exists():
        return False
    certificate = staff_certificate(key_pem, names, datetime.now(UTC))
    make_folder(path.parent, 0o777)
    return make_file(path, certificate, PUBLIC)


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
