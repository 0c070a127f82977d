"""The card's own signature: the proof that it holds the key its certificate speaks of.

The certificate's key decides what is hashed how, here and nowhere else: whoever wants something signed hands over the
message, and what comes back is checked against the message.
"""

import hashlib
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature

from appliance.errors import UntrustedError
from appliance.trust.chain import CardCertificate

P256_BITS: Final = 256
P384_BITS: Final = 384


class BadSignatureError(UntrustedError):
    """The key in the certificate did not make this signature over this message."""

    code = "card.untrusted_bad_signature"


def digest_for(certificate: CardCertificate, message: bytes) -> bytes:
    """What the card of this certificate signs for a message: SHA-256, or a curve's own size of hash (FIPS 186-5)."""
    return hashlib.new(_hash_of(certificate).name, message).digest()


def verify_signature(certificate: CardCertificate, message: bytes, signature: bytes) -> None:
    """Checks a signature over ``digest_for(certificate, message)``. Raises ``BadSignatureError``.

    By RSA: PKCS#1 v1.5 (RFC 8017 section 8.2.2). By a curve: ECDSA, in DER or as r and s side by side; which of the
    two the coming cards give is not published.
    """
    key, hashed = certificate.public_key, _hash_of(certificate)
    prehashed, digest = Prehashed(hashed), digest_for(certificate, message)
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, digest, padding.PKCS1v15(), prehashed)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(_in_der(signature, key), digest, ec.ECDSA(prehashed))
        else:
            raise BadSignatureError(reason="kind of key")
    except InvalidSignature as error:
        raise BadSignatureError(reason="signature") from error


def _hash_of(certificate: CardCertificate) -> hashes.HashAlgorithm:
    key = certificate.public_key
    if not isinstance(key, ec.EllipticCurvePublicKey) or key.key_size <= P256_BITS:
        return hashes.SHA256()
    return hashes.SHA384() if key.key_size <= P384_BITS else hashes.SHA512()


def _in_der(signature: bytes, key: ec.EllipticCurvePublicKey) -> bytes:
    half = (key.key_size + 7) // 8
    if len(signature) != 2 * half:
        return signature
    r, s = int.from_bytes(signature[:half]), int.from_bytes(signature[half:])
    return encode_dss_signature(r, s)
