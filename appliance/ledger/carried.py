"""Entries of a closed ledger that are carried over into the next generation of it, because nobody confirmed them.

The body of ``record.carried`` holds the entry's own bytes beside its body. So the new ledger proves, without anybody
having to believe the box, that the closed one ended as it says: the hub's mirror with the carried entries after it has
the root that was signed. No I/O.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Self

from appliance.errors import UntrustedError
from appliance.ledger.entry import SALT_BYTES, Body, Entry, EntryType, check_body
from appliance.ledger.generation import NamedHead
from appliance.ledger.merkle import Frontier, leaf_hash
from appliance.ledger.verify import Sealed

MOST_CARRIES = 1_000
"""How often an entry may have been carried on: more is no history, it is a trap for who reads it."""


class CarriedError(UntrustedError):
    """The body of ``record.carried`` is not what it has to be, or holds another entry than announced."""

    code = "ledger.carried"


class BranchError(UntrustedError):
    """The entries that were carried over do not lead to the end of the closed ledger; ``index``, ``size``: where."""

    code = "ledger.branch"


@dataclass(frozen=True, slots=True)
class Carried:
    """An entry as it stood at ``index`` of the ledger ``origin``; ``item`` is it with its body, if that was there."""

    origin: str
    index: int
    item: Sealed

    @classmethod
    def read(cls, body: Body) -> Self:
        """What the body of ``record.carried`` holds, its inner body checked against the inner entry.

        Raises ``CarriedError``, ``EntryFormError``, ``EncodingError`` or ``CommitmentError``.
        """
        value = body.read()
        try:
            parts = [value[name] for name in ("origin", "index", "entry", "salt", "content")]
        except KeyError as error:
            raise CarriedError(reason="form") from error
        origin, index, data, salt, content = parts
        if type(origin) is not str or type(index) is not int or index < 0 or type(data) is not bytes:
            raise CarriedError(reason="form")
        entry = Entry.decode(data)
        if salt is None and content is None:
            return cls(origin, index, Sealed(data, None))
        if type(salt) is not bytes or type(content) is not bytes or len(salt) != SALT_BYTES:
            raise CarriedError(reason="form")
        inner = Body(salt, content)
        check_body(entry, inner)
        return cls(origin, index, Sealed(data, inner))


def carried_content(origin: str, index: int, item: Sealed) -> dict[str, Any]:
    """The content of ``record.carried`` for an entry of a closed ledger; without its body if that was erased."""
    salt, content = (None, None) if item.body is None else (item.body.salt, item.body.content)
    return {"origin": origin, "index": index, "entry": item.entry, "salt": salt, "content": content}


def original(body: Body) -> Carried:
    """The record that a body of ``record.carried`` is about in the end, if it was carried on more than once.

    Raises what ``Carried.read`` raises.
    """
    carried = Carried.read(body)
    for _ in range(MOST_CARRIES):
        inner = carried.item.body
        if inner is None or Entry.decode(carried.item.entry).type != EntryType.RECORD_CARRIED.number:
            return carried
        carried = Carried.read(inner)
    raise CarriedError(reason="carried too often")


def check_branch(mirrored: Frontier, carried: Iterable[Body | None], previous: NamedHead) -> None:
    """Whether the entries that were carried over are all that the closed ledger had beyond the mirror.

    1. ``mirrored`` is the edge of the mirror at the size from which on entries were carried.
    2. Each body is there, holds a well-formed entry of ``previous`` and the index that is next.
    3. Together they lead to exactly the size and the root that ``previous`` names.

    Raises ``BranchError``. The entries before are those that the mirror has; the signature of ``previous`` is not
    looked at, because the new ledger's own signature covers what its first entry says.
    """
    frontier = mirrored.copy()
    for body in carried:
        index = frontier.size
        try:
            one = None if body is None else Carried.read(body)
        except UntrustedError as error:
            raise BranchError(index=index, reason=error.code) from error
        if one is None or (one.origin, one.index) != (previous.origin, index):
            raise BranchError(index=index, reason="not the next entry")
        frontier.append(leaf_hash(one.item.entry))
    if (frontier.size, frontier.root()) != (previous.size, previous.root):
        raise BranchError(size=frontier.size, reason="another end")
