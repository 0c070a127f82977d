"""Builds the failing layer and turns the fault on and off."""

from enum import Enum, unique
from pathlib import Path
from typing import Final

from tests.sim.powercut.recorder import build

SOURCE: Final = Path(__file__).with_name("broken_disk.c")
LIBRARY: Final = "libbrokendisk.so"


@unique
class Fault(Enum):
    """What fails. Reading goes on for a while after a device is gone, from what the kernel holds."""

    WRITING = "w"
    EVERYTHING = "a"


class BrokenDisk:
    """The disk of a folder that exists, for programs that are started with ``environment``; well when made.

    ``workshop`` is a folder of its own elsewhere. Raises ``CompilerMissingError``.
    """

    def __init__(self, workshop: Path, folder: Path) -> None:
        self._switch = workshop / "fault"
        build(SOURCE, workshop / LIBRARY)
        self.environment = {
            "LD_PRELOAD": str(workshop / LIBRARY),
            "BROKEN_DISK_FOLDER": str(folder),
            "BROKEN_DISK_SWITCH": str(self._switch),
        }

    def break_down(self, fault: Fault) -> None:
        """From the next call on, in all programs at once."""
        fresh = self._switch.with_suffix(".next")
        fresh.write_text(fault.value)
        fresh.rename(self._switch)

    def recover(self) -> None:
        self._switch.unlink(missing_ok=True)
