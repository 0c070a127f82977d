"""Bodies and other personal bytes, each under a key of its own.

AES-256-GCM with a fresh key for each body; keys are wrapped (AES-KW, RFC 3394), those of one append together, under one
that lies in the encrypted database, hence under the database key. Losing a body's key loses exactly that body.
"""

import os
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.keywrap import InvalidUnwrap, aes_key_unwrap, aes_key_wrap

from appliance.errors import UntrustedError
from appliance.store.database import Database, Transaction

KEY_BYTES = 32
# Each key encrypts exactly one text, so a fixed nonce is never used twice with it.
NONCE = bytes(12)
NO_KEY = bytes(KEY_BYTES)  # stands where a body was erased or never came
WRAPPING_KEY = "body-wrapping-key"


class SealError(UntrustedError):
    """Stored bytes that do not decrypt in their place: damaged, swapped or forged."""

    code = "store.seal"


class Vault:
    """Wraps the keys of bodies."""

    def __init__(self, wrapping_key: bytes) -> None:
        self._wrapping_key = wrapping_key

    @classmethod
    def of(cls, database: Database) -> Self:
        """With the wrapping key of this database, made at the first call."""
        with database.transaction() as transaction:
            return cls(read_secret(transaction, WRAPPING_KEY))

    def wrap(self, keys: bytes) -> bytes:
        """Keys of ``KEY_BYTES`` each, one after the other, under the wrapping key (AES-KW, RFC 3394)."""
        return aes_key_wrap(self._wrapping_key, keys)

    def unwrap(self, wrapped: bytes) -> bytes:
        """What ``wrap`` was given; raises ``SealError``."""
        try:
            return aes_key_unwrap(self._wrapping_key, wrapped)
        except (InvalidUnwrap, ValueError) as error:
            raise SealError() from error


def fresh_keys(count: int) -> list[bytes]:
    """Keys for exactly one body each."""
    drawn = os.urandom(count * KEY_BYTES)
    return [drawn[at : at + KEY_BYTES] for at in range(0, len(drawn), KEY_BYTES)]


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
