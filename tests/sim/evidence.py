"""Acts of people with cards, sealed as a box seals them, without a box."""

import hashlib
from dataclasses import dataclass, field

from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.hashes import SHA256, SHA384

from appliance.ledger.evidence import EvidenceOpener, EvidenceSealer, SealedEvidence, SignedStatement
from appliance.ledger.evidence_file import Claim, EvidenceFile
from appliance.school.statement import NONCE_BYTES, Statement
from tests.sim.card.pki import Issued
from tests.trust.material import NOW

ORIGIN = "madoguchi/1/B113299900018/box/1"
NOW_MS = int(NOW.timestamp() * 1000)


def make_statement(line: str = "来ました。", at_ms: int = NOW_MS) -> Statement:
    return Statement("visit", "B113299900018", "架空小学校", "ja", (line,), bytes(NONCE_BYTES), at_ms)


def sign(issued: Issued, message: bytes) -> bytes:
    if isinstance(issued.key, ec.EllipticCurvePrivateKey):
        return issued.key.sign(message, ec.ECDSA(SHA384()))
    return issued.key.sign(message, padding.PKCS1v15(), SHA256())


@dataclass
class Epoch:
    """One epoch of a box: acts of it share a certificate's item as in a box, the first one seals it."""

    verifier: EvidenceOpener
    sealer: EvidenceSealer = field(init=False)
    certificates: dict[bytes, SealedEvidence] = field(default_factory=dict)
    acts: int = 0

    def __post_init__(self) -> None:
        self.sealer = EvidenceSealer(self.verifier.public_bytes())

    def act(
        self, issued: Issued, statement: Statement, *, signature: bytes | None = None, beside: bytes | None = None
    ) -> EvidenceFile:
        """``signature`` in the place of the card's own, ``beside`` the digest in the place of its certificate's."""
        message = statement.canonical()
        return self.raw(issued, message, signature or sign(issued, message), beside)

    def raw(self, issued: Issued, message: bytes, signature: bytes, beside: bytes | None = None) -> EvidenceFile:
        """An act over bytes that may be no statement."""
        digest = beside or hashlib.sha256(issued.der).digest()
        act = self.sealer.seal(SignedStatement(message, digest, signature))
        if issued.der not in self.certificates:
            self.certificates[issued.der] = self.sealer.seal_certificate(issued.der)
        self.acts += 1
        claim = Claim(ORIGIN, self.acts, hashlib.sha256(message).digest(), act, self.certificates[issued.der])
        return EvidenceFile(claim, self.sealer.message, self.sealer.message)
