"""Whether the hub has a later or another tree of a ledger than the side that writes it: the proof of a rollback.

Only what the writer itself signed counts. A hub or a broker that lies cannot make a box begin a new generation, and a
true receipt that is sent again is part of the tree that the box has. No I/O.
"""

from collections.abc import Callable
from dataclasses import dataclass

from appliance.ledger.checkpoint import Checkpoint, CheckpointError, open_checkpoint, open_cosignature
from appliance.ledger.generation import is_later
from appliance.ledger.keys import VerifyingKey
from appliance.ledger.signers import Pinned, Signers


@dataclass(frozen=True, slots=True)
class Claim:
    """A receipt with its root, as it came over the line: nothing of it is verified."""

    origin: str
    checkpoint: bytes
    cosignature: bytes
    root: bytes


@dataclass(frozen=True, slots=True)
class LaterHead:
    """A head that the ledger's own key signed and the hub cosigned, and that the ledger here does not lead to.

    Made by ``verify_later_head`` alone.
    """

    head: Checkpoint
    cosignature: bytes


def verify_later_head(
    claim: Claim, origin: str, size: int, root_at: Callable[[int], bytes], own: Pinned, hub: VerifyingKey
) -> LaterHead | None:
    """The proof that the ledger ``origin``, which has ``size`` entries here, was put back or is another one.

    1. The claim is about this ledger, or about a later generation of it.
    2. The checkpoint is good for the claimed root with the ledger's own key.
    3. The cosignature is good for the same root, with the hub's pinned key, and of the same size.
    4. The ledger here does not hold it: its generation is later, its size greater, or the tree of that size another.

    None where only 4 does not hold: everything is in order then. Raises ``CheckpointError`` or ``SignatureError``.
    """
    later = is_later(claim.origin, origin)
    if claim.origin != origin and not later:
        raise CheckpointError(reason="other ledger", origin=origin)
    # A later generation begins with the key that the one before had at last.
    pinned = Signers.of(own).newest.key if later else own
    head = open_checkpoint(claim.checkpoint, claim.root, claim.origin, pinned)
    cosigned = open_cosignature(claim.cosignature, claim.root, claim.origin, hub)
    if cosigned.size != head.size:
        raise CheckpointError(reason="other size", origin=origin)
    if not later and head.size <= size and root_at(head.size) == head.root:
        return None
    return LaterHead(head, claim.cosignature)
