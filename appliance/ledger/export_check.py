"""Whether an exported ledger is what its box signed and its hub confirmed: a receipt for all entries at once."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from appliance.errors import UntrustedError
from appliance.ledger.archive_keys import ArchiveVerifyingKey
from appliance.ledger.checkpoint import (
    Checkpoint,
    CheckpointError,
    claimed_key,
    open_cosignature,
    parse_sign1,
    read_claims,
)
from appliance.ledger.day_seals import SEALING, Seals, SealState
from appliance.ledger.entry import Entry, EntryType, check_body, entry_parts
from appliance.ledger.erased_later import LaterKeyError, open_erased_later
from appliance.ledger.erasure import erasure_of
from appliance.ledger.export import Confirmed, End, ErasedLater, ExportFormError, Header, Item
from appliance.ledger.keys import SignatureError, VerifyingKey
from appliance.ledger.merkle import Frontier, leaf_hash
from appliance.ledger.order import Order
from appliance.ledger.signers import Pinned, Signers
from appliance.ledger.succession import check_chain, check_change, check_changes
from appliance.ledger.verify import KEY_CHANGED, BodyMissingError, RootError, Sealed, check_head


@dataclass(frozen=True, slots=True)
class VerifiedExport:
    """What an exported ledger proves: that these entries are under this checkpoint, and how many of them the hub
    confirmed last, when. ``confirmations`` counts those in the file, verified or not; ``bodies`` and ``erased`` the
    bodies that came along and those that are gone, ``told_later`` those of these that a later ledger says were erased;
    ``counts`` entries by type number; ``seals`` is what the archive's seals prove."""

    header: Header
    checkpoint: Checkpoint
    confirmation: Checkpoint | None
    confirmations: int
    counts: dict[int, int]
    bodies: int
    erased: int
    told_later: int
    seals: SealState


def verify_export(
    items: Iterable[Item],
    box: Sequence[Pinned],
    hubs: Sequence[VerifyingKey] = (),
    archive: Sequence[ArchiveVerifyingKey] | None = None,
) -> VerifiedExport:
    """Verifies what ``read_export`` reads, with nothing but the pinned keys; ``hubs`` are those of all hubs
    that ever confirmed the ledger, of one that changed its key the earlier ones too, or none.

    1. The header comes first, the first key that it names for the box is a pinned one, and each further one follows
       from the one before. Where more of the history is pinned, it is the same. So it is with
       each later ledger that the header names.
    2. After it come entries and confirmations of their forms, after all of them what later ledgers say, then the end
       with the digest of all bytes, then nothing.
    3. Every entry is well formed and in its place (``Order``).
    4. Every body is the one its entry committed to; one that tells of erasures in an earlier ledger is of its form, and
       nobody says that it was erased. With all bodies of a whole ledger, none is gone but those that an entry
       ``body.erased`` names, or one of a later ledger that is proven there; without bodies, none is there but those of
       the archive's seals and keys.
    5. Every confirmation is of the tree of the entries before it, signed by the box, with a key that may at this size,
       and, if keys of hubs are given, by the one of them whose key it names.
    6. There are as many entries as the header says, they tell of exactly the changes of the key that are known, with
       their bodies if they are there, and the box's last checkpoint signs their tree, with a key that may at this size.
    7. Every seal of the archive is of the tree at the end of its day, under the key that the ledger introduced, which
       is one of the ``archive`` keys unless that is None.

    Needs the right edge of the tree, one item at a time, a bit for each entry, and the root at the end of each day that
    no seal covers. Raises an ``UntrustedError``; its field ``index`` names the entry where one is at fault.
    """
    reader = _Reader(box, hubs, archive)
    for item in items:
        reader.take(item)
    return reader.finish()


def header_keys(header: Header) -> list[VerifyingKey]:
    """The box's keys by the file's own word: with them only as much is proven as the file itself can prove."""
    return [header.signers.first, *(one.signers.first for one in header.later)]


@dataclass
class _Reader:
    """The state of ``verify_export``; ``gone`` has a bit for each body that is not there and not said to be erased."""

    box: Sequence[Pinned]
    hubs: Sequence[VerifyingKey]
    archive: Sequence[ArchiveVerifyingKey] | None
    header: Header | None = None
    signers: Signers | None = None
    frontier: Frontier = field(default_factory=Frontier)
    order: Order = field(default_factory=Order)
    counts: dict[int, int] = field(default_factory=dict)
    gone: bytearray = field(default_factory=bytearray)
    changes: list[int] = field(default_factory=list)
    bodies: int = 0
    later: dict[str, Signers] = field(default_factory=dict)
    told_later: int | None = None
    """None until a later ledger says something."""
    confirmed: tuple[int, int] = (0, 0)
    """How many confirmations there were, and the size at the last of them."""
    confirmation: Checkpoint | None = None
    checkpoint: Checkpoint | None = None
    seals: Seals = field(init=False)
    state: SealState = field(init=False)

    def take(self, item: Item) -> None:
        """Step 2: what may come next."""
        if isinstance(item, Header) == (self.header is not None) or self.checkpoint is not None:
            raise ExportFormError(reason="an item out of place")
        if self.told_later is not None and isinstance(item, Sealed | Confirmed):
            raise ExportFormError(reason="an item out of place")
        if isinstance(item, Header):
            self._begin(item)
        elif self.header is not None:
            if isinstance(item, Sealed):
                self._entry(item, self.header)
            elif isinstance(item, Confirmed):
                self._confirmation(item, self.header)
            elif isinstance(item, ErasedLater):
                self._erased_later(item, self.header)
            else:
                self._end(item, self.header)

    def finish(self) -> VerifiedExport:
        if self.header is None or self.checkpoint is None:
            raise ExportFormError(reason="no end")
        erased = self.frontier.size - self.bodies if self.header.bodies else 0
        return VerifiedExport(
            self.header,
            self.checkpoint,
            self.confirmation,
            self.confirmed[0],
            self.counts,
            self.bodies,
            erased,
            self.told_later or 0,
            self.state,
        )

    def _begin(self, header: Header) -> None:
        """Step 1."""
        signers = self._believed(header.signers, header.origin)
        if signers is None:
            raise SignatureError(reason="other key")
        for ledger in header.later:
            believed = self._believed(ledger.signers, ledger.origin)
            if believed is None:
                raise LaterKeyError(origin=ledger.origin, key=ledger.signers.first.key_id.hex())
            self.later[ledger.origin] = believed
        self.header, self.signers, self.seals = header, signers, Seals(header.origin, self.archive)

    def _believed(self, signers: Signers, origin: str) -> Signers | None:
        """The keys with what more is pinned of them; None if nothing is."""
        pinned = [one for one in map(Signers.of, self.box) if one.first == signers.first]
        if not pinned:
            return None
        check_chain(signers, origin)
        for one in pinned:
            signers = signers.joined(one)
        return signers

    def _entry(self, item: Sealed, header: Header) -> None:
        index = self.frontier.size
        try:
            # 3.
            kind, version, time_ms, boot, _, _, _, refs, _ = entry_parts(item.entry)
            self.order.take(kind, version, time_ms, boot, refs)
            # 4.
            if item.body is not None:
                entry = Entry.decode(item.entry)
                check_body(entry, item.body)
                erasure_of(entry, item.body, header.origin)
            # 6.
            if kind == KEY_CHANGED:
                check_change(item.body, index, self.signers or header.signers, header.origin)
        except UntrustedError as error:
            error.fields["index"] = index
            raise
        if item.body is not None and not header.bodies and kind not in SEALING:
            raise ExportFormError(reason="a body in an export without bodies", index=index)
        self._note_body(index, item, expected=header.bodies or kind in SEALING)
        if time_ms >= self.seals.over_ms:
            self.seals.begin_day(time_ms, self.frontier)
        if kind in SEALING:
            self.seals.take(kind, index, item.body)
        if kind == EntryType.BODY_ERASED.number:
            for one in refs:
                self.gone[one >> 3] &= ~(1 << (one & 7))
        elif kind == KEY_CHANGED:
            self.changes.append(index)
        self.frontier.append(leaf_hash(item.entry))
        self.counts[kind] = self.counts.get(kind, 0) + 1

    def _note_body(self, index: int, item: Sealed, *, expected: bool) -> None:
        if index & 7 == 0:
            self.gone.append(0)
        if item.body is not None:
            self.bodies += 1
        elif expected:
            self.gone[index >> 3] |= 1 << (index & 7)

    def _confirmation(self, item: Confirmed, header: Header) -> None:
        """Step 5."""
        size, (count, last_size) = self.frontier.size, self.confirmed
        if size == last_size:
            raise ExportFormError(reason="a confirmation out of place")
        check_head(item.checkpoint, self.frontier, header.origin, self.signers or header.signers)
        if self.hubs:
            hub = _named(item.cosignature, self.hubs)
            opened = open_cosignature(item.cosignature, self.frontier.root(), header.origin, hub)
            if opened.size != size:
                raise CheckpointError(reason="other size")
            self.confirmation = opened
        self.confirmed = (count + 1, size)

    def _erased_later(self, item: ErasedLater, header: Header) -> None:
        """Step 4, for what a later ledger says."""
        erasure = open_erased_later(item, header.origin, self.later)
        self.order.check_erased(erasure.indices)
        told = self.told_later or 0
        for index in erasure.indices:
            place, bit = index >> 3, 1 << (index & 7)
            if index < self.frontier.size and self.gone[place] & bit:  # a part of a ledger may end before it
                self.gone[place] &= ~bit
                told += 1
        self.told_later = told

    def _end(self, item: End, header: Header) -> None:
        """Steps 4, its last part, 6 and 7."""
        if self.frontier.size != header.size:
            raise RootError(reason="other number of entries", size=self.frontier.size)
        signers = self.signers or header.signers
        check_changes(self.changes, signers, 0, header.size)
        self.checkpoint = check_head(item.checkpoint, self.frontier, header.origin, signers)
        if header.whole and any(self.gone):
            count = sum(byte.bit_count() for byte in self.gone)
            place, byte = next((at, one) for at, one in enumerate(self.gone) if one)
            raise BodyMissingError(index=8 * place + (byte & -byte).bit_length() - 1, count=count)
        self.state = self.seals.finish()


def _named(cosignature: bytes, hubs: Sequence[VerifyingKey]) -> VerifyingKey:
    """The key that a cosignature names; the first one, which will not fit, if it is none of these."""
    protected, _, _ = parse_sign1(cosignature)
    read_claims(protected, None)  # whether it has the form that names a key
    named = claimed_key(protected)
    return next((key for key in hubs if key.key_id == named), hubs[0])
