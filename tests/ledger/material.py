"""A small ledger from fixed keys, salts and times: the vectors and the worked example of docs/ledger.md come from it.

The keys are test keys: their private halves are published here and in tests/vectors/ledger/keys.json.
"""

import hashlib
from dataclasses import dataclass, replace
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature

from appliance.ledger.checkpoint import cosign, open_checkpoint, sign_checkpoint
from appliance.ledger.encoding import encode
from appliance.ledger.entry import Body, Entry, EntryType
from appliance.ledger.erasure import EarlierErasure
from appliance.ledger.export import Confirmed, End, ErasedLater, Header, HubKey, Item, LaterLedger, write_export
from appliance.ledger.keys import SigningKey
from appliance.ledger.merkle import Frontier, inclusion_proof, leaf_hash, node_hash
from appliance.ledger.receipt import make_receipt
from appliance.ledger.signers import Signers
from appliance.ledger.verify import Sealed

ORIGIN = "madoguchi/1/B113299900018/box/1"
LATER_ORIGIN = "madoguchi/1/B113299900018/box/2"
OTHER_ORIGIN = "madoguchi/1/B113299900027/box/1"
HUB_NAME = "hub.example"
FIRST_MS = 200_000_000_000
"""Ledger time of the first entry: 2026-05-03T19:33:20Z."""
FIRST_S = 1_777_836_800
"""The same in seconds since 1970."""


class RepeatableKey(SigningKey):
    """Signs the same bytes with the same signature (RFC 6979), so that what is made from it can be compared."""

    def __init__(self, whose: str) -> None:
        self.number = int.from_bytes(hashlib.sha256(f"madoguchi test key: {whose}".encode()).digest())
        super().__init__(ec.derive_private_key(self.number, ec.SECP256R1()))

    def sign(self, message: bytes) -> bytes:
        """64 bytes, r || s."""
        signed = self._key.sign(message, ec.ECDSA(hashes.SHA256(), deterministic_signing=True))
        return b"".join(number.to_bytes(32) for number in decode_dss_signature(signed))


BOX, HUB, OTHER = RepeatableKey("box"), RepeatableKey("hub"), RepeatableKey("other")
SECOND, THIRD = RepeatableKey("second"), RepeatableKey("third")
NEXT = RepeatableKey("next")
"""Signs the ledger in which the box went on after it was restored."""
KEYS = {"box": BOX, "hub": HUB, "other": OTHER, "second": SECOND, "third": THIRD, "next": NEXT}
BOOTS = (b"\xb0" * 16, b"\xb1" * 16)
PSEUDONYM = b"\xaa" * 16


@dataclass(frozen=True)
class Planned:
    """An entry of the small ledger; ``type`` is its number and version."""

    type: tuple[int, int]
    content: dict[str, Any]
    boot: int = 0
    person: int = 0
    refs: tuple[int, ...] = ()


def _kind(one: EntryType) -> tuple[int, int]:
    return one.number, one.version


PLAN = (
    Planned(
        _kind(EntryType.LEDGER_OPENED),
        {"origin": ORIGIN, "school": "B113299900018", "boot_id": BOOTS[0], "key_id": BOX.public.key_id},
    ),
    Planned(_kind(EntryType.IDENTITY_INTRODUCED), {"kind": "guardian", "number": 1, "pseudonym": PSEUDONYM}),
    Planned(_kind(EntryType.GUARDIAN_AUTHENTICATED), {"purpose": "visit", "channel": "kiosk"}, person=1),
    Planned(_kind(EntryType.BOX_STARTED), {"boot_id": BOOTS[1]}, boot=3),
    Planned(_kind(EntryType.GUARDIAN_AUTHENTICATED), {"purpose": "visit", "channel": "kiosk"}, boot=3, person=1),
    Planned(_kind(EntryType.BODY_ERASED), {"rule": "visit.three_years"}, boot=3, refs=(2,)),
    Planned((900, 2), {"later": True}, boot=3, refs=(0, 4)),  # a type that no version knows yet
)
ERASED = {2}
SIZE = len(PLAN)
CONFIRMED = (3, 5)


def body(index: int) -> Body:
    return Body.of(PLAN[index].content, bytes([index]) * 16)


def entry(index: int) -> Entry:
    planned = PLAN[index]
    return Entry(
        *planned.type,
        time_ms=FIRST_MS + 60_000 * index,
        boot=planned.boot,
        monotonic_ms=1_000 * (index - planned.boot + 1),
        actor=planned.person,
        subject=planned.person or (1 if index == 1 else 0),
        refs=planned.refs,
        commitment=body(index).commitment(),
    )


ENTRIES = [entry(index).encode() for index in range(SIZE)]
LEAVES = [leaf_hash(one) for one in ENTRIES]


def node(level: int, index: int) -> bytes:
    if level == 0:
        return LEAVES[index]
    return node_hash(node(level - 1, 2 * index), node(level - 1, 2 * index + 1))


def root(size: int) -> bytes:
    frontier = Frontier()
    for leaf in LEAVES[:size]:
        frontier.append(leaf)
    return frontier.root()


def signed_s(size: int) -> int:
    return FIRST_S + 60 * (size - 1)


def checkpoint(size: int, key: SigningKey = BOX, origin: str = ORIGIN) -> bytes:
    return sign_checkpoint(origin, size, root(size), signed_s(size), key)


def cosignature(size: int, key: SigningKey = HUB) -> bytes:
    opened = open_checkpoint(checkpoint(size), root(size), ORIGIN, BOX.public)
    return cosign(opened, HUB_NAME, signed_s(size) + 5, key)


def receipt(index: int, size: int, *, cosigned: bool) -> bytes:
    path = inclusion_proof(index, size, node)
    return make_receipt(ENTRIES[index], index, size, path, checkpoint(size), cosignature(size) if cosigned else None)


def header(size: int = SIZE, *, bodies: bool = False, hub: bool = True) -> Header:
    at_hub = HubKey(HUB_NAME, HUB.public) if hub else None
    return Header(ORIGIN, size, size == SIZE, bodies, Signers.of(BOX.public), at_hub, signed_s(size) + 60)


def export_items(size: int = SIZE, *, bodies: bool = False, hub: bool = True) -> list[Item]:
    """The export of the small ledger as the box would write it."""
    items: list[Item] = [header(size, bodies=bodies, hub=hub)]
    for index in range(size):
        items.append(Sealed(ENTRIES[index], body(index) if bodies and index not in ERASED else None))
        if hub and index + 1 in CONFIRMED:
            items.append(Confirmed(checkpoint(index + 1), cosignature(index + 1)))
    return [*items, End(checkpoint(size))]


def export(size: int = SIZE, *, bodies: bool = False, hub: bool = True) -> bytes:
    return b"".join(write_export(export_items(size, bodies=bodies, hub=hub)))


def sequence(items: list[Any]) -> bytes:
    """A file of these items with a digest that fits, so that only what is wrong with them can be the reason."""
    data = b"".join(encode(one) for one in items[:-1])
    return data + encode([*items[-1][:2], hashlib.sha256(data).digest()])


# The ledger in which the box goes on: its second entry says that the body of entry 4 was erased in the one before.

ERASED_LATER = 4
LATER_CONTENTS = (
    {"origin": LATER_ORIGIN, "school": "B113299900018", "boot_id": BOOTS[1], "key_id": NEXT.public.key_id},
    EarlierErasure(ORIGIN, (ERASED_LATER,), "order: 12 of 2026").content(),
)
LATER_TYPES = (EntryType.LEDGER_OPENED, EntryType.EARLIER_BODY_ERASED)


def told(
    content: dict[str, Any] = LATER_CONTENTS[1],
    *,
    kind: EntryType = LATER_TYPES[1],
    origin: str = LATER_ORIGIN,
    key: SigningKey = NEXT,
) -> ErasedLater:
    """The receipt and the body of the later ledger's second entry."""
    bodies = [Body.of(one, bytes([16 + at]) * 16) for at, one in enumerate((LATER_CONTENTS[0], content))]
    entries = [
        Entry(*_kind(one), FIRST_MS + 3_600_000 + at, 0, at, 0, 0, (), bodies[at].commitment()).encode()
        for at, one in enumerate((LATER_TYPES[0], kind))
    ]
    leaves = [leaf_hash(one) for one in entries]
    signed = sign_checkpoint(origin, 2, node_hash(*leaves), FIRST_S + 3_600, key)
    return ErasedLater(make_receipt(entries[1], 1, 2, [leaves[0]], signed, None), bodies[1])


def closed_items(*said: ErasedLater, bodies: bool = True) -> list[Item]:
    """The export of the small ledger with its bodies after the box went on in another one."""
    later = (LaterLedger(LATER_ORIGIN, Signers.of(NEXT.public)),)
    _, *items = export_items(bodies=bodies)
    at = next(at for at, one in enumerate(items) if isinstance(one, Sealed) and one.entry == ENTRIES[ERASED_LATER])
    items[at] = Sealed(ENTRIES[ERASED_LATER], None)
    return [replace(header(bodies=bodies), later=later), *items[:-1], *(said or (told(),)), items[-1]]


def closed_export(*said: ErasedLater) -> bytes:
    return b"".join(write_export(closed_items(*said)))
