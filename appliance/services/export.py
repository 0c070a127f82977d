"""The box's own ledger as a file for others: ``appliance/ledger/export.py`` says what is in it."""

from collections.abc import Callable, Iterator

from appliance.errors import RefusedError
from appliance.ledger.day_seals import is_sealing
from appliance.ledger.export import Confirmed, End, Header, HubKey, Item
from appliance.ledger.keys import VerifyingKey
from appliance.ledger.verify import Sealed
from appliance.services.enrolment import EnrolmentStore
from appliance.services.opening import OpenBox

Progress = Callable[[int, int], None]
"""Entries done, and how many there are."""
SAY_EVERY = 4096


class ExportSizeError(RefusedError):
    """Fewer entries than one, or more than there are."""

    code = "export.size"


def export_ledger(
    box: OpenBox, *, first: int | None, bodies: bool, progress: Progress = lambda _, __: None
) -> Iterator[Item]:
    """The items of an export of the first ``first`` entries, of all for None; constant memory.

    Everything is of one moment, whatever is recorded or erased meanwhile. Raises ``ExportSizeError``, ``SealError`` for
    a body that is damaged, ``MissingEntryError`` for an entry that is lost.
    """
    with box.database.snapshot():
        ledger = box.ledger
        head = ledger.head()
        size = head.size if first is None else first
        if not 0 < size <= head.size:
            raise ExportSizeError(size=size, own=head.size)
        yield _header(box, size, whole=size == head.size, bodies=bodies)
        confirmation = ledger.confirmation(0)
        for index, item in enumerate(ledger.items(0, size, bodies=bodies)):
            if index % SAY_EVERY == 0:
                progress(index, size)
            # What seals the archive is for everybody, also where nothing personal goes out.
            yield item if bodies or not is_sealing(item.entry) else Sealed(item.entry, box.ledger.body(index))
            if confirmation is not None and confirmation.size == index + 1:
                yield Confirmed(confirmation.checkpoint, confirmation.cosignature)
                confirmation = ledger.confirmation(index + 1)
        stored = head.checkpoint if size == head.size else None
        yield End(stored or ledger.checkpoint_at(size))
    progress(size, size)


def _header(box: OpenBox, size: int, *, whole: bool, bodies: bool) -> Header:
    enrolment = EnrolmentStore(box.database).find()
    hub = None if enrolment is None else HubKey(enrolment.hub_name, VerifyingKey.from_pem(enrolment.hub_key.encode()))
    return Header(box.school.origin, size, whole, bodies, box.ledger.keys, hub, box.clock.now_ms() // 1000)
