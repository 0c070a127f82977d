"""What the card does with a key once it is allowed to."""

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import NoDigestInfo, Prehashed, decode_dss_signature

from tests.sim.card.pki import PrivateKey

# P1 of COMPUTE DIGITAL SIGNATURE
DIGEST_INFO_MODE, HASH_MODE, PSS_MODE = 0x00, 0x02, 0x04


def sign(key: PrivateKey, data: bytes, mode: int) -> bytes | None:
    """The signature as the card gives it, or ``None`` if the data has a length it does not take.

    RSA pads what it is given (RFC 8017, 9.2, from step 3 on). How the coming cards will give an ECDSA signature is
    not known: here it is r and s, 48 bytes each.
    """
    if isinstance(key, ec.EllipticCurvePrivateKey):
        if len(data) != 48:
            return None
        r, s = decode_dss_signature(key.sign(data, ec.ECDSA(Prehashed(hashes.SHA384()))))
        return r.to_bytes(48) + s.to_bytes(48)
    return _rsa_sign(key, data, mode)


def _rsa_sign(key: rsa.RSAPrivateKey, data: bytes, mode: int) -> bytes | None:
    if mode == DIGEST_INFO_MODE:
        return key.sign(data, padding.PKCS1v15(), NoDigestInfo()) if len(data) <= key.key_size // 8 - 11 else None
    if len(data) != 32:
        return None
    scheme = padding.PKCS1v15() if mode == HASH_MODE else padding.PSS(padding.MGF1(hashes.SHA256()), 32)
    return key.sign(data, scheme, Prehashed(hashes.SHA256()))
