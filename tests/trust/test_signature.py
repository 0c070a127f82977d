import hashlib

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from appliance.trust.chain import AuthenticationCertificate, verify
from appliance.trust.policy import card_policy
from appliance.trust.signature import BadSignatureError, verify_signature
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.card.pki import Issued, Use
from tests.trust.material import NOW, anchors_of

STATEMENT = b"what the person read"
DIGEST = hashlib.sha256(STATEMENT).digest()


def made(hierarchy: Hierarchy, generation: int = 3) -> tuple[AuthenticationCertificate, Issued]:
    leaf = hierarchy.issue(Use.AUTHENTICATION, generation=generation)
    return verify(leaf.der, anchors_of(hierarchy), NOW, card_policy(allow_test_cards=True)), leaf


def test_the_card_of_today(hierarchy: Hierarchy) -> None:
    certificate, leaf = made(hierarchy)
    assert isinstance(leaf.key, rsa.RSAPrivateKey)
    signature = leaf.key.sign(STATEMENT, padding.PKCS1v15(), hashes.SHA256())
    verify_signature(certificate, DIGEST, signature)
    for bad in (b"", signature[:-1], signature + b"\x00", bytes(256), signature[::-1]):
        with pytest.raises(BadSignatureError):
            verify_signature(certificate, DIGEST, bad)
    with pytest.raises(BadSignatureError):
        verify_signature(certificate, hashlib.sha256(b"something else").digest(), signature)


def test_the_key_of_another_card(hierarchy: Hierarchy) -> None:
    certificate, other = made(hierarchy)[0], made(hierarchy)[1]
    assert isinstance(other.key, rsa.RSAPrivateKey)
    with pytest.raises(BadSignatureError):
        verify_signature(certificate, DIGEST, other.key.sign(STATEMENT, padding.PKCS1v15(), hashes.SHA256()))


def test_another_padding_is_not_taken(hierarchy: Hierarchy) -> None:
    certificate, leaf = made(hierarchy)
    assert isinstance(leaf.key, rsa.RSAPrivateKey)
    pss = leaf.key.sign(STATEMENT, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    with pytest.raises(BadSignatureError):
        verify_signature(certificate, DIGEST, pss)


def test_an_elliptic_curve(hierarchy: Hierarchy) -> None:
    certificate, leaf = made(hierarchy, generation=4)
    assert isinstance(leaf.key, ec.EllipticCurvePrivateKey)
    verify_signature(certificate, DIGEST, leaf.key.sign(STATEMENT, ec.ECDSA(hashes.SHA256())))
    with pytest.raises(BadSignatureError):
        verify_signature(certificate, DIGEST, bytes(96))


def test_a_digest_of_another_length(hierarchy: Hierarchy) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        verify_signature(made(hierarchy)[0], b"short", b"")
