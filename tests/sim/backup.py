"""A backup of a box, and the people at both ends who bring it into another one."""

from dataclasses import dataclass
from pathlib import Path

from appliance.ledger.keys import SigningKey
from appliance.ledger.recipient import Recipient
from appliance.ledger.release import Release
from appliance.ledger.sealed_file import Header
from appliance.services.backup import Made, make_backup
from appliance.services.opening import OpenBox, open_box
from appliance.services.restoring import Restored, Restoring, request_restore
from tests.sim.clock import ManualClock

NEW_DATABASE_KEY = b"n" * 32


def header_of(path: Path) -> Header:
    with path.open("rb") as file:
        return Header.read(file.read)


@dataclass
class NewBox:
    """A box that was not founded, in a folder of its own, with keys of its own."""

    state: Path
    clock: ManualClock

    def __post_init__(self) -> None:
        self.device_key = SigningKey.make()

    def released(self, holder: Recipient, backup: Path, keys: Path) -> Release:
        """The prefecture's answer to this box's request."""
        request = request_restore(self.state)
        return Release.make(request, holder, header_of(backup), header_of(keys))

    def restore(self, holder: Recipient, backup: Path, keys: Path) -> Restored:
        return self.restoring().run(backup, keys, self.released(holder, backup, keys))

    def restoring(self) -> Restoring:
        return Restoring(self.state, NEW_DATABASE_KEY, self.device_key, self.clock)

    def open(self) -> OpenBox:
        return open_box(self.state, NEW_DATABASE_KEY, self.device_key, self.clock)


def back_up(box: OpenBox, holder: Recipient, folder: Path) -> Made:
    folder.mkdir(exist_ok=True)
    return make_backup(box, holder.public_bytes(), folder)
