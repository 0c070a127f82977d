"""What the two ends of a lane need from the outside: ledgers, a line, and somebody who is told what happened.

``sync`` never imports ``store``; the ledgers there have these shapes.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from appliance.ledger.checkpoint import Checkpoint
from appliance.ledger.keys import VerifyingKey
from appliance.ledger.merkle import Frontier
from appliance.ledger.rollback import LaterHead
from appliance.ledger.signers import Signers
from appliance.ledger.verify import Sealed, VerifiedBatch


class Head(Protocol):
    """Where a ledger ends."""

    @property
    def size(self) -> int: ...
    @property
    def cosigned_size(self) -> int: ...
    @property
    def last_time_ms(self) -> int: ...
    @property
    def checkpoint(self) -> bytes | None: ...


class Receipted(Protocol):
    """A stored cosignature and the checkpoint it confirms."""

    @property
    def checkpoint(self) -> bytes: ...
    @property
    def cosignature(self) -> bytes: ...


class OwnedLedger(Protocol):
    """What a sender needs of a ledger; ``store.ledger.OwnLedger`` is one."""

    @property
    def origin(self) -> str: ...
    @property
    def public_key(self) -> VerifyingKey: ...
    def head(self) -> Head: ...
    def root_at(self, size: int) -> bytes: ...
    @property
    def keys(self) -> Signers: ...
    def items(self, first: int, last: int) -> Iterator[Sealed]: ...
    def checkpoint_at(self, size: int) -> bytes: ...
    def confirm(self, checkpoint: bytes, cosignature: bytes, peer: VerifyingKey) -> Checkpoint: ...


class MirroredLedger(Protocol):
    """What a receiver needs of a ledger; ``store.ledger.MirrorLedger`` is one."""

    @property
    def origin(self) -> str: ...
    @property
    def keys(self) -> Signers: ...
    def head(self) -> Head: ...
    def frontier(self) -> Frontier: ...
    def store(self, batch: VerifiedBatch, cosignature: bytes, now_ms: int) -> None: ...
    def latest_confirmation(self) -> Receipted | None: ...


class Delivery(Protocol):
    """A message handed to the line."""

    @property
    def done(self) -> bool:
        """Whether the broker took it; says nothing about the other side."""
        ...


Publish = Callable[[bytes], Delivery | None]
"""Hands bytes to the line; None if it is down."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Entries ``first`` to ``last`` - 1 went out in ``bytes`` bytes."""

    origin: str
    first: int
    last: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Receipt:
    """The other side confirmed everything below ``size``, and that is stored here."""

    origin: str
    size: int


@dataclass(frozen=True, slots=True)
class Mirroring:
    """This side stored entries ``first`` to ``last`` - 1 of the other side and cosigned them."""

    origin: str
    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Refused:
    """A batch or a receipt was refused: by the other side of the line (``here`` False) or by this one."""

    origin: str
    code: str
    here: bool


@dataclass(frozen=True, slots=True)
class Overtaken:
    """The other side proved that it has a later or another tree of the ledger ``origin`` than is here."""

    origin: str
    later: LaterHead


@dataclass(frozen=True, slots=True)
class KeyChanged:
    """The other side's ledger is signed with the key of this id from so many entries on, and this side knows it now."""

    origin: str
    size: int
    key_id: bytes


Happening = Sent | Receipt | Mirroring | Refused | Overtaken | KeyChanged
Observe = Callable[[Happening], None]
