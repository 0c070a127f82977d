"""The numbered list by which the verifier, or an auditor, looks at the evidence of one act."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol

from appliance.errors import MadoguchiError, UntrustedError
from appliance.ledger.disclosure import ItemKeys, check_certificate
from appliance.ledger.evidence import check_digest, open_certificate, open_statement
from appliance.ledger.evidence_file import Claim
from appliance.trust.anchors import Anchor
from appliance.trust.chain import verify
from appliance.trust.policy import Policy
from appliance.trust.signature import verify_signature

CHECKS = ("item", "key", "content", "form", "statement", "certificate", "chain", "signature")
"""The names of the checks in their order; see ``examine``."""


class OtherStatementError(UntrustedError):
    """The statement is not the one that the entry names."""

    code = "evidence.other_statement"


class Readable(Protocol):
    """What a person read before the card signed it; ``time_ms`` is since 1970."""

    @property
    def time_ms(self) -> int: ...

    def said(self) -> dict[str, Any]:
        """What it says, for people and for JSON."""
        ...


@dataclass(frozen=True)
class Examination:
    """``passed`` are the checks that hold; ``fault`` is what the next one found, None if all of them hold.

    ``statement`` is there as soon as it could be read, but it is proven only without a fault. ``is_test`` says that
    the card was one of the look-alike hierarchy.
    """

    claim: Claim
    passed: tuple[str, ...]
    fault: MadoguchiError | None
    statement: Readable | None
    is_test: bool

    @property
    def good(self) -> bool:
        return self.fault is None

    def summary(self) -> dict[str, Any]:
        """All of it, ready for JSON. The certificate is not in it: its serial number serves the check alone."""
        failed = CHECKS[len(self.passed)] if self.fault is not None else None
        results = {name: "good" if name in self.passed else "failed" if name == failed else "open" for name in CHECKS}
        said: dict[str, Any] = {
            "verdict": "good" if self.good else "refused",
            "checks": [{"check": name, "result": result} for name, result in results.items()],
            "origin": self.claim.origin,
            "entry": self.claim.entry,
            "statement": None if self.statement is None else self.statement.said(),
            "test_card": self.is_test,
        }
        return said if self.fault is None else {**said, "error": self.fault.code, "fields": self.fault.fields}


def examine(
    claim: Claim,
    keys: Callable[[], ItemKeys],
    anchors: Sequence[Anchor],
    policy: Policy,
    read: Callable[[bytes], Readable],
) -> Examination:
    """Looks at the evidence until something is wrong. ``keys`` opens what carries the items' keys to whoever looks,
    ``read`` reads a statement in its canonical form; both raise an ``UntrustedError``.

    1. item: both items are the bytes that their digests name.
    2. key: the key in hand opens the messages of the epochs, or the disclosure.
    3. content: each item opens with its own key and holds what it should.
    4. form: the statement is in its canonical form.
    5. statement: its SHA-256 is the one that the entry names.
    6. certificate: the SHA-256 of the certificate is the one that lies beside the statement.
    7. chain: an anchor issued the certificate, and it was in force when the statement was signed.
    8. signature: the card signed exactly this statement.

    Not checked here: revocation, and whether the ledger holds such an entry.
    """
    passed: list[str] = []
    statement, is_test, fault = None, False, None
    try:
        check_digest(claim.act)  # 1
        check_digest(claim.certificate)
        passed.append("item")
        opened = keys()  # 2
        passed.append("key")
        act = open_statement(opened.act, claim.act)  # 3
        der = open_certificate(opened.certificate, claim.certificate)
        passed.append("content")
        statement = read(act.statement)  # 4
        passed.append("form")
        if hashlib.sha256(act.statement).digest() != claim.statement:  # 5
            raise OtherStatementError()
        passed.append("statement")
        check_certificate(act, der)  # 6
        passed.append("certificate")
        signed_at = datetime.fromtimestamp(statement.time_ms / 1000, UTC)
        certificate = verify(der, anchors, signed_at, policy)  # 7
        is_test = certificate.is_test
        passed.append("chain")
        verify_signature(certificate, act.statement, act.signature)  # 8
        passed.append("signature")
    except UntrustedError as error:
        fault = error
    return Examination(claim, tuple(passed), fault, statement, is_test)
