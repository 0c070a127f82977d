"""The card's own signature: the proof that it holds the key its certificate speaks of."""

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

from appliance.errors import UntrustedError
from appliance.trust.chain import AuthenticationCertificate

SHA256_BYTES: Final = 32


class BadSignatureError(UntrustedError):
    """The key in the certificate did not make this signature over this digest."""

    code = "card.untrusted_bad_signature"


def verify_signature(certificate: AuthenticationCertificate, digest: bytes, signature: bytes) -> None:
    """Checks a signature over a SHA-256 digest: PKCS#1 v1.5 (RFC 8017 section 8.2.2) or ECDSA in DER, as the key is.

    Raises ``BadSignatureError``, and ``ValueError`` for a digest of another length.
    """
    if len(digest) != SHA256_BYTES:
        raise ValueError(f"a SHA-256 digest has {SHA256_BYTES} bytes, not {len(digest)}")
    hashed, key = Prehashed(hashes.SHA256()), certificate.public_key
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(signature, digest, padding.PKCS1v15(), hashed)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(signature, digest, ec.ECDSA(hashed))
        else:
            raise BadSignatureError(reason="kind of key")
    except InvalidSignature as error:
        raise BadSignatureError(reason="signature") from error
