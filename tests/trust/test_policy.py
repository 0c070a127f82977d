import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa

from appliance.trust.policy import (
    AllOf,
    Candidate,
    MeantFor,
    RealAnchors,
    StrongKey,
    UnsafeTestAnchors,
    UntrustedIssuerError,
    Usage,
    WeakKeyError,
    WrongUseError,
    card_policy,
    installer_policy,
)
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.card.pki import Issued, Use, Wish, key_usage
from tests.trust.material import DAY, NOW, anchors_of, issued


def candidate(hierarchy: Hierarchy, wish: Wish | None = None, use: Use = Use.AUTHENTICATION) -> Candidate:
    return Candidate(issued(hierarchy, wish, use).certificate, anchors_of(hierarchy)[0])


def bare(hierarchy: Hierarchy, bits: int = 2048) -> Candidate:
    """A certificate that says nothing about its use."""
    root = hierarchy.roots[Use.AUTHENTICATION, 3]
    assert isinstance(root.key, rsa.RSAPrivateKey)
    key = rsa.generate_private_key(public_exponent=65537, key_size=bits)
    name = root.certificate.subject
    builder = x509.CertificateBuilder(name, name, key.public_key(), 4711, NOW - DAY, NOW + DAY)
    return Candidate(Issued(key, builder.sign(root.key, hashes.SHA256())).certificate, anchors_of(hierarchy)[0])


def test_a_policy_of_nothing_cannot_be_made() -> None:
    with pytest.raises(ValueError, match="accept everything"):
        AllOf()


def test_all_rules_are_asked(hierarchy: Hierarchy) -> None:
    good = candidate(hierarchy)
    AllOf(UnsafeTestAnchors(), StrongKey()).check(good)
    with pytest.raises(UntrustedIssuerError):
        AllOf(StrongKey(), RealAnchors()).check(good)


def test_test_cards_are_only_believed_by_an_unsafe_policy(hierarchy: Hierarchy) -> None:
    good = candidate(hierarchy)
    card_policy(allow_test_cards=True).check(good)
    installer_policy().check(good)
    with pytest.raises(UntrustedIssuerError) as caught:
        card_policy(allow_test_cards=False).check(good)
    assert caught.value.fields == {"reason": "test card"}


@pytest.mark.parametrize(
    ("wish", "reason"),
    [
        (Wish(key_usage=key_usage("content_commitment")), "key usage"),
        (Wish(policy="1.2.392.200149.8.5.1.1.20"), "policy"),
    ],
)
@pytest.mark.parametrize("stated", [True, False])
def test_another_use_is_refused(hierarchy: Hierarchy, wish: Wish, reason: str, stated: bool) -> None:
    with pytest.raises(WrongUseError) as caught:
        MeantFor(Usage.AUTHENTICATION, stated=stated).check(candidate(hierarchy, wish))
    assert caught.value.fields == {"reason": reason}


def test_the_signature_certificate_is_not_for_authentication(hierarchy: Hierarchy) -> None:
    with pytest.raises(WrongUseError):
        MeantFor(Usage.AUTHENTICATION, stated=False).check(candidate(hierarchy, use=Use.SIGNATURE))


def test_what_a_certificate_leaves_out_counts_only_where_it_must_be_stated(hierarchy: Hierarchy) -> None:
    silent = bare(hierarchy)
    MeantFor(Usage.AUTHENTICATION, stated=False).check(silent)
    with pytest.raises(WrongUseError) as caught:
        MeantFor(Usage.AUTHENTICATION).check(silent)
    assert caught.value.fields == {"reason": "no key usage"}


def test_a_short_key_is_refused(hierarchy: Hierarchy) -> None:
    StrongKey().check(candidate(hierarchy))
    curve = hierarchy.issue(Use.AUTHENTICATION, generation=4)
    StrongKey().check(Candidate(curve.certificate, anchors_of(hierarchy)[0]))
    with pytest.raises(WeakKeyError):
        StrongKey().check(bare(hierarchy, bits=1024))
