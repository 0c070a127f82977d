"""What an installer's check lets the card sign: never the bytes somebody chose, always a statement of its own kind."""

from typing import Final

import cbor2

DOMAIN: Final = "madoguchi installer check v1"


def statement_message(text: str, nonce: bytes, time_s: int) -> bytes:
    """The statement in deterministic CBOR (RFC 8949 section 4.2.1).

    The statement is the array of ``DOMAIN``, the text, the nonce and the time in seconds since 1970 (UTC). The first
    item keeps a signature made here from standing for anything that a guardian declared.
    """
    return cbor2.dumps([DOMAIN, text, nonce, time_s], canonical=True)
