"""Who this side is on the line, and whom it believes."""

import ssl
from datetime import UTC, datetime
from pathlib import Path

import pytest

from appliance.programs.hub.authority import Authority, make_key, pem
from appliance.sync.tls import LineIdentityError, line_tls

NOW = datetime.now(UTC)
SCHOOL = "B113299900018"


@pytest.fixture
def authority() -> Authority:
    return Authority.make("test", make_key(), NOW)


def test_a_context_is_strict(authority: Authority, tmp_path: Path) -> None:
    key = tmp_path / "line.key"
    key.write_bytes(make_key())
    certificate = pem(authority.issue_own_client(SCHOOL, key.read_bytes(), NOW))
    context = line_tls(pem(authority.certificate), certificate, key)
    assert context.minimum_version is ssl.TLSVersion.TLSv1_3
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert len(context.get_ca_certs()) == 1  # nobody else is believed, the machine's own authorities least of all


def test_an_identity_that_does_not_fit_is_refused_at_once(authority: Authority, tmp_path: Path) -> None:
    key, other = tmp_path / "line.key", make_key()
    key.write_bytes(make_key())
    certificate = pem(authority.issue_own_client(SCHOOL, other, NOW))
    for trusted in (pem(authority.certificate), b"nonsense", "日本".encode()):
        with pytest.raises(LineIdentityError):
            line_tls(trusted, certificate, key)
    with pytest.raises(LineIdentityError):
        line_tls(pem(authority.certificate), certificate, tmp_path / "missing.key")
