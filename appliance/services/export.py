"""A ledger of the box as a file for others: ``appliance/ledger/export.py`` says what is in it."""

from collections.abc import Callable, Iterator

from appliance.errors import RefusedError
from appliance.ledger.day_seals import is_sealing
from appliance.ledger.export import Confirmed, End, ErasedLater, Header, HubKey, Item, LaterLedger
from appliance.ledger.keys import VerifyingKey
from appliance.ledger.verify import Sealed
from appliance.services.enrolment import EnrolmentStore
from appliance.services.generations import find_generation
from appliance.services.later_erasures import later_erasures
from appliance.services.opening import OpenBox
from appliance.store.ledger import Head, LedgerStore

Progress = Callable[[int, int], None]
"""Entries done, and how many there are."""
SAY_EVERY = 4096


class ExportSizeError(RefusedError):
    """Fewer entries than one, or more than there are."""

    code = "export.size"


class ExportUnsignedError(RefusedError):
    """So many entries of an earlier ledger were never signed as a tree, and its key signs no more; ``nearest`` were."""

    code = "export.unsigned"


def export_ledger(
    box: OpenBox,
    *,
    first: int | None,
    bodies: bool,
    generation: int | None = None,
    progress: Progress = lambda _, __: None,
) -> Iterator[Item]:
    """The items of an export of the first ``first`` entries, of all for None; constant memory.

    ``generation`` is that of the ledger, None for the one that is written. With an earlier one and its bodies comes
    what later ones say was erased in it. Everything is of one moment, whatever is recorded or erased meanwhile. Raises
    ``GenerationError``, ``ExportSizeError``, ``ExportUnsignedError``, ``SealError`` for a body that is damaged,
    ``MissingEntryError`` for an entry that is lost.
    """
    with box.database.snapshot():
        ledger = find_generation(box, generation)
        head = ledger.head()
        size = head.size if first is None else first
        if not 0 < size <= head.size:
            raise ExportSizeError(size=size, own=head.size)
        end = End(_checkpoint(box, ledger, head, size))
        yield _header(box, ledger, size, whole=size == head.size, bodies=bodies)
        confirmation = ledger.confirmation(0)
        for index, item in enumerate(ledger.items(0, size, bodies=bodies)):
            if index % SAY_EVERY == 0:
                progress(index, size)
            # What seals the archive is for everybody, also where nothing personal goes out.
            yield item if bodies or not is_sealing(item.entry) else Sealed(item.entry, ledger.body(index))
            if confirmation is not None and confirmation.size == index + 1:
                yield Confirmed(confirmation.checkpoint, confirmation.cosignature)
                confirmation = ledger.confirmation(index + 1)
        if bodies:
            for told in later_erasures(box.database, ledger.origin):
                yield ErasedLater(told.receipt, told.body)
        yield end
    progress(size, size)


def _checkpoint(box: OpenBox, ledger: LedgerStore, head: Head, size: int) -> bytes:
    stored = head.checkpoint if size == head.size else None
    if stored is not None:
        return stored
    if ledger is box.ledger:
        return box.ledger.checkpoint_at(size)
    stored = ledger.signed_head(size)
    if stored is None:
        raise ExportUnsignedError(size=size, nearest=ledger.signed_size(size))
    return stored


def _header(box: OpenBox, ledger: LedgerStore, size: int, *, whole: bool, bodies: bool) -> Header:
    enrolment = EnrolmentStore(box.database).find()
    hub = None if enrolment is None else HubKey(enrolment.hub_name, VerifyingKey.from_pem(enrolment.hub_key.encode()))
    told = later_erasures(box.database, ledger.origin) if bodies else ()
    names = dict.fromkeys(one.origin for one in told)  # in the order of the generations
    later = tuple(LaterLedger(name, LedgerStore.find(box.database, name).keys) for name in names)
    return Header(ledger.origin, size, whole, bodies, ledger.keys, hub, box.clock.now_ms() // 1000, later)
