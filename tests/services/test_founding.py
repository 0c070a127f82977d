"""The keys of a new box and the certificate of its staff site."""

import os
import ssl
import stat
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from appliance.ledger.keys import KeyFormError, SigningKey
from appliance.services.founding import (
    ARCHIVE_KEY,
    CERTIFICATE_DAYS,
    DATABASE_KEY,
    DEVICE_KEY,
    LINE_KEY,
    STAFF_KEY,
    make_credentials,
    staff_certificate,
    write_staff_certificate,
)

NOW = datetime(2026, 11, 21, tzinfo=UTC)
NAMES = ("madoguchi.local", "192.0.2.7")


def test_every_key_is_made_for_its_owner_alone(tmp_path: Path) -> None:
    folder = tmp_path / "deep" / "credentials"
    assert make_credentials(folder) == [DATABASE_KEY, DEVICE_KEY, LINE_KEY, STAFF_KEY, ARCHIVE_KEY]
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert len((folder / DATABASE_KEY).read_bytes()) == 32
    pems = {(folder / name).read_bytes() for name in (DEVICE_KEY, LINE_KEY, STAFF_KEY)}
    assert len({SigningKey.from_pem(pem).public.key_id for pem in pems}) == 3
    with pytest.raises(KeyFormError):
        SigningKey.from_pem((folder / DATABASE_KEY).read_bytes())


def test_a_key_that_is_there_stays(tmp_path: Path) -> None:
    (tmp_path / DEVICE_KEY).write_bytes(b"kept")
    assert make_credentials(tmp_path) == [DATABASE_KEY, LINE_KEY, STAFF_KEY, ARCHIVE_KEY]
    assert (tmp_path / DEVICE_KEY).read_bytes() == b"kept"
    assert make_credentials(tmp_path) == []


def test_a_founding_that_is_killed_leaves_no_half_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also not an empty file, which the next founding would take for the key."""

    def kill(_: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", kill)
    with pytest.raises(KeyboardInterrupt):
        make_credentials(tmp_path)
    monkeypatch.undo()
    assert not list(tmp_path.glob("*.key"))
    assert make_credentials(tmp_path) == [DATABASE_KEY, DEVICE_KEY, LINE_KEY, STAFF_KEY, ARCHIVE_KEY]
    assert len((tmp_path / DATABASE_KEY).read_bytes()) == 32


def test_the_certificate_names_the_site(tmp_path: Path) -> None:
    make_credentials(tmp_path)
    pem = staff_certificate((tmp_path / STAFF_KEY).read_bytes(), NAMES, NOW)
    certificate = x509.load_pem_x509_certificate(pem)
    certificate.verify_directly_issued_by(certificate)
    names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["madoguchi.local"]
    assert names.get_values_for_type(x509.IPAddress) == [ip_address("192.0.2.7")]
    assert certificate.not_valid_before_utc < NOW
    assert certificate.not_valid_after_utc == NOW + timedelta(days=CERTIFICATE_DAYS)
    assert not certificate.extensions.get_extension_for_class(x509.BasicConstraints).value.ca


def test_a_web_server_takes_key_and_certificate(tmp_path: Path) -> None:
    make_credentials(tmp_path)
    path = tmp_path / "deep" / "staff.crt"
    assert write_staff_certificate(path, (tmp_path / STAFF_KEY).read_bytes(), NAMES)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, tmp_path / STAFF_KEY)


def test_a_certificate_that_the_board_installed_stays(tmp_path: Path) -> None:
    make_credentials(tmp_path)
    path = tmp_path / "staff.crt"
    path.write_bytes(b"the board's")
    assert not write_staff_certificate(path, (tmp_path / STAFF_KEY).read_bytes(), NAMES)
    assert path.read_bytes() == b"the board's"


def test_a_file_that_is_no_key_is_refused(tmp_path: Path) -> None:
    other = ed25519.Ed25519PrivateKey.generate().private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for pem in (b"", b"-----BEGIN", other):
        with pytest.raises(KeyFormError):
            write_staff_certificate(tmp_path / "staff.crt", pem, NAMES)
    assert not (tmp_path / "staff.crt").exists()
