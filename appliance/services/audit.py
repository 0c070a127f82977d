"""Whether the box's own records are all there and unchanged, and if not, which are at fault."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from appliance.errors import MadoguchiError, UntrustedError
from appliance.ledger.checkpoint import CheckpointError, claimed_signer, open_checkpoint, open_cosignature
from appliance.ledger.day_seals import SealState
from appliance.ledger.entry import Body
from appliance.ledger.keys import SignatureError, VerifyingKey
from appliance.ledger.succession import check_chain
from appliance.ledger.verify import RootError, verify_ledger
from appliance.services.generations import generations
from appliance.services.later_erasures import later_erasures
from appliance.services.opening import OpenBox
from appliance.store.database import Database, Keys
from appliance.store.faults import StoreError
from appliance.store.ledger import LedgerStore
from appliance.store.tree import NoEntryError

Progress = Callable[[int, int], None]
"""Entries done, and how many there are."""
Cosigners = Mapping[bytes, VerifyingKey]
"""Who may have confirmed a ledger, by the id of the key; empty if nobody is known."""
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
    good; ``earlier`` are the generations before it, ``mirrors`` the copies of the ledgers that the hub writes."""

    origin: str
    size: int = 0
    cosigned: int = 0
    counts: dict[int, int] = field(default_factory=dict)
    faults: list[MadoguchiError] = field(default_factory=list)
    database: list[str] = field(default_factory=list)
    told_later: int = 0
    seals: SealState | None = None
    earlier: list["Audit"] = field(default_factory=list)
    mirrors: list["Audit"] = field(default_factory=list)

    @property
    def good(self) -> bool:
        return not self.faults and not self.database and all(one.good for one in (*self.earlier, *self.mirrors))


def audit(box: OpenBox, hub: VerifyingKey | None, progress: Progress = lambda _, __: None) -> Audit:
    """Looks at everything.

    1. The pages of the database are those that were written with its key.
    2. to 6. as in ``audit_ledger``.
    7. The head noted beside the database is no later one, and of this tree: else the file is an older copy, or another.
    8. The earlier generations are in order, and the mirrors are what the hub signed and the box confirmed. In a mirror,
       a body may be gone before the entry that says why has arrived.
    """
    pages = box.database.check()
    found = audit_ledger(box.ledger, cosigner(hub), progress)
    found.database = pages
    with _faults_of(found):
        _check_note(box)
    with _faults_of(found):
        _check_others(box, hub, found, progress)
    return found


def audit_ledger(
    ledger: LedgerStore,
    cosigners: Cosigners,
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
    6. Every stored confirmation is of this tree and by one of the ``cosigners``; not asked where none is known.
    """
    found = Audit(ledger.origin)
    with _faults_of(found):
        _check_entries(ledger, found, progress, complete, erased_later)
    with _faults_of(found):
        _check_confirmations(ledger, cosigners)
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
    found = audit_ledger(ledger, cosigner(hub), progress, erased_later=told)
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


def _check_others(box: OpenBox, hub: VerifyingKey | None, found: Audit, progress: Progress) -> None:
    own = {one.origin: one.keys for one in generations(box.database)}
    cosigners = {period.key.key_id: period.key for keys in own.values() for period in keys.periods}
    for origin in LedgerStore.origins(box.database):
        ledger = LedgerStore.find(box.database, origin)
        if origin not in own:
            found.mirrors.append(audit_ledger(ledger, cosigners, progress, complete=False))
        elif origin != found.origin:
            found.earlier.append(audit_earlier(box.database, ledger, hub, progress))


@contextmanager
def _faults_of(found: Audit) -> Iterator[None]:
    """What is at fault ends one look, not the others."""
    try:
        yield
    except (UntrustedError, StoreError) as error:
        found.faults.append(error)


def cosigner(hub: VerifyingKey | None) -> Cosigners:
    """The one hub that the box belongs to, or nobody."""
    return {} if hub is None else {hub.key_id: hub}


def _check_confirmations(ledger: LedgerStore, cosigners: Cosigners) -> None:
    if not cosigners:
        return
    for one in ledger.confirmations():
        try:
            root = ledger.root_at(one.size)
            open_checkpoint(one.checkpoint, root, ledger.origin, ledger.keys)
            key = cosigners.get(claimed_signer(one.cosignature))
            if key is None:
                raise SignatureError(reason="other key")
            open_cosignature(one.cosignature, root, ledger.origin, key)
        except MadoguchiError as error:
            raise ForkedError(size=one.size, by="hub") from error


def _check_note(box: OpenBox) -> None:
    noted, size = box.note.read(), box.ledger.head().size
    if noted is None or noted.origin != box.school.origin:
        return
    checkpoint = noted.open(box.ledger.keys)
    if checkpoint.size > size:
        raise RolledBackError(size=checkpoint.size, own=size)
    try:
        same = box.ledger.root_at(checkpoint.size) == checkpoint.root
    except NoEntryError as error:  # one that belongs to this tree is missing
        raise ForkedError(size=checkpoint.size, by="box") from error
    if not same:
        raise ForkedError(size=checkpoint.size, by="box")
