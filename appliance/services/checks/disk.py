"""Whether there is room for records."""

from appliance.services.condition import FAULT, Condition, Problem
from appliance.store.disk import Disk, DiskFault

LOW_BYTES = 1 << 30
FULL_BYTES = 64 << 20


def check_disk(condition: Condition) -> Problem | None:
    """Warns while there is still time for somebody to come; ``free_mb`` is in units of 2^20 bytes.

    Full is what takes nothing, or what has only the room of the reserve left; nearly full still takes records.
    """
    if condition.reserve_given_up:
        return Problem("health.disk_full", FAULT, {"free_mb": condition.disk.free_bytes >> 20})
    return disk_problem(condition.disk)


def disk_problem(disk: Disk) -> Problem | None:
    """The same for a box whose database cannot even be opened."""
    free_mb = disk.free_bytes >> 20
    if disk.fault is DiskFault.FULL:
        return Problem("health.disk_full", FAULT, {"free_mb": free_mb})
    if disk.fault is not None:
        return None
    if disk.free_bytes < FULL_BYTES:
        return Problem("health.disk_nearly_full", FAULT, {"free_mb": free_mb})
    if disk.free_bytes < LOW_BYTES:
        return Problem("health.disk_low", fields={"free_mb": free_mb})
    return None
