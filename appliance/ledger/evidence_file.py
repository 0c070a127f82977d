"""The file in which the evidence of one act travels from a box to the hub's verifier; only the verifier opens it.

It is deterministic CBOR: ``[FORM, origin, entry, statement, act, certificate]``, of which the last two are each
``[digest, message of the epoch, sealed item]``. ``FORM`` ends with the version.
"""

from dataclasses import dataclass
from typing import Self

from appliance.errors import UntrustedError
from appliance.ledger.encoding import EncodingError, decode, encode
from appliance.ledger.evidence import DIGEST_BYTES, HEAD_BYTES, SealedEvidence

FORM = "madoguchi evidence file 1"


class EvidenceFileError(UntrustedError):
    """Not a file of the kind that was asked for, or not of a version that this program knows."""

    code = "evidence.file"


@dataclass(frozen=True, slots=True)
class Claim:
    """What is said to prove an act: the entry at the index ``entry`` of the ledger ``origin`` names ``statement``, the
    SHA-256 of what the card signed, and the item ``act``; it refers to an entry that names the item ``certificate``.

    Whoever wrote the file says so. That the entry is in the ledger is for a receipt to show.
    """

    origin: str
    entry: int
    statement: bytes
    act: SealedEvidence
    certificate: SealedEvidence


@dataclass(frozen=True, slots=True)
class EvidenceFile:
    """``act_message`` and ``certificate_message`` are those of the epochs in which the two items were sealed."""

    claim: Claim
    act_message: bytes
    certificate_message: bytes

    def to_bytes(self) -> bytes:
        claim = self.claim
        act = [claim.act.digest, self.act_message, claim.act.sealed]
        certificate = [claim.certificate.digest, self.certificate_message, claim.certificate.sealed]
        return encode([FORM, claim.origin, claim.entry, claim.statement, act, certificate])

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Raises ``EvidenceFileError``."""
        match read_form(data):
            case [
                str(form),
                str(origin),
                int(entry),
                bytes(statement),
                [bytes(act), bytes(act_message), bytes(act_sealed)],
                [bytes(certificate), bytes(certificate_message), bytes(certificate_sealed)],
            ] if form == FORM:
                first = SealedEvidence(act, act_message[1:HEAD_BYTES], act_sealed)
                second = SealedEvidence(certificate, certificate_message[1:HEAD_BYTES], certificate_sealed)
                return cls(checked(Claim(origin, entry, statement, first, second)), act_message, certificate_message)
        raise EvidenceFileError(reason="another form")


def read_form(data: bytes) -> object:
    """The value of a file's bytes; raises ``EvidenceFileError``."""
    try:
        return decode(data)
    except EncodingError as error:
        raise EvidenceFileError(reason="not CBOR") from error


def checked(claim: Claim) -> Claim:
    """The claim itself; raises ``EvidenceFileError`` for a digest or an index that can be none."""
    digests = (claim.statement, claim.act.digest, claim.certificate.digest)
    if claim.entry < 0 or any(len(one) != DIGEST_BYTES for one in digests):
        raise EvidenceFileError(reason="another form")
    return claim
