"""The two messages by which a box renews the certificate of its line, over that very line.

The box asks on its lane UP, which the broker lets nobody else write; the hub answers on ACK.
"""

from dataclasses import dataclass
from typing import Any, Self

from appliance.sync.fields import octets, text

REQUEST, ANSWER = 16, 17
MAX_PEM_BYTES = 8192


@dataclass(frozen=True, slots=True)
class RenewalRequest:
    """``certificate_request`` (RFC 2986) is PEM, signed by the key of the line."""

    certificate_request: bytes

    def to_value(self) -> list[Any]:
        """The parts, in the order of the wire."""
        return [REQUEST, self.certificate_request]

    @classmethod
    def read(cls, parts: list[Any]) -> Self:
        """Raises ``ValueError`` or ``TypeError``."""
        (request,) = parts
        return cls(_pem(request))


@dataclass(frozen=True, slots=True)
class RenewalAnswer:
    """``certificate`` is PEM; empty when the hub refused, and ``code`` says why."""

    certificate: bytes
    code: str = ""

    def to_value(self) -> list[Any]:
        """The parts, in the order of the wire."""
        return [ANSWER, self.certificate, self.code]

    @classmethod
    def read(cls, parts: list[Any]) -> Self:
        """Raises ``ValueError`` or ``TypeError``."""
        certificate, code = parts
        return cls(_pem(certificate), text(code))


def _pem(value: Any) -> bytes:
    if len(octets(value)) > MAX_PEM_BYTES:
        raise ValueError
    return octets(value)
