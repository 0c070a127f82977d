"""Somebody who goes on recording while something else is done to the database."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from typing import Final

from appliance.store.database import Database
from appliance.store.ledger import OwnLedger
from tests.sim.durable.act import Fact, append

REST_S: Final = 0.004
"""Between two entries: nobody at a window is faster, and whoever waits for a moment of quiet finds one."""
LONGEST_S: Final = 60.0


@contextmanager
def writing(
    opening: Callable[[], AbstractContextManager[tuple[Database, OwnLedger]]], told: Callable[[Fact], None]
) -> Iterator[None]:
    """A thread with connections of its own appends entry after entry and tells each as soon as it is promised; whatever
    stops it is raised at the end."""
    enough = threading.Event()

    def write() -> None:
        with opening() as (_, ledger):
            while not enough.wait(REST_S):
                told(append(ledger, 1))

    with ThreadPoolExecutor(1, "writer") as pool:
        work = pool.submit(write)
        try:
            yield
        finally:
            enough.set()
        work.result(LONGEST_S)
