"""Receipts as they are on paper, of ledgers that are not there: one entry, and the hashes up to the root."""

import hashlib
from dataclasses import dataclass

from appliance.ledger.checkpoint import cosign, open_checkpoint, sign_checkpoint
from appliance.ledger.entry import EPOCH_MS, Body, Entry, EntryType
from appliance.ledger.keys import SigningKey
from appliance.ledger.merkle import inclusion_proof, leaf_hash, root_from_inclusion
from appliance.ledger.receipt import make_receipt

BOX, HUB = SigningKey.make(), SigningKey.make()
ORIGIN = "madoguchi/1/B113299900018/box/1"
HUB_NAME = "hub.example"
TIME_S = 1_795_000_000
"""When the entry was recorded; the box signed at once, the hub confirmed 5 seconds later."""


@dataclass(frozen=True)
class Paper:
    """A receipt and what it was made of."""

    receipt: bytes
    entry: bytes
    root: bytes
    checkpoint: bytes
    cosignature: bytes


def make_paper(
    size: int = 3,
    index: int = 1,
    *,
    confirmed: bool = True,
    kind: int = EntryType.GUARDIAN_AUTHENTICATED.number,
    box: SigningKey = BOX,
    hub: SigningKey = HUB,
    origin: str = ORIGIN,
) -> Paper:
    """The receipt of one entry of a tree of this size; the rest of the tree is made up."""
    body = Body.of({"number": index}, bytes(16))
    time_ms = TIME_S * 1000 - EPOCH_MS
    # The numbers are as long as they are in a ledger that has been kept for years.
    entry = Entry(kind, 1, time_ms, max(0, index - 1), 1 << 32, 7, 8, (), body.commitment()).encode()
    path = inclusion_proof(index, size, lambda level, at: hashlib.sha256(b"%d %d" % (level, at)).digest())
    root = root_from_inclusion(leaf_hash(entry), index, size, path)
    checkpoint = sign_checkpoint(origin, size, root, TIME_S, box)
    confirmation = cosign(open_checkpoint(checkpoint, root, origin, box.public), HUB_NAME, TIME_S + 5, hub)
    receipt = make_receipt(entry, index, size, path, checkpoint, confirmation if confirmed else None)
    return Paper(receipt, entry, root, checkpoint, confirmation)
