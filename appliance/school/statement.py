"""What a guardian's card signs: exactly what the screen showed, bound to this school, moment and purpose.

The canonical form is deterministic CBOR of ``[domain, {...}]``. The domain keeps the signature from meaning anything
elsewhere, and no page chooses these bytes: they are made here from the sentences that the page was given to show.
"""

import hashlib
from dataclasses import dataclass
from typing import Any, Self

from appliance.errors import UntrustedError
from appliance.ledger.encoding import EncodingError, decode, encode

DOMAIN = "madoguchi statement v1"
NONCE_BYTES = 16
END_MS = 32_503_680_000_000
"""The year 3000, in milliseconds since 1970: no clock of a box says so, and every calendar goes on for longer."""


class StatementFormError(UntrustedError):
    """Bytes that are no statement, or not the canonical form of one, or one of a version that is not known."""

    code = "statement.form"


@dataclass(frozen=True, slots=True)
class Statement:
    """``lines`` are the sentences shown, in the person's ``language`` and without readings; ``time_ms`` is since
    1970 by the box's clock; ``nonce`` is random."""

    purpose: str
    school_code: str
    school_name: str
    language: str
    lines: tuple[str, ...]
    nonce: bytes
    time_ms: int

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """The statement of which exactly these bytes are the canonical form; raises ``StatementFormError``."""
        try:
            value = decode(data)
        except EncodingError as error:
            raise StatementFormError(reason="not canonical") from error
        match value:
            case [
                str(domain),
                {
                    "purpose": str(purpose),
                    "school": str(code),
                    "school_name": str(name),
                    "language": str(language),
                    "lines": [*lines],
                    "nonce": bytes(nonce),
                    "time_ms": int(time_ms),
                },
            ] if domain == DOMAIN:
                texts = tuple(one for one in lines if isinstance(one, str))
                statement = cls(purpose, code, name, language, texts, nonce, time_ms)
                # Whatever is more than a statement has is not in what is made of it anew.
                if statement.canonical() == data and len(nonce) == NONCE_BYTES and 0 <= time_ms < END_MS:
                    return statement
        raise StatementFormError(reason="another form")

    def said(self) -> dict[str, Any]:
        """Everything but the nonce, ready for JSON."""
        return {
            "purpose": self.purpose,
            "school": self.school_code,
            "school_name": self.school_name,
            "language": self.language,
            "lines": list(self.lines),
            "time_ms": self.time_ms,
        }

    def canonical(self) -> bytes:
        """The bytes whose SHA-256 the card signs."""
        return encode(
            [
                DOMAIN,
                {
                    "purpose": self.purpose,
                    "school": self.school_code,
                    "school_name": self.school_name,
                    "language": self.language,
                    "lines": list(self.lines),
                    "nonce": self.nonce,
                    "time_ms": self.time_ms,
                },
            ]
        )

    def digest(self) -> bytes:
        """SHA-256 of the canonical form, 32 bytes."""
        return hashlib.sha256(self.canonical()).digest()
