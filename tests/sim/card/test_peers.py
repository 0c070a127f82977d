"""Independent programs take the virtual card for a My Number card."""

import hashlib
import os
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.x509 import load_der_x509_certificate

from tests.sim.card.card import VirtualCard
from tests.sim.card.vpcd import VirtualReader
from tests.sim.fixtures import MakeCard

pytestmark = pytest.mark.peer

MODULE = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"
DIGEST_INFO_SHA256 = bytes.fromhex("3031300d060960864801650304020105000420")
AUTHENTICATION, SIGNATURE = "01", "02"


def run(*command: str) -> str:
    """Runs a peer against the reader of the ``pcscd`` fixture."""
    environment = {**os.environ, "LC_ALL": "C"}
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture
def card(reader: VirtualReader, make_card: MakeCard) -> VirtualCard:
    one = make_card()
    reader.insert(one)
    assert reader.wait_until_seen(5)
    return one


def sign(folder: Path, statement: bytes, key: str, secret: str) -> bytes:
    (folder / "data").write_bytes(DIGEST_INFO_SHA256 + hashlib.sha256(statement).digest())
    slot = {"01": "0", "02": "1"}[key]
    run("pkcs11-tool", "--module", MODULE, "--slot-index", slot, "--login", "--pin", secret, "--sign", "--id", key,
        "--mechanism", "RSA-PKCS", "--input-file", str(folder / "data"),
        "--output-file", str(folder / "signature"))  # fmt: skip
    return (folder / "signature").read_bytes()


def read_certificate(folder: Path, key: str, *login: str) -> bytes:
    path = folder / "certificate.der"
    run("pkcs11-tool", "--module", MODULE, *login, "--read-object", "--type", "cert", "--id", key,
        "--output-file", str(path))  # fmt: skip
    return path.read_bytes()


def verifies(certificate: bytes, signature: bytes, statement: bytes) -> bool:
    key = load_der_x509_certificate(certificate).public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    key.verify(signature, statement, padding.PKCS1v15(), hashes.SHA256())  # raises if it does not
    return True


def test_opensc_knows_it_by_name(card: VirtualCard) -> None:
    assert run("opensc-tool", "-n").splitlines()[-1] == "jpki"


def test_opensc_knows_it_without_the_contact_atr(reader: VirtualReader, make_card: MakeCard) -> None:
    card = make_card()
    card.atr = bytes.fromhex("3B888001000041E0B381A1003B")
    reader.insert(card)
    assert reader.wait_until_seen(5)
    assert run("opensc-tool", "-n").splitlines()[-1] == "jpki"


def test_authentication_through_pkcs11(card: VirtualCard, tmp_path: Path) -> None:
    signature = sign(tmp_path, b"attendance", AUTHENTICATION, "1234")
    certificate = read_certificate(tmp_path, AUTHENTICATION)
    assert certificate == card.contents.authentication
    assert verifies(certificate, signature, b"attendance")
    assert card.pin_tries == 3


def test_signature_key_through_pkcs11(card: VirtualCard, tmp_path: Path) -> None:
    signature = sign(tmp_path, b"consent", SIGNATURE, "ABC123")
    assert card.contents.signature is not None
    assert verifies(card.contents.signature, signature, b"consent")


def test_no_peer_goes_near_the_individual_number(card: VirtualCard, tmp_path: Path) -> None:
    sign(tmp_path, b"attendance", AUTHENTICATION, "1234")
    assert card.forbidden_selected == []
    assert all(
        "<pin>" in one.command for one in card.exchanges if one.command.startswith("0020") and len(one.command) > 8
    )


def test_openssl_follows_the_chain(card: VirtualCard, tmp_path: Path) -> None:
    for name, der in (("leaf", card.contents.authentication), ("root", card.contents.authentication_ca)):
        (tmp_path / f"{name}.der").write_bytes(der or b"")
        run("openssl", "x509", "-inform", "DER", "-in", str(tmp_path / f"{name}.der"), "-out", str(tmp_path / name))
    checked = run("openssl", "verify", "-x509_strict", "-CAfile", str(tmp_path / "root"), str(tmp_path / "leaf"))
    assert checked.strip().endswith("leaf: OK")
