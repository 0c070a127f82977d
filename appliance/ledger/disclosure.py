"""Disclosure: the verifier shows an auditor one act and nothing else.

The auditor is given the keys of two items, the act's and its certificate's, sealed with HPKE for the auditor alone and
bound to everything else that the disclosure says. It is deterministic CBOR: ``[FORM, origin, entry, statement, act,
certificate, keys]``; the items are each ``[digest, epoch, sealed item]``, ``keys`` is the HPKE message. Neither of the
keys tells anything of the key of an epoch (``evidence``), so no other item opens with them.
"""

import hashlib
from dataclasses import dataclass, field
from typing import Self

from appliance.errors import ConfigError, UntrustedError
from appliance.ledger.encoding import encode
from appliance.ledger.evidence import (
    KEY_BYTES,
    EvidenceOpener,
    SealedEvidence,
    SignedStatement,
    open_certificate,
    open_statement,
)
from appliance.ledger.evidence_file import Claim, EvidenceFile, EvidenceFileError, checked, read_form
from appliance.ledger.recipient import EvidenceError, EvidenceKeyError, Recipient, seal_for

FORM = "madoguchi evidence disclosure 1"
INFO = b"madoguchi evidence disclosure 1"
KEY_VERSION = b"\x01"


class AuditorKeyError(ConfigError):
    """Not a file of an auditor's key, or the other one of the pair."""

    code = "evidence.auditor_key"


class OtherCertificateError(UntrustedError):
    """The certificate is not the one that was on the reader when the statement was signed."""

    code = "evidence.other_certificate"


@dataclass(frozen=True, slots=True)
class ItemKeys:
    """The keys of the items of one act and of its certificate."""

    act: bytes = field(repr=False)
    certificate: bytes = field(repr=False)


class Auditor(Recipient):
    """Somebody to whom single acts are shown. The files of both keys are the version, then what ``Recipient`` says."""

    @classmethod
    def from_file(cls, data: bytes) -> Self:
        """Raises ``AuditorKeyError``."""
        try:
            return cls.from_bytes(_raw_key(data))
        except EvidenceKeyError as error:
            raise AuditorKeyError(reason="no auditor's private key") from error

    def private_file(self) -> bytes:
        return KEY_VERSION + self.to_bytes()

    def public_file(self) -> bytes:
        return KEY_VERSION + self.public_bytes()


@dataclass(frozen=True, slots=True)
class Disclosure:
    """``sealed_keys`` is the HPKE message to the auditor."""

    claim: Claim
    sealed_keys: bytes

    def keys(self, auditor: Auditor) -> ItemKeys:
        """Raises ``EvidenceError`` for another auditor, or if anything of the claim was changed."""
        plain = auditor.unseal(self.sealed_keys, INFO + _digest(self.claim))
        if len(plain) != 2 * KEY_BYTES:
            raise EvidenceError(reason="content")
        return ItemKeys(plain[:KEY_BYTES], plain[KEY_BYTES:])

    def to_bytes(self) -> bytes:
        return encode([*_elements(self.claim), self.sealed_keys])

    @classmethod
    def from_bytes(cls, data: bytes) -> Self:
        """Raises ``EvidenceFileError``."""
        match read_form(data):
            case [
                str(form),
                str(origin),
                int(entry),
                bytes(statement),
                [bytes(act), bytes(act_epoch), bytes(act_sealed)],
                [bytes(certificate), bytes(certificate_epoch), bytes(certificate_sealed)],
                bytes(keys),
            ] if form == FORM:
                first = SealedEvidence(act, act_epoch, act_sealed)
                second = SealedEvidence(certificate, certificate_epoch, certificate_sealed)
                return cls(checked(Claim(origin, entry, statement, first, second)), keys)
        raise EvidenceFileError(reason="another form")


def item_keys(file: EvidenceFile, verifier: EvidenceOpener) -> ItemKeys:
    """The keys of the two items of a file; raises ``EvidenceError``."""
    return ItemKeys(
        verifier.item_key(file.act_message, file.claim.act),
        verifier.item_key(file.certificate_message, file.claim.certificate),
    )


def disclose(file: EvidenceFile, verifier: EvidenceOpener, auditor_file: bytes) -> Disclosure:
    """``auditor_file`` is the file of the auditor's public key.

    Raises ``AuditorKeyError``, ``EvidenceError``, or ``OtherCertificateError``: a file that named another item in the
    place of the certificate would have the verifier give away one more key than was asked for.
    """
    keys = item_keys(file, verifier)
    act, der = open_statement(keys.act, file.claim.act), open_certificate(keys.certificate, file.claim.certificate)
    check_certificate(act, der)
    try:
        sealed = seal_for(_raw_key(auditor_file), keys.act + keys.certificate, INFO + _digest(file.claim))
    except EvidenceKeyError as error:
        raise AuditorKeyError(reason="no auditor's public key") from error
    return Disclosure(file.claim, sealed)


def check_certificate(act: SignedStatement, der: bytes) -> None:
    """Raises ``OtherCertificateError`` unless the statement lay beside the digest of this certificate."""
    if hashlib.sha256(der).digest() != act.certificate:
        raise OtherCertificateError()


def _raw_key(data: bytes) -> bytes:
    if data[:1] != KEY_VERSION:
        raise EvidenceKeyError(reason="version")
    return data[1:]


def _elements(claim: Claim) -> list[object]:
    items = [[one.digest, one.epoch, one.sealed] for one in (claim.act, claim.certificate)]
    return [FORM, claim.origin, claim.entry, claim.statement, *items]


def _digest(claim: Claim) -> bytes:
    return hashlib.sha256(encode(_elements(claim))).digest()
