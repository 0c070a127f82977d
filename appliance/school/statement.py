"""What a guardian's card signs: exactly what the screen showed, bound to this school, moment and purpose.

The canonical form is deterministic CBOR of ``[domain, {...}]``. The domain keeps the signature from meaning anything
elsewhere, and no page chooses these bytes: they are made here from the sentences that the page was given to show.
"""

import hashlib
from dataclasses import dataclass

from appliance.ledger.encoding import encode

DOMAIN = "madoguchi statement v1"
NONCE_BYTES = 16


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
