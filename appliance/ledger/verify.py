"""The checks that make foreign or stored data believable. Each returns a new type, so that nothing unverified can
be passed on by mistake. No I/O.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from appliance.errors import UntrustedError
from appliance.ledger.checkpoint import Checkpoint, claimed_size, open_checkpoint
from appliance.ledger.day_seals import SEALING, Seals, SealState
from appliance.ledger.entry import Body, Entry, EntryType, check_body, entry_parts
from appliance.ledger.erasure import EarlierErasure, erasure_of
from appliance.ledger.merkle import Frontier, Run, leaf_hash
from appliance.ledger.order import Order
from appliance.ledger.signers import Pinned, Signers, SigningPeriod
from appliance.ledger.succession import check_change, check_changes, follow

ERASED, KEY_CHANGED = EntryType.BODY_ERASED.number, EntryType.DEVICE_KEY_CHANGED.number


class OriginError(UntrustedError):
    """A batch of a ledger that this sender does not own."""

    code = "sync.other_school"


class GapError(UntrustedError):
    """A batch that begins after the end of what the mirror holds; ``wanted`` is the index to continue with."""

    code = "sync.gap"


class ReplayedError(UntrustedError):
    """A batch that the mirror already holds; it is not stored again."""

    code = "sync.replayed"


class RootError(UntrustedError):
    """The tree that the entries make is not the one that was signed."""

    code = "ledger.root"


class BodyMissingError(UntrustedError):
    """The body of an entry is gone, and no later entry says that it was erased."""

    code = "ledger.body_missing"


@dataclass(frozen=True, slots=True)
class Sealed:
    """An entry as it travels: its bytes, and the body that the sender chose to show."""

    entry: bytes
    body: Body | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive entries from ``first`` on and the checkpoint of the tree that ends with the last of them.

    ``successions`` lead to the keys whose entries a mirror of ``first`` entries cannot have: the checkpoint may be
    signed with one of them.
    """

    origin: str
    first: int
    items: tuple[Sealed, ...]
    checkpoint: bytes
    successions: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifiedBatch:
    """A batch that fits the mirror: may be stored, and its checkpoint cosigned. ``periods`` are of the keys that the
    mirror did not know yet, ``erasures`` are what it says of earlier ledgers of its writer."""

    first: int
    entries: tuple[Entry, ...]
    items: tuple[Sealed, ...]
    frontier: Frontier
    nodes: tuple[Run, ...]
    checkpoint: Checkpoint
    periods: tuple[SigningPeriod, ...] = ()
    erasures: tuple[EarlierErasure, ...] = ()


@dataclass(frozen=True, slots=True)
class VerifiedLedger:
    """A whole ledger whose tree is the signed one; ``counts`` is the number of entries by type number, ``told_later``
    that of bodies which are gone and of which only a later ledger says why, ``seals`` is what the archive's seals
    prove."""

    checkpoint: Checkpoint | None
    size: int
    counts: dict[int, int]
    seals: SealState
    told_later: int = 0


def verify_batch(batch: Batch, origin: str, frontier: Frontier, last_time_ms: int, keys: Pinned) -> VerifiedBatch:
    """Whether a mirror of ``frontier`` may store this batch.

    1. It is of the ledger that this sender owns, and not empty.
    2. It begins where the mirror ends (else ``GapError`` or ``ReplayedError``).
    3. Every entry is well formed and in its place (``Order``).
    4. Every body that came along is the one its entry committed to; what it says was erased in an earlier ledger is
       in one of the same writer.
    5. Keys that are not known yet follow from those that are, and the entries tell of exactly these changes, with
       their bodies if they are there.
    6. The tree with these entries has the root that the checkpoint signs, with a key that may at this size.

    Raises an ``UntrustedError`` that names what failed; nothing is changed.
    """
    if batch.origin != origin:
        raise OriginError(expected=origin)
    if not batch.items:
        raise GapError(wanted=frontier.size)
    if batch.first + len(batch.items) <= frontier.size:
        raise ReplayedError(size=frontier.size)
    if batch.first != frontier.size:
        raise GapError(wanted=frontier.size)
    grown = frontier.copy()
    entries: list[Entry] = []
    erasures: list[EarlierErasure] = []
    leaves: list[bytes] = []
    order = Order(last_time_ms, batch.first)
    for item in batch.items:
        entry = Entry.decode(item.entry)
        order.take(entry.type, entry.version, entry.time_ms, entry.boot, entry.refs)
        if item.body is not None:
            check_body(entry, item.body)
        if (erasure := erasure_of(entry, item.body, origin)) is not None:
            erasures.append(erasure)
        leaves.append(leaf_hash(item.entry))
        entries.append(entry)
    nodes = grown.extend(leaves)
    known = Signers.of(keys)
    signers = follow(known, batch.successions, origin)
    changes = [at for at, entry in enumerate(entries, batch.first) if entry.type == KEY_CHANGED]
    check_changes(changes, signers, batch.first, grown.size)
    for at in changes:
        check_change(batch.items[at - batch.first].body, at, signers, origin)
    checkpoint = check_head(batch.checkpoint, grown, origin, signers)
    periods = signers.periods[len(known.periods) :]
    return VerifiedBatch(
        batch.first, tuple(entries), batch.items, grown, tuple(nodes), checkpoint, periods, tuple(erasures)
    )


def check_head(checkpoint: bytes, frontier: Frontier, origin: str, keys: Pinned) -> Checkpoint:
    """The checkpoint, if it signs exactly this tree; raises ``RootError``, ``CheckpointError``, ``SignatureError``."""
    if claimed_size(checkpoint) != frontier.size:
        raise RootError(reason="other size", size=frontier.size)
    return open_checkpoint(checkpoint, frontier.root(), origin, keys)


def verify_ledger(
    entries: Iterable[tuple[bytes, Body | None]],
    checkpoint: bytes | None,
    origin: str,
    keys: Pinned,
    *,
    complete: bool = False,
    erased_later: Collection[int] = (),
) -> VerifiedLedger:
    """A whole ledger as stored, from the first entry on.

    1. Every entry is well formed and in its place (``Order``).
    2. Every body that is still there is the one its entry committed to; one that tells of erasures in an earlier ledger
       or of a change of the key is of its form.
    3. With ``complete``, no body is gone but those that a ``body.erased`` entry names, or a later ledger:
       ``erased_later``.
    4. The entries tell of exactly the changes of the key that the history has.
    5. The root over all entries is the one that the stored checkpoint signs, with the key that may at this size.
    6. Every seal of the archive is of the tree at the end of its day, under the key that was introduced (``Seals``).

    Raises an ``UntrustedError``; its field ``index`` names the entry where one is at fault.
    """
    frontier, order, seals, signers = Frontier(), Order(), Seals(origin), Signers.of(keys)
    counts: dict[int, int] = {}
    gone: set[int] = set()
    changes: list[int] = []
    for index, (data, body) in enumerate(entries):
        try:
            kind, version, time_ms, boot, _, _, _, refs, _ = entry_parts(data)
            order.take(kind, version, time_ms, boot, refs)
            if body is not None:
                entry = Entry.decode(data)
                check_body(entry, body)
                erasure_of(entry, body, origin)
            else:
                gone.add(index)
            if kind == ERASED:
                gone.difference_update(refs)
            elif kind == KEY_CHANGED:
                changes.append(index)
                check_change(body, index, signers, origin)
            if time_ms >= seals.over_ms:
                seals.begin_day(time_ms, frontier)
            if kind in SEALING:
                seals.take(kind, index, body)
        except UntrustedError as error:
            error.fields["index"] = index
            raise
        frontier.append(leaf_hash(data))
        counts[kind] = counts.get(kind, 0) + 1
    order.check_erased(erased_later)
    told_later = len(gone.intersection(erased_later))
    gone.difference_update(erased_later)
    if gone and complete:
        raise BodyMissingError(index=min(gone), count=len(gone))
    check_changes(changes, signers, 0, frontier.size)
    if checkpoint is None:
        if frontier.size:
            raise RootError(reason="no checkpoint", size=frontier.size)
        return VerifiedLedger(None, 0, counts, seals.finish(), told_later)
    head = check_head(checkpoint, frontier, origin, keys)
    return VerifiedLedger(head, frontier.size, counts, seals.finish(), told_later)
