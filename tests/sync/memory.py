"""Ledgers in memory with real keys, trees and signatures, in the shapes of ``sync/ports.py``."""

from collections.abc import Iterator
from dataclasses import dataclass
from random import Random
from typing import Any

from appliance.errors import UnavailableError
from appliance.ledger.checkpoint import Checkpoint, claimed_size, open_checkpoint, open_cosignature, sign_checkpoint
from appliance.ledger.entry import Body, Entry, EntryType
from appliance.ledger.keys import SigningKey, VerifyingKey
from appliance.ledger.merkle import Frontier, leaf_hash
from appliance.ledger.signers import Signers, SigningPeriod
from appliance.ledger.succession import follow, sign_succession
from appliance.ledger.verify import Sealed, VerifiedBatch

SCHOOL = "B113299900018"
ORIGIN = f"madoguchi/1/{SCHOOL}/box/1"


class FullError(UnavailableError):
    code = "store.disk_full"


@dataclass
class MemoryHead:
    size: int
    cosigned_size: int
    last_time_ms: int
    checkpoint: bytes | None


@dataclass
class MemoryReceipt:
    checkpoint: bytes
    cosignature: bytes


def sealed(number: int, bytes_each: int = 8, kind: int = 17, content: dict[str, Any] | None = None) -> Sealed:
    filling = {"number": number, "more": Random(number).randbytes(bytes_each)}
    body = Body.of(filling if content is None else content, number.to_bytes(16))
    kind = 1 if number == 0 else kind
    return Sealed(Entry(kind, 1, 1000 * number, 0, 1000 * number, 0, 0, (), body.commitment()).encode(), body)


def frontier_of(items: list[Sealed]) -> Frontier:
    frontier = Frontier()
    for one in items:
        frontier.append(leaf_hash(one.entry))
    return frontier


class MemoryOwn:
    """A ``OwnedLedger``."""

    def __init__(self, key: SigningKey, origin: str = ORIGIN) -> None:
        self.key, self.origin = key, origin
        self.keys = Signers.of(key.public)
        self.entries: list[Sealed] = []
        self.cosigned = 0

    @property
    def public_key(self) -> VerifyingKey:
        return self.key.public

    def root_at(self, size: int) -> bytes:
        return frontier_of(self.entries[:size]).root()

    def append(self, count: int, bytes_each: int = 8) -> int:
        for _ in range(count):
            self.entries.append(sealed(len(self.entries), bytes_each))
        return len(self.entries)

    def hand_over(self, successor: SigningKey) -> SigningPeriod:
        """The entry of a change, after which the successor signs."""
        size = len(self.entries) + 2
        succession = sign_succession(self.origin, size, self.key, successor)
        ids = {"previous": self.key.public.key_id, "key_id": successor.public.key_id}
        content = {**ids, "succession": succession}
        self.entries.append(sealed(len(self.entries), kind=EntryType.DEVICE_KEY_CHANGED.number, content=content))
        self.key, self.keys = successor, follow(self.keys, [succession], self.origin)
        return self.keys.newest

    def head(self) -> MemoryHead:
        size = len(self.entries)
        return MemoryHead(size, self.cosigned, 1000 * (size - 1), None)

    def items(self, first: int, last: int) -> Iterator[Sealed]:
        return iter(self.entries[first:last])

    def checkpoint_at(self, size: int) -> bytes:
        return sign_checkpoint(self.origin, size, frontier_of(self.entries[:size]).root(), 1, self.key)

    def confirm(self, checkpoint: bytes, cosignature: bytes, peer: VerifyingKey) -> Checkpoint:
        size = claimed_size(cosignature)
        root = frontier_of(self.entries[:size]).root()
        confirmed = open_cosignature(cosignature, root, self.origin, peer)
        open_checkpoint(checkpoint, root, self.origin, self.keys)
        self.cosigned = max(self.cosigned, size)
        return confirmed


class MemoryMirror:
    """A ``MirroredLedger``; ``full`` makes it refuse to store, as a full disk would."""

    def __init__(self, public_key: VerifyingKey, origin: str = ORIGIN) -> None:
        self.keys, self.origin = Signers.of(public_key), origin
        self.entries: list[Sealed] = []
        self.receipt: MemoryReceipt | None = None
        self.full = False

    def head(self) -> MemoryHead:
        size = len(self.entries)
        return MemoryHead(size, size, 1000 * (size - 1) if size else 0, None)

    def frontier(self) -> Frontier:
        return frontier_of(self.entries)

    def store(self, batch: VerifiedBatch, cosignature: bytes, now_ms: int) -> None:
        if self.full:
            raise FullError
        assert batch.first == len(self.entries), "stored twice or with a hole"
        self.entries += batch.items
        self.keys = self.keys.followed_by(*batch.periods)
        self.receipt = MemoryReceipt(batch.checkpoint.cose, cosignature)

    def latest_confirmation(self) -> MemoryReceipt | None:
        return self.receipt
