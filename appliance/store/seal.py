"""Sealed bytes, and secrets that lie in the encrypted database."""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from appliance.errors import UntrustedError
from appliance.store.database import Transaction

KEY_BYTES = 32
# Each key encrypts exactly one text, so a fixed nonce is never used twice with it.
NONCE = bytes(12)


class SealError(UntrustedError):
    """Stored bytes that do not decrypt in their place: damaged, swapped or forged."""

    code = "store.seal"


def seal_with(key: bytes, plain: bytes, context: bytes) -> bytes:
    """AES-256-GCM; ``context`` binds the sealed bytes to the place where they lie."""
    return AESGCM(key).encrypt(NONCE, plain, context)


def open_with(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """The plain bytes; raises ``SealError``."""
    try:
        return AESGCM(key).decrypt(NONCE, sealed, context)
    except (InvalidTag, ValueError) as error:
        raise SealError() from error


def read_secret(transaction: Transaction, name: str) -> bytes:
    """32 random bytes kept in the encrypted database under this name, made at the first call."""
    found = transaction.row("SELECT value FROM secret WHERE name = ?", (name,))
    if found is None:
        value = os.urandom(KEY_BYTES)
        transaction.run("INSERT INTO secret VALUES (?, ?)", (name, value))
        return value
    return bytes(found[0])
