"""Whether the disk takes a write at all."""

from appliance.services.condition import FAULT, Condition, Problem
from appliance.store.disk import Disk, DiskFault


def check_storage(condition: Condition) -> Problem | None:
    """Tried a moment ago with a real write: nobody has to come to the window for it to be found."""
    return storage_problem(condition.disk)


def storage_problem(disk: Disk) -> Problem | None:
    """The same for a box whose database cannot even be opened."""
    if disk.fault is DiskFault.READ_ONLY:
        return Problem("health.disk_read_only", FAULT)
    if disk.fault is DiskFault.BROKEN:
        return Problem("health.disk_broken", FAULT)
    return None


def closed_problem(reason: str) -> Problem:
    """For records that do not open on a disk that seems well; ``reason`` is the error's code."""
    return Problem("health.store_closed", FAULT, {"reason": reason})
