"""A receipt: proof, for whoever holds it, that one entry is in a school's ledger.

It is the CBOR list ``[entry, receipt]``: the entry's own bytes and a COSE Receipt (RFC 9942) made of the box's
checkpoint, an inclusion proof and, once the hub has confirmed, its cosignature of the same root. On paper and in a
QR code it is a text, ``MDG1:`` and base45 (RFC 9285), which fits the alphanumeric mode.
"""

from dataclasses import dataclass
from string import ascii_lowercase
from typing import Any

from appliance.ledger.base45 import Base45Error, decode45, encode45, whole_groups
from appliance.ledger.checkpoint import (
    COSIGNATURE,
    ISS,
    VDP,
    Checkpoint,
    CheckpointError,
    claimed_key,
    open_checkpoint,
    open_cosignature,
    parse_sign1,
    read_claims,
    sign1,
)
from appliance.ledger.encoding import EncodingError, decode, encode
from appliance.ledger.entry import Entry, EntryType
from appliance.ledger.keys import VerifyingKey
from appliance.ledger.merkle import leaf_hash, root_from_inclusion
from appliance.ledger.signers import Pinned, Signers
from appliance.ledger.succession import check_changes

INCLUSION = -1
KEY_CHANGED = EntryType.DEVICE_KEY_CHANGED.number
PREFIX = "MDG1:"
MOST_CHARACTERS = 4296
"""A QR code holds no more (version 40, error correction L, alphanumeric)."""


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """What a receipt proves: this entry, at this index, under this checkpoint, and who confirmed it and when."""

    entry: Entry
    index: int
    checkpoint: Checkpoint
    cosignature: Checkpoint | None


@dataclass(frozen=True, slots=True)
class Claim:
    """Who a receipt says it is from, for finding the keys to verify it with. ``box_key`` and ``hub_key`` are key ids;
    ``hub`` and ``hub_key`` are None in a receipt without a confirmation."""

    origin: str
    box_key: bytes
    hub: str | None
    hub_key: bytes | None


def make_receipt(
    entry: bytes, index: int, size: int, path: list[bytes], checkpoint: bytes, cosigned: bytes | None
) -> bytes:
    """``checkpoint`` and ``cosigned`` are both of the tree of this ``size``."""
    protected, _, signature = parse_sign1(checkpoint)
    proofs = {INCLUSION: [encode([size, index, path])]}
    unprotected = {VDP: proofs} if cosigned is None else {VDP: proofs, COSIGNATURE: cosigned}
    return encode([entry, sign1(protected, unprotected, signature)])


def open_receipt(receipt: bytes, origin: str, box: Pinned, hub: VerifyingKey | None) -> VerifiedReceipt:
    """Verifies a receipt offline, with nothing but the pinned keys.

    1. The bytes are an entry and a COSE Receipt with one inclusion proof.
    2. The proof leads from the entry to a root.
    3. The box's checkpoint signs that root and the proof's tree size, for the expected ledger, with a key that may at
       this size.
    4. The entry tells of a change of the key exactly if these keys have one at its index; else they are not all of
       them, and a key may have signed whose time was over.
    5. If the hub's cosignature is there and its key is given, it confirms the same root and size.

    Raises an ``UntrustedError`` of ``ledger.*`` that says which step failed.
    """
    try:
        parts = decode(receipt)
        if not isinstance(parts, list):
            raise CheckpointError(reason="not a receipt")
        entry, cose = parts
        if not isinstance(entry, bytes) or not isinstance(cose, bytes) or not cose:
            raise CheckpointError(reason="not a receipt")
        protected, unprotected, signature = parse_sign1(cose)
        if not {VDP} <= set(unprotected) <= {VDP, COSIGNATURE}:
            raise CheckpointError(reason="unexpected header")
        size, index, path = _one_proof(unprotected[VDP])
    except (EncodingError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(reason="not a receipt") from error
    if not isinstance(path, list) or not all(isinstance(one, bytes) and len(one) == 32 for one in path):
        raise CheckpointError(reason="not a receipt")
    if type(size) is not int or type(index) is not int:
        raise CheckpointError(reason="not a receipt")
    root = root_from_inclusion(leaf_hash(entry), index, size, path)
    checkpoint = open_checkpoint(sign1(protected, {}, signature), root, origin, box)
    told = Entry.decode(entry)
    check_changes([index] if told.type == KEY_CHANGED else [], Signers.of(box), index, index + 1)
    cosigned = unprotected.get(COSIGNATURE)
    cosignature = None
    if COSIGNATURE in unprotected and not isinstance(cosigned, bytes):
        raise CheckpointError(reason="not a receipt")
    if cosigned is not None and hub is not None:
        cosignature = open_cosignature(cosigned, root, origin, hub)
    if checkpoint.size != size or (cosignature is not None and cosignature.size != size):
        raise CheckpointError(reason="other size")
    return VerifiedReceipt(told, index, checkpoint, cosignature)


def _one_proof(proofs: object) -> list[Any]:
    """The parts of the one inclusion proof in a header ``vdp``; nothing but exactly this form."""
    if not isinstance(proofs, dict) or set(proofs) != {INCLUSION} or not isinstance(proofs[INCLUSION], list):
        raise CheckpointError(reason="not a receipt")
    (encoded,) = proofs[INCLUSION]
    proof = decode(encoded)
    if not isinstance(proof, list):
        raise CheckpointError(reason="not a receipt")
    return proof


def read_claim(receipt: bytes) -> Claim:
    """What a receipt says of itself, before anything is verified; raises ``CheckpointError``."""
    protected, unprotected = _headers(receipt)
    origin, box_key = str(read_claims(protected, None)[ISS]), claimed_key(protected)
    cosigned = unprotected.get(COSIGNATURE)
    if not isinstance(cosigned, bytes):
        return Claim(origin, box_key, None, None)
    protected, _, _ = parse_sign1(cosigned)
    return Claim(origin, box_key, str(read_claims(protected, None)[ISS]), claimed_key(protected))


def read_issuer(receipt: bytes) -> tuple[str, bytes]:
    """The ledger and the key id that a receipt names, whatever its confirmation says; raises ``CheckpointError``."""
    protected, _ = _headers(receipt)
    return str(read_claims(protected, None)[ISS]), claimed_key(protected)


def _headers(receipt: bytes) -> tuple[bytes, dict[Any, Any]]:
    try:
        _, cose = decode(receipt)
    except (EncodingError, ValueError, TypeError) as error:
        raise CheckpointError(reason="not a receipt") from error
    if not isinstance(cose, bytes):
        raise CheckpointError(reason="not a receipt")
    protected, unprotected, _ = parse_sign1(cose)
    return protected, unprotected


def receipt_text(receipt: bytes) -> str:
    """The text that goes into a QR code."""
    return PREFIX + encode45(receipt)


def starts_as_text(text: str) -> bool:
    """Whether this is meant to be a receipt's text, with all that ``parse_receipt_text`` tolerates."""
    return text[: 4 * len(PREFIX)].translate(_COPIED).lstrip().startswith(PREFIX)


def parse_receipt_text(text: str) -> bytes:
    """The bytes of ``receipt_text`` after scanning and copying.

    Tolerated, because no other reading exists: white space before and after (no receipt's text ends in a space), small
    letters, full-width characters as Japanese input methods write them, a no-break space for a space, and lines that
    were broken in one of the three ways of ``_joined``. Anything else that was changed, such as two spaces that became
    one, is refused: raises ``Base45Error``.
    """
    text = text.translate(_COPIED).strip()
    if not text.startswith(PREFIX):
        raise Base45Error(place=1)
    if len(text) > 2 * MOST_CHARACTERS:
        raise Base45Error(place=MOST_CHARACTERS + 1)
    readings = [reading.removeprefix(PREFIX) for reading in _joined(list(filter(None, text.splitlines())))]
    whole = [reading for reading in readings if whole_groups(reading) == len(reading)]
    if not whole:
        raise Base45Error(place=len(PREFIX) + whole_groups(readings[0]) + 1)
    return next(filter(_is_list, map(decode45, whole)), decode45(whole[0]))


def _joined(lines: list[str]) -> list[str]:
    """The ways to undo line breaks: they were added; each took the place of a space; or all lines were cut at one
    width and then lost the spaces at their ends. The lengths differ, so only one of them is a whole receipt."""
    width = max(map(len, lines[:-1]), default=0)
    return ["".join(lines), " ".join(lines), "".join(line.ljust(width) for line in lines[:-1]) + lines[-1]]


def _is_list(receipt: bytes) -> bool:
    try:
        return isinstance(decode(receipt), list)
    except EncodingError:
        return False


# Small letters, the full-width forms of ASCII (U+FF01 to U+FF5E), wide and no-break spaces, a byte order mark.
_COPIED = {
    **{0xFF01 + at: chr(0x21 + at).upper() for at in range(0x5E)},
    **{ord(small): small.upper() for small in ascii_lowercase},
    0x3000: " ",
    0xA0: " ",
    0xFEFF: "",
}
