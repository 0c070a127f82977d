"""What is known about the revocation of a card, and how old that knowledge is. Never a bare "valid"."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from appliance.errors import UntrustedError


class RevokedError(UntrustedError):
    """The card was reported lost, replaced, or its holder moved or died."""

    code = "card.untrusted_revoked"


@dataclass(frozen=True)
class Revocation:
    """``as_of`` is when the list or answer was made, aware of its time zone; None if nobody asked yet."""

    revoked: bool = False
    as_of: datetime | None = None

    def __post_init__(self) -> None:
        if self.revoked and self.as_of is None:
            raise ValueError("a revocation without a date says nothing")

    def age(self, now: datetime) -> timedelta | None:
        """How old the knowledge is, never under zero; None if there is none."""
        return None if self.as_of is None else max(now - self.as_of, timedelta())

    def check(self) -> None:
        """Raises ``RevokedError`` for a card known to be revoked. Not knowing is no reason to refuse."""
        if self.revoked:
            raise RevokedError(as_of=str(self))

    def __str__(self) -> str:
        """``not checked``, or the UTC date and time of the knowledge."""
        if self.as_of is None:
            return "not checked"
        return f"as of {self.as_of.astimezone(UTC).strftime('%Y-%m-%dT%H:%MZ')}"


NOT_CHECKED = Revocation()
