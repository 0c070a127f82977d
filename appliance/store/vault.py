"""Bodies and other personal bytes, each under a key of its own.

AES-256-GCM with a fresh key for each body; that key is wrapped (AES-KW, RFC 3394) under one that lies in the
encrypted database, hence under the database key. Losing the wrapped key loses exactly that body.
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
WRAPPING_KEY = "body-wrapping-key"


class SealError(UntrustedError):
    """Stored bytes that do not decrypt in their place: damaged, swapped or forged."""

    code = "store.seal"


class Vault:
    """Seals and opens; ``context`` binds the sealed bytes to the place where they lie."""

    def __init__(self, wrapping_key: bytes) -> None:
        self._wrapping_key = wrapping_key

    @classmethod
    def of(cls, database: Database) -> Self:
        """With the wrapping key of this database, made at the first call."""
        with database.transaction() as transaction:
            return cls(read_secret(transaction, WRAPPING_KEY))

    def seal(self, plain: bytes, context: bytes) -> tuple[bytes, bytes]:
        """(wrapped key, sealed bytes)."""
        key = os.urandom(KEY_BYTES)
        return aes_key_wrap(self._wrapping_key, key), AESGCM(key).encrypt(NONCE, plain, context)

    def open(self, wrapped: bytes, sealed: bytes, context: bytes) -> bytes:
        """The plain bytes; raises ``SealError``."""
        try:
            return AESGCM(aes_key_unwrap(self._wrapping_key, wrapped)).decrypt(NONCE, sealed, context)
        except (InvalidTag, InvalidUnwrap, ValueError) as error:
            raise SealError() from error


def read_secret(transaction: Transaction, name: str) -> bytes:
    """32 random bytes kept in the encrypted database under this name, made at the first call."""
    found = transaction.row("SELECT value FROM secret WHERE name = ?", (name,))
    if found is None:
        value = os.urandom(KEY_BYTES)
        transaction.run("INSERT INTO secret VALUES (?, ?)", (name, value))
        return value
    return bytes(found[0])
