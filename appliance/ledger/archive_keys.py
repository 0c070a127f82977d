"""The ML-DSA-65 keys (FIPS 204) that seal a ledger for the archive, where its P-256 signatures may have been broken.

In COSE as RFC 9964 has them: algorithm -49, the pure form with an empty context. A public key travels as
SubjectPublicKeyInfo (RFC 9881), a private one as PKCS #8 with its seed of 32 bytes alone.
"""

import hashlib
from typing import Self

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA65PrivateKey, MLDSA65PublicKey

from appliance.errors import ConfigError
from appliance.ledger.keys import KEY_ID_BYTES, SignatureError

ML_DSA_65_ALG = -49
SEED_BYTES = 32
SIGNATURE_BYTES = 3309


class ArchiveKeyFormError(ConfigError):
    """Not an ML-DSA-65 key, or this machine's library knows none."""

    code = "archive.key_form"


class ArchiveVerifyingKey:
    """A public key of the archive. ``spki`` has 1,974 bytes; ``key_id`` is the first 8 bytes of its SHA-256, and
    ``fingerprint`` all 32, for a comparison on paper."""

    alg = ML_DSA_65_ALG

    def __init__(self, key: MLDSA65PublicKey) -> None:
        self._key = key
        self.spki = key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
        self.fingerprint = hashlib.sha256(self.spki).digest()
        self.key_id = self.fingerprint[:KEY_ID_BYTES]

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """From SubjectPublicKeyInfo in PEM; raises ``ArchiveKeyFormError``."""
        try:
            return cls(_public(serialization.load_pem_public_key(pem)))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ArchiveKeyFormError(reason="no public key in PEM") from error

    @classmethod
    def from_spki(cls, spki: bytes) -> Self:
        """From exactly the bytes of ``spki``; raises ``ArchiveKeyFormError``."""
        try:
            made = cls(_public(serialization.load_der_public_key(spki)))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ArchiveKeyFormError(reason="no public key in DER") from error
        if made.spki != spki:
            raise ArchiveKeyFormError(reason="another form of the key")
        return made

    def pem(self) -> bytes:
        return self._key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Raises ``SignatureError`` unless these 3,309 bytes are this key's signature."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature as error:
            raise SignatureError(reason="does not verify") from error


class ArchiveSigningKey:
    """A private key; ``public`` is its other half."""

    def __init__(self, key: MLDSA65PrivateKey) -> None:
        self._key = key
        self.public = ArchiveVerifyingKey(key.public_key())

    @classmethod
    def make(cls) -> Self:
        """Raises ``ArchiveKeyFormError`` where the library knows no ML-DSA."""
        try:
            return cls(MLDSA65PrivateKey.generate())
        except UnsupportedAlgorithm as error:
            raise ArchiveKeyFormError(reason="not supported here") from error

    @classmethod
    def from_seed(cls, seed: bytes) -> Self:
        """From the 32 bytes of FIPS 204, algorithm 1; raises ``ArchiveKeyFormError``."""
        try:
            return cls(MLDSA65PrivateKey.from_seed_bytes(seed))
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ArchiveKeyFormError(reason="no seed") from error

    @classmethod
    def from_pem(cls, pem: bytes) -> Self:
        """From a key in PEM without a password; raises ``ArchiveKeyFormError``."""
        try:
            key = serialization.load_pem_private_key(pem, password=None)
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise ArchiveKeyFormError(reason="no private key in PEM") from error
        if not isinstance(key, MLDSA65PrivateKey):
            raise ArchiveKeyFormError(reason="not an ML-DSA-65 key")
        return cls(key)

    def pem(self) -> bytes:
        return self._key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )

    def seed(self) -> bytes:
        """All there is of the key, in 32 bytes."""
        return self._key.private_bytes_raw()

    def sign(self, message: bytes) -> bytes:
        """3,309 bytes; hedged (FIPS 204 section 3.4), so that no two are equal."""
        return self._key.sign(message)


def _public(key: object) -> MLDSA65PublicKey:
    if not isinstance(key, MLDSA65PublicKey):
        raise ArchiveKeyFormError(reason="not an ML-DSA-65 key")
    return key
