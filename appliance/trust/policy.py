"""Rules that differ from place to place, apart from the ones in ``chain`` that hold everywhere. They compose."""

from dataclasses import dataclass
from enum import Enum, unique
from typing import Final, Protocol, TypeVar

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from appliance.errors import UntrustedError
from appliance.trust.anchors import Anchor

Extension = TypeVar("Extension", bound=x509.ExtensionType)
SIGNATURE_POLICY: Final = x509.ObjectIdentifier("1.2.392.200149.8.5.1.1.20")
AUTHENTICATION_POLICY: Final = x509.ObjectIdentifier("1.2.392.200149.8.5.1.3.30")
LEAST_RSA_BITS: Final = 2048
LEAST_EC_BITS: Final = 256


class UntrustedIssuerError(UntrustedError):
    """No pinned key issued it, or one that this place does not believe."""

    code = "card.untrusted_issuer"


class WrongUseError(UntrustedError):
    """A certificate for something else than was asked; ``reason`` says what gave it away."""

    code = "card.untrusted_wrong_use"


class WeakKeyError(UntrustedError):
    code = "card.untrusted_key"


@dataclass(frozen=True)
class Candidate:
    """A certificate and the anchor that signed it."""

    certificate: x509.Certificate
    anchor: Anchor


class Policy(Protocol):
    """One rule."""

    def check(self, candidate: Candidate) -> None:
        """Raises an ``UntrustedError`` unless the rule holds."""
        ...


class AllOf:
    """Holds when every one of its rules does. Of no rules it cannot be made: that would accept everything."""

    def __init__(self, *policies: Policy) -> None:
        if not policies:
            raise ValueError("a policy of no rules would accept everything")
        self._policies = policies

    def check(self, candidate: Candidate) -> None:
        for one in self._policies:
            one.check(candidate)


class RealAnchors:
    """Refuses what the look-alike hierarchy issued."""

    def check(self, candidate: Candidate) -> None:
        if candidate.anchor.is_test:
            raise UntrustedIssuerError(reason="test card")


class UnsafeTestAnchors:
    """Believes the look-alike hierarchy too. For the demo, tests, and an installer who names the anchors himself."""

    def check(self, candidate: Candidate) -> None:
        """Every pinned anchor will do."""


@unique
class Usage(Enum):
    """What a certificate of a card is for: its policy, and the key usages of which one must be said."""

    AUTHENTICATION = (AUTHENTICATION_POLICY, ("digital_signature",))
    SIGNATURE = (SIGNATURE_POLICY, ("digital_signature", "content_commitment"))


@dataclass(frozen=True)
class MeantFor:
    """The certificate is meant for this use: its key usage and its policy say so.

    With ``stated`` both must be written in it; without, what it leaves out is not held against it.
    """

    use: Usage
    stated: bool = True

    def check(self, candidate: Candidate) -> None:
        wanted, usages = self.use.value
        usage = _extension(candidate.certificate, x509.KeyUsage)
        if usage is None and self.stated:
            raise WrongUseError(reason="no key usage")
        if usage is not None and not any(getattr(usage, one) for one in usages):
            raise WrongUseError(reason="key usage")
        policies = _extension(candidate.certificate, x509.CertificatePolicies)
        if policies is None and self.stated:
            raise WrongUseError(reason="no policy")
        if policies is not None and wanted not in {one.policy_identifier for one in policies}:
            raise WrongUseError(reason="policy")


class StrongKey:
    """RSA of 2048 bits and more, or an elliptic curve of 256 bits and more."""

    def check(self, candidate: Candidate) -> None:
        key = candidate.certificate.public_key()
        if isinstance(key, rsa.RSAPublicKey) and key.key_size >= LEAST_RSA_BITS:
            return
        if isinstance(key, ec.EllipticCurvePublicKey) and key.key_size >= LEAST_EC_BITS:
            return
        raise WeakKeyError(kind=type(key).__name__)


def card_policy(use: Usage = Usage.AUTHENTICATION, *, allow_test_cards: bool) -> Policy:
    """What a box asks of a card; ``allow_test_cards`` is the setting ``reader.allow_test_cards``."""
    anchors: Policy = UnsafeTestAnchors() if allow_test_cards else RealAnchors()
    return AllOf(anchors, MeantFor(use), StrongKey())


def installer_policy(use: Usage = Usage.AUTHENTICATION) -> Policy:
    """What an installer's check asks, with anchors that the installer chose for the card in hand."""
    return AllOf(UnsafeTestAnchors(), MeantFor(use, stated=False), StrongKey())


def _extension(certificate: x509.Certificate, kind: type[Extension]) -> Extension | None:
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None
