"""Whether the box's own records are all there and unchanged, and if not, which are at fault."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from appliance.errors import MadoguchiError, UntrustedError
from appliance.ledger.checkpoint import CheckpointError, open_checkpoint, open_cosignature
from appliance.ledger.day_seals import SealState
from appliance.ledger.entry import Body
from appliance.ledger.keys import SignatureError, VerifyingKey
from appliance.ledger.succession import check_chain
from appliance.ledger.verify import RootError, verify_ledger
from appliance.services.later_erasures import later_erasures
from appliance.services.opening import OpenBox
from appliance.store.database import Database, Keys
from appliance.store.faults import StoreError
from appliance.store.ledger import LedgerStore

Progress = Callable[[int, int], None]
"""Entries done, and how many there are."""
SAY_EVERY = 4096
PAGE_BYTES = 4096


class RolledBackError(UntrustedError):
    """The database is an older copy: a later head of the same ledger was signed and noted beside it."""

    code = "ledger.rolled_back"


class ForkedError(UntrustedError):
    """The ledger is not the one whose head was noted or confirmed earlier."""

    code = "ledger.forked"


@dataclass
class Audit:
    """``faults`` in the order in which they were found, none if all is well; ``counts`` by type number, of a ledger
    without fault; ``told_later`` counts bodies that are gone and of which a later ledger says why; ``database`` is
    what the database says of its own pages; ``seals`` is what the archive's seals prove, None unless the entries are
    good."""

    origin: str
    size: int = 0
    cosigned: int = 0
    counts: dict[int, int] = field(default_factory=dict)
    faults: list[MadoguchiError] = field(default_factory=list)
    database: list[str] = field(default_factory=list)
    told_later: int = 0
    seals: SealState | None = None

    @property
    def good(self) -> bool:
        return not self.faults and not self.database


def audit(box: OpenBox, hub: VerifyingKey | None, progress: Progress = lambda _, __: None) -> Audit:
    """Looks at everything.

    1. The pages of the database are those that were written with its key.
    2. to 6. as in ``audit_ledger``.
    7. The head noted beside the database is no later one, and of this tree: else the file is an older copy, or another.
    """
    pages = box.database.check()
    found = audit_ledger(box.ledger, hub, progress)
    found.database = pages
    try:
        _check_note(box)
    except (UntrustedError, StoreError) as error:
        found.faults.append(error)
    return found


def audit_ledger(
    ledger: LedgerStore,
    hub: VerifyingKey | None,
    progress: Progress = lambda _, __: None,
    *,
    complete: bool = True,
    erased_later: Collection[int] = (),
) -> Audit:
    """Looks at one ledger of the box.

    2. No entry is missing, each is well formed, in order, and refers backwards only.
    3. Every body is the one its entry committed to; with ``complete``, one that is gone was erased by a later entry
       that says why, here or in a later ledger, which says so of ``erased_later``.
    4. The keys follow from the first one, as the entries tell, and the tree is the one that the last checkpoint signs;
       if not, the stored subtrees tell where it differs.
    5. Every seal of the archive is of the tree at the end of its day, under the key that the ledger introduced.
    6. Every stored confirmation is the hub's (with its key), of this tree.
    """
    found = Audit(ledger.origin)
    try:
        _check_entries(ledger, found, progress, complete, erased_later)
    except (UntrustedError, StoreError) as error:
        found.faults.append(error)
    try:
        _check_confirmations(ledger, hub)
    except (UntrustedError, StoreError) as error:
        found.faults.append(error)
    return found


def audit_earlier(
    database: Database, ledger: LedgerStore, hub: VerifyingKey | None, progress: Progress = lambda _, __: None
) -> Audit:
    """Looks at an earlier ledger as ``audit_ledger`` does, with what later ones say was erased in it."""
    fault: MadoguchiError | None = None
    told: set[int] = set()
    try:
        for one in later_erasures(database, ledger.origin):
            told.update(one.erasure.indices)
    except (UntrustedError, StoreError) as error:
        fault = error
    found = audit_ledger(ledger, hub, progress, erased_later=told)
    if fault is not None:
        found.faults.append(fault)
    return found


def audit_pages(path: Path, key: bytes | Keys, error: MadoguchiError) -> Audit:
    """What can still be said of a database that does not open any more: ``error`` is why it does not.

    Raises it again if no page was written with this key: it is another key, or the file is no database.
    """
    pages = Database(path, key).check_pages()
    if len(pages) * PAGE_BYTES >= path.stat().st_size:
        raise error
    return Audit("", faults=[error], database=pages)


def _check_entries(
    ledger: LedgerStore, found: Audit, progress: Progress, complete: bool, erased_later: Collection[int]
) -> None:
    head = ledger.head()
    found.size, found.cosigned = head.size, head.cosigned_size
    entries = _entries(ledger, head.size, progress)
    try:
        check_chain(ledger.keys, found.origin)
        verified = verify_ledger(
            entries, head.checkpoint, found.origin, ledger.keys, complete=complete, erased_later=erased_later
        )
    except (RootError, SignatureError, CheckpointError) as error:
        first, last = ledger.differing(head.size)
        error.fields |= {"first": first, "last": last}
        raise
    found.counts.update(verified.counts)
    found.told_later, found.seals = verified.told_later, verified.seals


def _entries(ledger: LedgerStore, size: int, progress: Progress) -> Iterator[tuple[bytes, Body | None]]:
    for index, item in enumerate(ledger.items(0, size)):
        if index % SAY_EVERY == 0:
            progress(index, size)
        yield item.entry, item.body
    progress(size, size)


def _check_confirmations(ledger: LedgerStore, hub: VerifyingKey | None) -> None:
    if hub is None:
        return
    for one in ledger.confirmations():
        try:
            root = ledger.root_at(one.size)
            open_checkpoint(one.checkpoint, root, ledger.origin, ledger.keys)
            open_cosignature(one.cosignature, root, ledger.origin, hub)
        except MadoguchiError as error:
            raise ForkedError(size=one.size, by="hub") from error


def _check_note(box: OpenBox) -> None:
    noted, size = box.note.read(), box.ledger.head().size
    if noted is None or noted.origin != box.school.origin:
        return
    checkpoint = noted.open(box.ledger.keys)
    if checkpoint.size > size:
        raise RolledBackError(size=checkpoint.size, own=size)
    if box.ledger.root_at(checkpoint.size) != checkpoint.root:
        raise ForkedError(size=checkpoint.size, by="box")
