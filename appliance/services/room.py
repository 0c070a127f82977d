"""Which records are still taken when the disk is full: the one place where that is decided."""

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from appliance.ledger.entry import EntryType
from appliance.store.faults import DiskFullError
from appliance.store.reserve import Reserve

T = TypeVar("T")
ESSENTIAL = frozenset(
    {
        EntryType.LEDGER_OPENED,
        EntryType.BOX_STARTED,  # goes before the first record after a start, whatever that is
        EntryType.IDENTITY_INTRODUCED,  # the same
        EntryType.RECORD_CARRIED,  # was taken before, and is part of the beginning of a ledger
        EntryType.DEVICE_KEY_CHANGED,  # the key may be in foreign hands
        EntryType.BODY_ERASED,  # an erasure is owed by law, and makes room
        EntryType.EARLIER_BODY_ERASED,  # the same of an earlier ledger
        EntryType.STAFF_ADDED,  # the person who comes to mend the box
        EntryType.STAFF_SIGNED_IN,
    }
)
"""May use the reserve. A withdrawal belongs here."""
ORDINARY = frozenset(
    {
        EntryType.GUARDIAN_LINKED,
        EntryType.GUARDIAN_AUTHENTICATED,
        EntryType.CARD_CERTIFICATE,
        EntryType.LINK_CODE_ISSUED,
        EntryType.ROSTER_IMPORTED,
        EntryType.SETTINGS_PUBLISHED,
        EntryType.ARCHIVE_KEY_INTRODUCED,  # goes before the first seal
        EntryType.DAY_SEALED,  # nobody waits for it, and it is made up for the next night
    }
)
"""Are refused aloud; the person comes again when there is room."""


class Room:
    """The room for the records of one database."""

    def __init__(self, database: Path) -> None:
        self.reserve = Reserve(database)

    def restore(self) -> None:
        """Fills the reserve if it is not there and can be."""
        with suppress(OSError):
            self.reserve.keep()

    def require(self) -> None:
        """Before an ordinary record; raises ``DiskFullError`` while the reserve is given up."""
        if self.reserve.given_up:
            self.restore()
            if self.reserve.given_up:
                raise DiskFullError()

    def use(self, write: Callable[[], T]) -> T:
        """Does something essential, with the room of the reserve if the disk has no other.

        What fails on a full disk has written nothing, so it is done a second time as a whole.
        """
        try:
            return write()
        except DiskFullError:
            if not self.reserve.give_up():
                raise
            return write()
