"""Signed tree heads: the writer's checkpoint and the mirror's cosignature.

Both are COSE_Sign1 (RFC 9052 section 4.2, ES256) over the detached Merkle root, shaped so that adding an inclusion
proof to the unprotected header turns them into a COSE Receipt (RFC 9942). The protected header holds the algorithm,
the key id, ``vds`` = RFC9162_SHA256 and CWT claims (RFC 9597): who signs, for which ledger, its size and the time.
A cosignature has the claim ``sub`` (the ledger it confirms) and a checkpoint has not, so neither passes for the other.
"""

from dataclasses import dataclass
from typing import Any

from appliance.errors import UntrustedError
from appliance.ledger.encoding import EncodingError, decode, encode
from appliance.ledger.keys import ES256_ALG, SignatureError, Signer, SigningKey, Verifier, VerifyingKey
from appliance.ledger.signers import Pinned, Signers

SIGN1_TAG = b"\xd2"
"""Tag 18, which RFC 9052 gives to COSE_Sign1, as its one byte."""
ALG, KID, CWT_CLAIMS, VDS, VDP = 1, 4, 15, 395, 396
RFC9162_SHA256 = 1
ISS, SUB, IAT, SIZE = 1, 2, 6, -65537
COSIGNATURE = -65538
"""Unprotected header of a receipt: the hub's cosignature of the same root."""


class CheckpointError(UntrustedError):
    """Bytes that are no checkpoint, or one of another ledger."""

    code = "ledger.checkpoint"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A verified tree head. ``signer`` is the ledger's own origin, or the hub's name in a cosignature; ``time_s`` is
    the signer's wall clock in seconds since 1970; ``cose`` the signed bytes without any proof."""

    origin: str
    signer: str
    size: int
    root: bytes
    time_s: int
    cose: bytes


def sign_checkpoint(origin: str, size: int, root: bytes, time_s: int, key: Signer) -> bytes:
    """The writer's own signature of its head: the device's, or the archive's of an earlier one."""
    return _sign({ISS: origin, IAT: time_s, SIZE: size}, root, key)


def cosign(checkpoint: Checkpoint, signer: str, time_s: int, key: SigningKey) -> bytes:
    """The mirror's confirmation that it has stored everything up to this checkpoint."""
    return _sign({ISS: signer, SUB: checkpoint.origin, IAT: time_s, SIZE: checkpoint.size}, checkpoint.root, key)


def open_checkpoint(cose: bytes, root: bytes, origin: str, keys: Pinned) -> Checkpoint:
    """Verifies a checkpoint against a root that the caller computed.

    1. The bytes are one COSE_Sign1 with the expected header and no payload.
    2. The signer is the ledger itself and the ledger is the expected one.
    3. The key id is that of a pinned key which may sign at this size, and its signature covers header and root.

    Raises ``CheckpointError``, ``SignatureError`` or ``KeyEndedError``.
    """
    claims, protected, _ = _parse(cose, None)
    return open_signed_by(cose, root, origin, Signers.of(keys).for_checkpoint(claimed_key(protected), claims[SIZE]))


def open_signed_by(cose: bytes, root: bytes, origin: str, key: Verifier) -> Checkpoint:
    """Verifies a checkpoint by exactly this key, of whatever algorithm, with the same three steps."""
    claims, protected, signature = _parse(cose, key)
    if SUB in claims or claims[ISS] != origin:
        raise CheckpointError(reason="other ledger", origin=origin)
    key.verify(signature, signature_input(protected, root))
    return Checkpoint(origin, origin, claims[SIZE], root, claims[IAT], cose)


def open_cosignature(cose: bytes, root: bytes, origin: str, key: VerifyingKey) -> Checkpoint:
    """Verifies a cosignature of this ledger at this root, with the same three steps as ``open_checkpoint``."""
    claims, protected, signature = _parse(cose, key)
    if claims.get(SUB) != origin:
        raise CheckpointError(reason="other ledger", origin=origin)
    key.verify(signature, signature_input(protected, root))
    return Checkpoint(origin, claims[ISS], claims[SIZE], root, claims[IAT], cose)


def claimed_size(cose: bytes) -> int:
    """The size that a checkpoint or cosignature speaks of, before it is verified; raises ``CheckpointError``."""
    return int(_parse(cose, None)[0][SIZE])


def claimed_signer(cose: bytes) -> bytes:
    """The id of the key that a checkpoint or cosignature claims to be signed with; raises ``CheckpointError``."""
    _, protected, _ = _parse(cose, None)
    return claimed_key(protected)


def claimed_time_s(cose: bytes) -> int:
    """The signer's time of a checkpoint or cosignature that was verified before; raises ``CheckpointError``."""
    return int(_parse(cose, None)[0][IAT])


def signature_input(protected: bytes, payload: bytes) -> bytes:
    """Sig_structure of RFC 9052 section 4.4 with empty external data."""
    return encode(["Signature1", protected, b"", payload])


def sign1(protected: bytes, unprotected: dict[Any, Any], signature: bytes) -> bytes:
    """The tagged message with a detached payload."""
    return SIGN1_TAG + encode([protected, unprotected, None, signature])


def parse_sign1(cose: bytes) -> tuple[bytes, dict[Any, Any], bytes]:
    """(protected, unprotected, signature) of a COSE_Sign1 with detached payload; raises ``CheckpointError``."""
    if not cose.startswith(SIGN1_TAG):
        raise CheckpointError(reason="not a COSE_Sign1")
    try:
        parts = decode(cose[len(SIGN1_TAG) :])
    except EncodingError as error:
        raise CheckpointError(reason="not a COSE_Sign1") from error
    if not isinstance(parts, list) or len(parts) != 4:
        raise CheckpointError(reason="not a COSE_Sign1")
    protected, unprotected, payload, signature = parts
    if not isinstance(protected, bytes) or not isinstance(unprotected, dict) or payload is not None:
        raise CheckpointError(reason="not a COSE_Sign1 with detached payload")
    if not isinstance(signature, bytes):
        raise CheckpointError(reason="no signature")
    return protected, unprotected, signature


def read_claims(protected: bytes, key: Verifier | None) -> dict[int, Any]:
    """The CWT claims of a protected header, checked for form and, with a key, for its id; without one for ES256."""
    try:
        header = decode(protected)
    except EncodingError as error:
        raise CheckpointError(reason="header") from error
    if not isinstance(header, dict) or set(header) != {ALG, KID, CWT_CLAIMS, VDS}:
        raise CheckpointError(reason="header")
    if (
        header[ALG] != (ES256_ALG if key is None else key.alg)
        or header[VDS] != RFC9162_SHA256
        or type(header[VDS]) is not int
    ):
        raise CheckpointError(reason="algorithm")
    if key is not None and header[KID] != key.key_id:
        raise SignatureError(reason="other key")
    claims = header[CWT_CLAIMS]
    if not isinstance(claims, dict) or not {ISS, IAT, SIZE} <= set(claims) <= {ISS, SUB, IAT, SIZE}:
        raise CheckpointError(reason="claims")
    if not all(type(claims[one]) is int and claims[one] >= 0 for one in (IAT, SIZE)):
        raise CheckpointError(reason="claims")
    if not all(isinstance(claims.get(one, ""), str) for one in (ISS, SUB)):
        raise CheckpointError(reason="claims")
    return claims


def claimed_key(protected: bytes) -> bytes:
    """The key id in a protected header that ``read_claims`` found in form; raises ``CheckpointError``."""
    key_id = decode(protected)[KID]
    if not isinstance(key_id, bytes):
        raise CheckpointError(reason="header")
    return key_id


def _sign(claims: dict[int, Any], root: bytes, key: Signer) -> bytes:
    protected = encode({ALG: key.public.alg, KID: key.public.key_id, CWT_CLAIMS: claims, VDS: RFC9162_SHA256})
    return sign1(protected, {}, key.sign(signature_input(protected, root)))


def _parse(cose: bytes, key: Verifier | None) -> tuple[dict[int, Any], bytes, bytes]:
    protected, unprotected, signature = parse_sign1(cose)
    if unprotected:
        raise CheckpointError(reason="unexpected header")
    return read_claims(protected, key), protected, signature
