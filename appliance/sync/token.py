"""The one-time token by which a box finds its hub, knows it, and is let in; and the message that it pays with.

A token is typed or pasted: Crockford's base32 in groups of five. In it are the secret, the fingerprint of the hub's
authority and the address of its enrolment endpoint, so that nothing else has to be believed, not even the name service.
"""

import base64
import binascii
import hashlib
import json
import os
import re
from dataclasses import dataclass
from typing import Self

from appliance.errors import RefusedError
from appliance.sync.enrolment import MAX_DOCUMENT_BYTES

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
MISREAD = str.maketrans("OIL", "011")
VERSION, GROUP = 1, 5
SECRET_BYTES, FINGERPRINT_BYTES, CHECK_BYTES = 10, 16, 2
HEAD_BYTES = 1 + SECRET_BYTES + FINGERPRINT_BYTES + 2
MOST_SYMBOLS = 600
AUTHORITY_PATH, ENROL_PATH = "/v1/authority", "/v1/enrol"
FORM = "madoguchi enrolment by token 1"
MAX_MESSAGE_BYTES = 2 * MAX_DOCUMENT_BYTES


class TokenFormError(RefusedError):
    """What was typed is no token: a symbol is wrong or missing."""

    code = "enrolment.token_form"


@dataclass(frozen=True, slots=True)
class Token:
    """``secret`` is 10 bytes, ``fingerprint`` the first 16 of the SHA-256 of the authority's certificate (DER)."""

    secret: bytes
    fingerprint: bytes
    host: str
    port: int

    @classmethod
    def make(cls, authority_der: bytes, host: str, port: int) -> Self:
        return cls(os.urandom(SECRET_BYTES), fingerprint(authority_der), host, port)

    def __repr__(self) -> str:
        return f"Token({self.host}:{self.port})"  # a secret in a traceback is a secret no more

    @property
    def seed(self) -> bytes:
        """32 bytes: the Ed25519 key with which the box proves that it has the token; the hub keeps its public half."""
        return hashlib.sha256(b"madoguchi enrolment token key 1\0" + self.secret + self.fingerprint).digest()

    def to_text(self) -> str:
        """In groups of five symbols, with hyphens."""
        head = bytes([VERSION]) + self.secret + self.fingerprint + self.port.to_bytes(2, "big")
        data = head + self.host.encode("idna" if not self.host.isascii() else "ascii")
        data += hashlib.sha256(data).digest()[:CHECK_BYTES]
        number, count = int.from_bytes(data, "big"), -(-len(data) * 8 // 5)
        symbols = "".join(ALPHABET[number >> 5 * place & 31] for place in reversed(range(count)))
        return "-".join(symbols[at : at + GROUP] for at in range(0, count, GROUP))

    @classmethod
    def from_text(cls, text: str) -> Self:
        """Takes small letters, spaces and the letters that look like digits too; raises ``TokenFormError``."""
        symbols = re.sub(r"[\s-]", "", text).upper().translate(MISREAD)
        if not 0 < len(symbols) <= MOST_SYMBOLS or any(one not in ALPHABET for one in symbols):
            raise TokenFormError()
        number = 0
        for one in symbols:
            number = number << 5 | ALPHABET.index(one)
        length = len(symbols) * 5 // 8
        if number >> 8 * length:
            raise TokenFormError()
        data = number.to_bytes(length, "big")
        head, check = data[:-CHECK_BYTES], data[-CHECK_BYTES:]
        host, port = head[HEAD_BYTES:], int.from_bytes(head[HEAD_BYTES - 2 : HEAD_BYTES], "big")
        if hashlib.sha256(head).digest()[:CHECK_BYTES] != check or head[:1] != bytes([VERSION]) or not port:
            raise TokenFormError()
        if re.fullmatch(rb"[0-9A-Za-z.:_-]{1,253}", host) is None:
            raise TokenFormError()
        at = 1 + SECRET_BYTES
        return cls(head[1:at], head[at : at + FINGERPRINT_BYTES], host.decode("ascii"), port)


def fingerprint(authority_der: bytes) -> bytes:
    """The part of a certificate's SHA-256 that a token has room for: 16 bytes, against second preimages."""
    return hashlib.sha256(authority_der).digest()[:FINGERPRINT_BYTES]


def transcript(request: bytes, server_der: bytes) -> bytes:
    """What the box signs: its request, and the certificate of the very server that it sees.

    A proof that somebody in the middle passes on names another certificate, and is worth nothing to them.
    """
    digests = hashlib.sha256(server_der).digest() + hashlib.sha256(request).digest()
    return b"madoguchi enrolment by token 1\0" + digests


@dataclass(frozen=True, slots=True)
class TokenMessage:
    """``verifier`` is the token's public key (32 bytes), ``proof`` its signature over the transcript (64 bytes),
    ``request`` an ``EnrolmentRequest`` as JSON."""

    verifier: bytes
    proof: bytes
    request: bytes

    def to_json(self) -> bytes:
        parts = {"verifier": self.verifier, "proof": self.proof, "request": self.request}
        texts = {name: base64.b64encode(part).decode("ascii") for name, part in parts.items()}
        return json.dumps({"form": FORM, **texts}).encode()

    @classmethod
    def from_json(cls, data: bytes) -> Self:
        """Raises ``TokenFormError``."""
        try:
            value = json.loads(data)
            if len(data) > MAX_MESSAGE_BYTES or value["form"] != FORM:
                raise TokenFormError()
            parts = [base64.b64decode(value[name], validate=True) for name in ("verifier", "proof", "request")]
        except (ValueError, TypeError, KeyError, RecursionError, binascii.Error) as error:
            raise TokenFormError() from error
        return cls(*parts)
