"""Generations of a box's ledger: how they are named, and what the first entry of a later one says of the one before.

A box whose database was put back to an older copy, or that was restored, cannot go on with its ledger: it would sign a
second history under one name. It begins ``.../box/N+1``, whose first entry, ``ledger.opened``, tells why. No I/O.
"""

from dataclasses import dataclass
from enum import Enum, unique
from typing import Any, Self

from appliance.errors import UntrustedError
from appliance.ledger.checkpoint import Checkpoint
from appliance.ledger.merkle import HASH_BYTES

MOST_DIGITS = 9


class OpeningError(UntrustedError):
    """The body of a ledger's first entry does not say what that of a later generation has to."""

    code = "ledger.opening"


@unique
class Reason(Enum):
    """Why a generation began; the first entry says it."""

    RESTORED = "restored"
    ROLLED_BACK = "rolled back"


def generation_of(origin: str) -> tuple[str, int] | None:
    """What all generations of a ledger share (``madoguchi/1/CODE/box``), and which one this is; None for no such name.

    A number has one form, so that no two names stand for one generation.
    """
    base, _, digits = origin.rpartition("/")
    if not base or not (digits.isascii() and digits.isdecimal()) or digits[0] == "0" or len(digits) > MOST_DIGITS:
        return None
    return base, int(digits)


def is_later(origin: str, than: str) -> bool:
    """Whether ``origin`` is a later generation of the same ledger."""
    one, other = generation_of(origin), generation_of(than)
    return one is not None and other is not None and one[0] == other[0] and one[1] > other[1]


@dataclass(frozen=True, slots=True)
class Told:
    """A succession and the ledger that it is about, as somebody says it: nothing of it is verified."""

    origin: str
    succession: bytes


@dataclass(frozen=True, slots=True)
class NamedHead:
    """Where a ledger ended, as somebody says it: nothing of it is verified. ``root`` has 32 bytes."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True)
class Opening:
    """What the first entry of a later generation says.

    ``previous`` is the ledger that was closed, as the box has it; ``peer`` the head that the hub had cosigned by then,
    which made the box begin anew (None but for ``ROLLED_BACK``); ``first`` and ``count`` say which entries of
    ``previous`` are carried over, right after this one. ``followed`` are the changes of the key that ``previous``
    does not know, because they came after the copy that was put back.
    """

    origin: str
    reason: Reason
    previous: NamedHead
    peer: NamedHead | None
    first: int
    count: int
    followed: tuple[Told, ...] = ()

    @classmethod
    def read(cls, content: dict[str, Any]) -> Self | None:
        """The opening in the body of ``ledger.opened``; None for that of a ledger that has none before it.

        Raises ``OpeningError``.
        """
        if "reason" not in content:
            return None
        try:
            carried = content.get("carried") or {"first": content["previous"]["size"], "count": 0}
            peer = content.get("peer")
            return cls(
                _checked(content["origin"], str),
                Reason(content["reason"]),
                _head(content["previous"]),
                None if peer is None else _head(peer),
                _count(carried["first"]),
                _count(carried["count"]),
                tuple(Told(_checked(one, str), _checked(cose, bytes)) for one, cose in content.get("followed", [])),
            )
        except (KeyError, TypeError, ValueError) as error:
            raise OpeningError() from error


def head_content(head: Checkpoint, cosignature: bytes) -> dict[str, Any]:
    """A verified and cosigned head as an opening says it."""
    return {
        "origin": head.origin,
        "size": head.size,
        "root": head.root,
        "checkpoint": head.cose,
        "cosignature": cosignature,
    }


def _head(value: Any) -> NamedHead:
    head = NamedHead(_checked(value["origin"], str), _count(value["size"]), _checked(value["root"], bytes))
    if len(head.root) != HASH_BYTES:
        raise ValueError
    return head


def _count(value: Any) -> int:
    if type(value) is not int or value < 0:
        raise TypeError
    return value


def _checked(value: Any, kind: type) -> Any:
    if type(value) is not kind:
        raise TypeError
    return value
