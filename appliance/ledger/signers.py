"""Which key signs a ledger at which size: a history that only grows (docs/ledger.md, section 15).

A checkpoint is good with the key that was in force at its size, or with a later one, because a box signs the heads of
earlier sizes anew with the key that it has. An earlier key signs nothing beyond its end: it may have been given up
because somebody else has it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from appliance.errors import UntrustedError
from appliance.ledger.keys import SignatureError, VerifyingKey

FIRST_CHANGE = 3
"""The first size that another key can sign: the ledger's beginning, the entry of the change, and one entry more."""
MOST_KEYS = 128
"""Of one ledger: what leads from the first to the last has to fit into messages, headers and documents, and costs two
signatures to verify for each. A new key every month is ten years, and a new generation begins with one key."""


class KeyEndedError(SignatureError):
    """A signature by a key of this ledger at a size at which another was in force already; ``end`` is the first one."""

    code = "ledger.key_ended"


class KeyHistoryError(UntrustedError):
    """Periods that are no history of one ledger, or two histories of which neither continues the other."""

    code = "ledger.key_history"


@dataclass(frozen=True, slots=True)
class SigningPeriod:
    """The checkpoints of ``size`` entries and more are signed with this key, up to the next period. ``succession`` is
    the statement of the key before (``ledger.succession``), empty for the first one."""

    size: int
    key: VerifyingKey
    succession: bytes = b""

    @property
    def change(self) -> int:
        """The index of the entry that tells of this key; it is under the last checkpoint of the key before."""
        return self.size - 2


@dataclass(frozen=True, slots=True)
class Signers:
    """The keys of one ledger in their order. Says nothing of whether one followed by the will of the one before: that
    is ``succession.follow``. Raises ``KeyHistoryError``."""

    periods: tuple[SigningPeriod, ...]

    def __post_init__(self) -> None:
        sizes = [period.size for period in self.periods]
        if len(sizes) > MOST_KEYS:
            raise KeyHistoryError(reason="too many")
        if sizes[:1] != [0] or any(size < FIRST_CHANGE for size in sizes[1:]):
            raise KeyHistoryError(reason="sizes")
        if any(one >= other for one, other in pairwise(sizes)):
            raise KeyHistoryError(reason="sizes")
        if len({period.key.key_id for period in self.periods}) != len(sizes):
            raise KeyHistoryError(reason="a key that comes again")

    @classmethod
    def of(cls, pinned: "Pinned") -> "Signers":
        """A history, or the one key of a ledger that never had another."""
        return pinned if isinstance(pinned, Signers) else cls((SigningPeriod(0, pinned),))

    @property
    def first(self) -> VerifyingKey:
        return self.periods[0].key

    @property
    def newest(self) -> SigningPeriod:
        return self.periods[-1]

    def __contains__(self, key_id: object) -> bool:
        return any(period.key.key_id == key_id for period in self.periods)

    def at(self, size: int) -> VerifyingKey:
        """The key in force for the checkpoint of so many entries."""
        return next(period.key for period in reversed(self.periods) if period.size <= size)

    def for_checkpoint(self, key_id: bytes, size: int) -> VerifyingKey:
        """The key with this id, if it may sign a checkpoint of so many entries.

        Raises ``SignatureError`` for a key that is none of them, ``KeyEndedError`` for one whose time was over.
        """
        for period, end in self._with_ends():
            if period.key.key_id == key_id:
                if end is not None and size >= end:
                    raise KeyEndedError(size=size, end=end)
                return period.key
        raise SignatureError(reason="other key")

    def verify(self, size: int, signature: bytes, message: bytes) -> None:
        """Whether one of the keys that may sign at this size made a signature that names none; ``SignatureError``."""
        failure = SignatureError(reason="other key")
        for period, end in self._with_ends():
            if end is None or size < end:
                try:
                    return period.key.verify(signature, message)
                except SignatureError as error:
                    failure = error
        raise failure

    def followed_by(self, *periods: SigningPeriod) -> Self:
        return type(self)((*self.periods, *periods))

    def joined(self, other: "Signers") -> "Signers":
        """The longer of two histories of one ledger; raises ``KeyHistoryError`` unless it continues the other."""
        pairs = zip(self.periods, other.periods, strict=False)
        if any((one.size, one.key.spki) != (two.size, two.key.spki) for one, two in pairs):
            raise KeyHistoryError(reason="two histories")
        return max(self, other, key=lambda one: len(one.periods))

    def _with_ends(self) -> Iterator[tuple[SigningPeriod, int | None]]:
        ends: Sequence[int | None] = [*(period.size for period in self.periods[1:]), None]
        return zip(self.periods, ends, strict=True)


Pinned = VerifyingKey | Signers
"""What signatures are verified with: one key for good, or a history."""
