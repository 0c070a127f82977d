"""The rules for an entry at its place in a ledger (docs/ledger.md, section 3), on one way through it. No I/O."""

from collections.abc import Collection, Sequence

from appliance.errors import UntrustedError
from appliance.ledger.entry import EntryType, type_label
from appliance.ledger.erasure import ErasureFormError

OPENING = (EntryType.LEDGER_OPENED.number, EntryType.BOX_STARTED.number)
"""The types whose entry is the beginning of the boot that it names."""
ERASED, KEPT = EntryType.BODY_ERASED.number, EntryType.EARLIER_BODY_ERASED.number
TELLING = {
    one.number: one.version
    for one in (
        EntryType.BODY_ERASED,
        EntryType.DAY_SEALED,
        EntryType.ARCHIVE_KEY_INTRODUCED,
        EntryType.DEVICE_KEY_CHANGED,
        EntryType.EARLIER_BODY_ERASED,
    )
}
"""Types that decide what is believed of other entries, each with the one version in which that is known."""


class OrderError(UntrustedError):
    """An entry that is older than the one before it, or refers to one that does not exist yet, or to another start of
    the machine than the last one."""

    code = "ledger.order"


class EntryVersionError(UntrustedError):
    """An entry of a type in ``TELLING`` in a version that this program does not know: what it means for other entries
    cannot be guessed."""

    code = "ledger.entry_version"


class Order:
    """Takes the entries one after the other, from index ``size`` on; ``time_ms`` is the time of the last one.

    1. The time of an entry is not less than that of the one before.
    2. The boot of an entry that tells of a start is its own index, that of any other the index of the last start. A
       walk that begins in the middle believes the first boot that it sees.
    3. References lead to earlier entries.
    4. A type in ``TELLING`` has the version in which this program knows it.
    5. No ``body.erased`` refers to an ``earlier_body.erased``, as far as the walk has seen it: such a body is kept.
    """

    def __init__(self, time_ms: int = 0, size: int = 0) -> None:
        self.time_ms, self.size = time_ms, size
        self._boot: int | None = None
        self._kept: set[int] = set()

    def take(self, kind: int, version: int, time_ms: int, boot: int, refs: Sequence[int]) -> None:
        """The parts of the next entry; raises ``OrderError``, ``EntryVersionError`` or ``ErasureFormError``."""
        index = self.size
        if time_ms < self.time_ms:
            raise OrderError(index=index, reason="older than its predecessor")
        if boot > index or (boot == index and kind not in OPENING) or (refs and max(refs) >= index):
            raise OrderError(index=index, reason="refers to a later entry")
        begun = index if kind in OPENING else boot if self._boot is None else self._boot
        if boot != begun:
            raise OrderError(index=index, reason="another boot")
        if kind in TELLING:
            self._telling(kind, version, refs)
        self.time_ms, self.size, self._boot = time_ms, index + 1, boot

    def _telling(self, kind: int, version: int, refs: Sequence[int]) -> None:
        if version != TELLING[kind]:
            raise EntryVersionError(index=self.size, type=type_label(kind), version=version)
        if kind == KEPT:
            self._kept.add(self.size)
        elif kind == ERASED:
            self.check_erased(refs)

    def check_erased(self, indices: Collection[int]) -> None:
        """Raises ``ErasureFormError`` if one of these bodies is of a type that is kept, whoever says it was erased."""
        if not self._kept.isdisjoint(indices):
            raise ErasureFormError(reason="never erased", index=min(self._kept.intersection(indices)))
