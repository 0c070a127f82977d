"""A receipt: proof, for whoever holds it, that one entry is in a school's ledger.

It is the CBOR list ``[entry, receipt]``: the entry's own bytes and a COSE Receipt (RFC 9942) made of the box's
checkpoint, an inclusion proof and, once the hub has confirmed, its cosignature of the same root. On paper and in a
QR code it is a text, ``MDG1:`` and base45 (RFC 9285), which fits the alphanumeric mode.
"""

from dataclasses import dataclass

from appliance.ledger.checkpoint import (
    COSIGNATURE,
    VDP,
    Checkpoint,
    CheckpointError,
    open_checkpoint,
    open_cosignature,
    parse_sign1,
    read_claims,
    sign1,
)
from appliance.ledger.encoding import EncodingError, decode, encode
from appliance.ledger.entry import Entry
from appliance.ledger.keys import VerifyingKey
from appliance.ledger.merkle import leaf_hash, root_from_inclusion

INCLUSION = -1
PREFIX = "MDG1:"
BASE45 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"


@dataclass(frozen=True, slots=True)
class VerifiedReceipt:
    """What a receipt proves: this entry, at this index, under this checkpoint, and who confirmed it and when."""

    entry: Entry
    index: int
    checkpoint: Checkpoint
    cosignature: Checkpoint | None


def make_receipt(
    entry: bytes, index: int, size: int, path: list[bytes], checkpoint: bytes, cosigned: bytes | None
) -> bytes:
    """``checkpoint`` and ``cosigned`` are both of the tree of this ``size``."""
    protected, _, signature = parse_sign1(checkpoint)
    proofs = {INCLUSION: [encode([size, index, path])]}
    unprotected = {VDP: proofs} if cosigned is None else {VDP: proofs, COSIGNATURE: cosigned}
    return encode([entry, sign1(protected, unprotected, signature)])


def open_receipt(receipt: bytes, origin: str, box: VerifyingKey, hub: VerifyingKey | None) -> VerifiedReceipt:
    """Verifies a receipt offline, with nothing but the pinned keys.

    1. The bytes are an entry and a COSE Receipt with one inclusion proof.
    2. The proof leads from the entry to a root.
    3. The box's checkpoint signs that root and the proof's tree size, for the expected ledger.
    4. If the hub's cosignature is there and its key is given, it confirms the same root and size.

    Raises an ``UntrustedError`` of ``ledger.*`` that says which step failed.
    """
    try:
        entry, cose = decode(receipt)
        if not isinstance(entry, bytes) or not isinstance(cose, bytes) or not cose:
            raise CheckpointError(reason="not a receipt")
        protected, unprotected, signature = parse_sign1(cose)
        if not {VDP} <= set(unprotected) <= {VDP, COSIGNATURE}:
            raise CheckpointError(reason="unexpected header")
        (proof,) = unprotected[VDP][INCLUSION]
        size, index, path = decode(proof)
    except (EncodingError, ValueError, TypeError, KeyError) as error:
        raise CheckpointError(reason="not a receipt") from error
    if not isinstance(path, list) or not all(isinstance(one, bytes) and len(one) == 32 for one in path):
        raise CheckpointError(reason="not a receipt")
    if type(size) is not int or type(index) is not int:
        raise CheckpointError(reason="not a receipt")
    root = root_from_inclusion(leaf_hash(entry), index, size, path)
    checkpoint = open_checkpoint(sign1(protected, {}, signature), root, origin, box)
    cosigned = unprotected.get(COSIGNATURE)
    cosignature = None
    if cosigned is not None and not isinstance(cosigned, bytes):
        raise CheckpointError(reason="not a receipt")
    if cosigned is not None and hub is not None:
        cosignature = open_cosignature(cosigned, root, origin, hub)
    if checkpoint.size != size or (cosignature is not None and cosignature.size != size):
        raise CheckpointError(reason="other size")
    return VerifiedReceipt(Entry.decode(entry), index, checkpoint, cosignature)


def receipt_origin(receipt: bytes) -> str:
    """The ledger that a receipt claims to come from, before anything is verified; raises ``CheckpointError``."""
    try:
        _, cose = decode(receipt)
    except (EncodingError, ValueError, TypeError) as error:
        raise CheckpointError(reason="not a receipt") from error
    if not isinstance(cose, bytes):
        raise CheckpointError(reason="not a receipt")
    protected, _, _ = parse_sign1(cose)
    return str(read_claims(protected, None)[1])


def receipt_text(receipt: bytes) -> str:
    """The text that goes into a QR code."""
    out = []
    for at in range(0, len(receipt), 2):
        pair = receipt[at : at + 2]
        number, digits = int.from_bytes(pair), 3 if len(pair) == 2 else 2
        for _ in range(digits):
            number, digit = divmod(number, 45)
            out.append(BASE45[digit])
    return PREFIX + "".join(out)


def parse_receipt_text(text: str) -> bytes:
    """The bytes of ``receipt_text``; raises ``CheckpointError`` for anything else."""
    text = text.strip("\r\n")
    if not text.startswith(PREFIX):
        raise CheckpointError(reason="not a receipt")
    data = bytearray()
    body = text[len(PREFIX) :]
    for at in range(0, len(body), 3):
        digits = [BASE45.find(one) for one in body[at : at + 3]]
        number = sum(digit * 45**power for power, digit in enumerate(digits))
        width = len(digits) - 1
        if min(digits) < 0 or width == 0 or number >= 1 << 8 * width:
            raise CheckpointError(reason="not a receipt")
        data += number.to_bytes(width)
    return bytes(data)
