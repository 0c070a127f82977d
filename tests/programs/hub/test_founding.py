"""Founding: keys that only their owner reads, certificates that say what they are for, and never twice."""

import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from appliance.ledger.evidence import EvidenceOpener, EvidenceSealer, SignedStatement
from appliance.programs.hub import founding
from appliance.programs.hub.founding import MAKERS, HubFoundedError, found_hub, make_credentials
from appliance.store.database import Database
from appliance.store.faults import WrongKeyError
from tests.programs.hub.conftest import FoundedHub


def test_the_keys_are_made_once_and_are_nobody_elses(tmp_path: Path) -> None:
    assert make_credentials(tmp_path / "keys") == list(MAKERS)
    files = sorted((tmp_path / "keys").iterdir())
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    before = [path.read_bytes() for path in files]
    assert make_credentials(tmp_path / "keys") == []
    assert [path.read_bytes() for path in files] == before


def test_a_hub_is_founded_once(hub: FoundedHub) -> None:
    before = (hub.settings.hub.state_dir / "ca.crt").read_bytes()
    with pytest.raises(HubFoundedError):
        found_hub(hub.settings, hub.clock)
    assert (hub.settings.hub.state_dir / "ca.crt").read_bytes() == before


def test_a_founding_that_was_cut_short_is_finished_by_the_next(
    hub: FoundedHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The authority's certificate says that all is there, so it is the last file to have a name."""
    folder = hub.settings.hub.state_dir
    (folder / "ca.crt").unlink()
    (folder / "broker.crt").write_bytes(b"half a certi")
    found_hub(hub.settings, hub.clock)
    authority, broker = (
        x509.load_pem_x509_certificate((folder / name).read_bytes()) for name in ("ca.crt", "broker.crt")
    )
    broker.verify_directly_issued_by(authority)
    named: list[str] = []
    monkeypatch.setattr(founding, "write_file", lambda path, *_: named.append(path.name))
    (folder / "ca.crt").unlink()
    found_hub(hub.settings, hub.clock)
    assert len(named) == 5
    assert named[-1] == "ca.crt"


def test_the_certificates_are_for_what_they_are_for(hub: FoundedHub) -> None:
    folder = hub.settings.hub.state_dir
    authority, broker, line = (
        x509.load_pem_x509_certificate((folder / name).read_bytes())
        for name in ("ca.crt", "broker.crt", "hub-line.crt")
    )
    for one in (broker, line):
        one.verify_directly_issued_by(authority)
    names = broker.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["hub.example"]
    assert [str(one) for one in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    usages = [list(one.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value) for one in (broker, line)]
    assert usages == [[ExtendedKeyUsageOID.SERVER_AUTH], [ExtendedKeyUsageOID.CLIENT_AUTH]]
    assert line.subject.rfc4514_string() == "CN=hub"


def test_the_evidence_key_opens_what_a_box_seals(hub: FoundedHub, tmp_path: Path) -> None:
    sealer = EvidenceSealer((hub.settings.hub.state_dir / "evidence.pub").read_bytes())
    item = SignedStatement(b"statement", b"certificate", b"signature")
    opener = EvidenceOpener.from_bytes((tmp_path / "hub-keys" / "hub-evidence.key").read_bytes())
    assert opener.open(sealer.message, sealer.seal(item)) == item


def test_the_database_is_encrypted(hub: FoundedHub) -> None:
    path = hub.database.path
    assert not path.read_bytes().startswith(b"SQLite format 3")
    with pytest.raises(WrongKeyError):
        Database.open(path, b"w" * 32)


@pytest.mark.peer
def test_openssl_accepts_the_chain_for_its_purpose_only(hub: FoundedHub) -> None:
    folder = hub.settings.hub.state_dir

    def verify(name: str, purpose: str) -> int:
        at = str(int(hub.clock.now_ms() / 1000))
        command = ["openssl", "verify", "-x509_strict", "-attime", at, "-purpose", purpose]
        command += ["-CAfile", str(folder / "ca.crt"), str(folder / name)]
        return subprocess.run(command, capture_output=True, timeout=20, check=False).returncode

    assert verify("broker.crt", "sslserver") == 0
    assert verify("broker.crt", "sslclient") != 0
    assert verify("hub-line.crt", "sslclient") == 0
    assert verify("hub-line.crt", "sslserver") != 0
