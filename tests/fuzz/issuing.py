"""An issuer at hand: what a fuzzer changed in a certificate is signed anew, so that it gets past the signature."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from appliance.trust.anchors import Anchor, key_id_of
from tests.fuzz.der import bit_string, read, sequence, write
from tests.sim.card.pki import (
    Issued,
    KeyType,
    Person,
    PrivateKey,
    Use,
    Wish,
    issue_leaf,
    issue_root,
    key_usage,
    make_key,
)

# What was found once must be found again in years: certificates are made for this day, and judged on it.
NOW = datetime(2026, 6, 1, tzinfo=UTC)
WISH = Wish(not_before=NOW - timedelta(days=30), not_after=NOW + timedelta(days=1800))


@dataclass(frozen=True)
class Issuer:
    """One root with a quick key, and ``anchors`` of its name: a root with another kind of key stands before it."""

    root: Issued
    anchors: Sequence[Anchor]

    def sign(self, tbs: bytes) -> bytes:
        """A certificate in DER over any bytes to be signed."""
        assert isinstance(self.root.key, ec.EllipticCurvePrivateKey)
        signature = self.root.key.sign(tbs, ec.ECDSA(hashes.SHA384()))
        return sequence(tbs + _algorithm(self.root) + bit_string(signature))


@cache
def issuer(use: Use) -> Issuer:
    key = ec.generate_private_key(ec.SECP256R1())
    other = issue_root(use).certificate
    builder = (
        x509.CertificateBuilder(other.subject, other.subject, key.public_key(), 1)
        .not_valid_before(WISH.not_before or NOW)
        .not_valid_after(WISH.not_after or NOW)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    )
    root = Issued(key, builder.sign(key, hashes.SHA384()))
    return Issuer(root, tuple(Anchor(one, key_id_of(one)) for one in (other, root.certificate)))


@cache
def leaves() -> tuple[tuple[Use, Issued], ...]:
    """Good certificates of both uses and of every kind of key, and some that are good for nothing."""
    keys: tuple[PrivateKey, ...] = (
        make_key(),
        make_key(KeyType.P_384),
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP521R1()),
    )
    good = [(use, issue_leaf(issuer(use).root, use, key, WISH)) for use in Use for key in keys]
    wishes = (
        replace(WISH, not_after=NOW - timedelta(days=1)),
        replace(WISH, not_before=NOW + timedelta(days=1)),
        replace(WISH, policy="1.2.3"),
        replace(WISH, key_usage=key_usage("key_encipherment")),
        replace(WISH, person=Person(name="")),
        replace(WISH, person=Person(birth="unknown")),
        replace(WISH, person=Person(birth="419850431", name_substitutes="")),
    )
    bad = [(use, issue_leaf(issuer(use).root, use, keys[2], wish)) for use in Use for wish in wishes]
    weak = rsa.generate_private_key(public_exponent=65537, key_size=1024)
    bad += [(use, issue_leaf(issuer(use).root, use, weak, WISH)) for use in Use]
    return (*good, *bad, *((use, issuer(use).root) for use in Use))


def _algorithm(root: Issued) -> bytes:
    """The AlgorithmIdentifier between what is signed and the signature."""
    whole = read(root.der)
    assert whole is not None
    assert isinstance(whole[0].inside, list)
    return write(whole[0].inside[1:2])
