"""A disk that fails under one program only, by a limit of the kernel for it."""

import resource
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.sim.world import World


@contextmanager
def failing_beyond(world: World, size: int) -> Iterator[None]:
    """No file of the kiosk can grow beyond this size (setrlimit(2), RLIMIT_FSIZE): writing more fails, as on a
    disk with a fault."""
    master = world.programs["kiosk"].pid
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    workers = [int(one) for one in children]
    assert workers
    before = {pid: resource.prlimit(pid, resource.RLIMIT_FSIZE) for pid in workers}
    for pid, (_, most) in before.items():
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (size, most))
    try:
        yield
    finally:
        for pid, limits in before.items():
            resource.prlimit(pid, resource.RLIMIT_FSIZE, limits)
