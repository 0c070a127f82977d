"""The authority: names come from the registry, never from a request."""

from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from appliance.programs.hub.authority import Authority, AuthorityError, CertificateRequestError, make_key, pem

NOW = datetime(2026, 11, 1, tzinfo=UTC)


def test_only_the_key_is_taken_from_a_request() -> None:
    authority = Authority.make("test", make_key(), NOW)
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "hub")])
    request = x509.CertificateSigningRequestBuilder().subject_name(name).sign(key, hashes.SHA256())
    text = request.public_bytes(serialization.Encoding.PEM)
    issued = authority.issue_client("B113299900018", text, NOW)
    assert issued.subject.rfc4514_string() == "CN=B113299900018"
    assert issued.public_key() == key.public_key()
    assert issued.not_valid_after_utc == NOW + timedelta(days=90)
    assert not issued.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    damaged = text.replace(b"A", b"B", 1)
    for bad in (b"", b"nonsense", pem(issued), damaged):
        with pytest.raises(CertificateRequestError):
            authority.issue_client("B113299900018", bad, NOW)


def test_an_authority_needs_its_own_key() -> None:
    key = make_key()
    certificate = pem(Authority.make("test", key, NOW).certificate)
    assert Authority.load(certificate, key).certificate.subject.rfc4514_string() == "CN=Madoguchi test"
    for wrong_certificate, wrong_key in ((certificate, make_key()), (b"x", key), (certificate, b"x")):
        with pytest.raises(AuthorityError):
            Authority.load(wrong_certificate, wrong_key)
