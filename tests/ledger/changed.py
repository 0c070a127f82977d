"""The small ledger of ``material`` as it goes on when the key of its box is changed, twice.

Five entries as there, then the change to the second key, a visit, the change to the third, a visit.
"""

from dataclasses import dataclass
from typing import Any

from appliance.ledger.checkpoint import cosign, open_checkpoint, sign_checkpoint
from appliance.ledger.entry import Body, Entry, EntryType
from appliance.ledger.export import Confirmed, End, Header, HubKey, Item, write_export
from appliance.ledger.keys import SigningKey
from appliance.ledger.merkle import Frontier, inclusion_proof, leaf_hash, node_hash
from appliance.ledger.receipt import make_receipt
from appliance.ledger.signers import Signers, SigningPeriod
from appliance.ledger.succession import sign_succession
from appliance.ledger.verify import Sealed
from tests.ledger import material as m

FIRST_CHANGE, SECOND_CHANGE = 5, 7
"""Indices of the entries that tell of the changes."""
SIZE = 9
CONFIRMED = (3, 6, 7, 9)
TO_SECOND = sign_succession(m.ORIGIN, FIRST_CHANGE + 2, m.BOX, m.SECOND)
TO_THIRD = sign_succession(m.ORIGIN, SECOND_CHANGE + 2, m.SECOND, m.THIRD)
SIGNERS = Signers(
    (
        SigningPeriod(0, m.BOX.public),
        SigningPeriod(FIRST_CHANGE + 2, m.SECOND.public, TO_SECOND),
        SigningPeriod(SECOND_CHANGE + 2, m.THIRD.public, TO_THIRD),
    )
)


@dataclass(frozen=True)
class Change:
    """The entry of a change of the key, and what its body tells."""

    before: SigningKey
    after: SigningKey
    succession: bytes

    def content(self) -> dict[str, Any]:
        ids = {"previous": self.before.public.key_id, "key_id": self.after.public.key_id}
        return {**ids, "succession": self.succession}


CHANGES = {
    FIRST_CHANGE: Change(m.BOX, m.SECOND, TO_SECOND),
    SECOND_CHANGE: Change(m.SECOND, m.THIRD, TO_THIRD),
}


def body(index: int) -> Body:
    if index < FIRST_CHANGE:
        return m.body(index)
    content = CHANGES[index].content() if index in CHANGES else {"purpose": "visit", "channel": "kiosk"}
    return Body.of(content, bytes([index]) * 16)


def entry(index: int) -> Entry:
    if index < FIRST_CHANGE:
        return m.entry(index)
    changed = index in CHANGES
    kind = EntryType.DEVICE_KEY_CHANGED if changed else EntryType.GUARDIAN_AUTHENTICATED
    person = 0 if changed else 1
    time_ms, monotonic_ms = m.FIRST_MS + 60_000 * index, 1_000 * (index - 2)
    return Entry(kind.number, kind.version, time_ms, 3, monotonic_ms, person, person, (), body(index).commitment())


ENTRIES = [entry(index).encode() for index in range(SIZE)]
LEAVES = [leaf_hash(one) for one in ENTRIES]


def node(level: int, index: int) -> bytes:
    return LEAVES[index] if level == 0 else node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))


def root(size: int) -> bytes:
    frontier = Frontier()
    frontier.extend(LEAVES[:size])
    return frontier.root()


def in_force(size: int) -> SigningKey:
    """The key that signed when there were so many entries."""
    return m.BOX if size <= FIRST_CHANGE + 1 else m.SECOND if size <= SECOND_CHANGE + 1 else m.THIRD


def checkpoint(size: int, key: SigningKey | None = None) -> bytes:
    return sign_checkpoint(m.ORIGIN, size, root(size), m.signed_s(size), key or in_force(size))


def cosignature(size: int) -> bytes:
    opened = open_checkpoint(checkpoint(size), root(size), m.ORIGIN, SIGNERS)
    return cosign(opened, m.HUB_NAME, m.signed_s(size) + 5, m.HUB)


def receipt(index: int, size: int, key: SigningKey | None = None) -> bytes:
    path = inclusion_proof(index, size, node)
    return make_receipt(ENTRIES[index], index, size, path, checkpoint(size, key), None)


def header(size: int = SIZE, *, bodies: bool = False, signers: Signers = SIGNERS) -> Header:
    hub = HubKey(m.HUB_NAME, m.HUB.public)
    return Header(m.ORIGIN, size, size == SIZE, bodies, signers, hub, m.signed_s(size) + 60)


def export_items(size: int = SIZE, *, bodies: bool = False, signers: Signers = SIGNERS) -> list[Item]:
    """As the box would write it; a part that ends earlier is signed anew with the newest key."""
    items: list[Item] = [header(size, bodies=bodies, signers=signers)]
    for index in range(size):
        items.append(Sealed(ENTRIES[index], body(index) if bodies else None))
        if index + 1 in CONFIRMED:
            items.append(Confirmed(checkpoint(index + 1), cosignature(index + 1)))
    return [*items, End(checkpoint(size, m.THIRD if signers is SIGNERS else None))]


def export(size: int = SIZE, *, bodies: bool = False) -> bytes:
    return b"".join(write_export(export_items(size, bodies=bodies)))
