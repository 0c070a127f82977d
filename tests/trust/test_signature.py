import hashlib
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature

from appliance.trust.chain import AuthenticationCertificate, verify
from appliance.trust.policy import card_policy
from appliance.trust.signature import BadSignatureError, digest_for, verify_signature
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.card.pki import Issued, Use
from tests.trust.material import NOW, anchors_of

STATEMENT = b"what the person read"


def made(hierarchy: Hierarchy, generation: int = 3) -> tuple[AuthenticationCertificate, Issued]:
    leaf = hierarchy.issue(Use.AUTHENTICATION, generation=generation)
    return verify(leaf.der, anchors_of(hierarchy), NOW, card_policy(allow_test_cards=True)), leaf


def test_the_card_of_today(hierarchy: Hierarchy) -> None:
    certificate, leaf = made(hierarchy)
    assert isinstance(leaf.key, rsa.RSAPrivateKey)
    signature = leaf.key.sign(STATEMENT, padding.PKCS1v15(), hashes.SHA256())
    verify_signature(certificate, STATEMENT, signature)
    for bad in (b"", signature[:-1], signature + b"\x00", bytes(256), signature[::-1]):
        with pytest.raises(BadSignatureError):
            verify_signature(certificate, STATEMENT, bad)
    with pytest.raises(BadSignatureError):
        verify_signature(certificate, b"something else", signature)


def test_the_key_of_another_card(hierarchy: Hierarchy) -> None:
    certificate, other = made(hierarchy)[0], made(hierarchy)[1]
    assert isinstance(other.key, rsa.RSAPrivateKey)
    with pytest.raises(BadSignatureError):
        verify_signature(certificate, STATEMENT, other.key.sign(STATEMENT, padding.PKCS1v15(), hashes.SHA256()))


def test_another_padding_is_not_taken(hierarchy: Hierarchy) -> None:
    certificate, leaf = made(hierarchy)
    assert isinstance(leaf.key, rsa.RSAPrivateKey)
    pss = leaf.key.sign(STATEMENT, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
    with pytest.raises(BadSignatureError):
        verify_signature(certificate, STATEMENT, pss)


def test_an_elliptic_curve_in_both_forms(hierarchy: Hierarchy) -> None:
    certificate, leaf = made(hierarchy, generation=4)
    assert isinstance(leaf.key, ec.EllipticCurvePrivateKey)
    signature = leaf.key.sign(STATEMENT, ec.ECDSA(hashes.SHA384()))
    verify_signature(certificate, STATEMENT, signature)
    r, s = decode_dss_signature(signature)
    verify_signature(certificate, STATEMENT, r.to_bytes(48) + s.to_bytes(48))
    for bad in (b"", bytes(96), s.to_bytes(48) + r.to_bytes(48), leaf.key.sign(STATEMENT, ec.ECDSA(hashes.SHA256()))):
        with pytest.raises(BadSignatureError):
            verify_signature(certificate, STATEMENT, bad)


def test_the_key_decides_what_is_hashed_how(hierarchy: Hierarchy) -> None:
    assert digest_for(made(hierarchy)[0], STATEMENT) == hashlib.sha256(STATEMENT).digest()
    assert digest_for(made(hierarchy, generation=4)[0], STATEMENT) == hashlib.sha384(STATEMENT).digest()


@pytest.mark.parametrize(("curve", "name"), [(ec.SECP256R1(), "sha256"), (ec.SECP521R1(), "sha512")])
def test_other_curves_have_hashes_of_their_size(hierarchy: Hierarchy, curve: ec.EllipticCurve, name: str) -> None:
    key = ec.generate_private_key(curve)
    certificate = replace(made(hierarchy)[0], public_key=key.public_key())
    assert digest_for(certificate, STATEMENT) == hashlib.new(name, STATEMENT).digest()
    made_by_it = key.sign(digest_for(certificate, STATEMENT), ec.ECDSA(Prehashed(getattr(hashes, name.upper())())))
    verify_signature(certificate, STATEMENT, made_by_it)
