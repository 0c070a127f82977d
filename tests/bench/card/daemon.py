"""Authentications through a running ``cardd``, as the kiosk has them; how it recovers, and whether it grows."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Final

from appliance.card.ipc import CardClient
from appliance.card.service import CardState
from tests.bench.card.authentications import Own, References, both_ways, through
from tests.bench.card.promises import figure
from tests.bench.card.window import BenchError, Window
from tests.bench.report import Figure
from tests.sim.program import Program

# CPython keeps up to 2000 freed tuples of each length (PyTuple_MAXFREELIST), and some grow by one a session: before so
# many sessions its own stock is measured, and no leak.
WARM_UP: Final = 2500
FEWEST_SESSIONS: Final = 1000  # memory comes in pages of 4 kB: of fewer, one page more would already be a miss
PATIENCE_S: Final = 20.0
LOOK_S: Final = 0.002
AWAY: Final = (CardState.SERVICE_ABSENT, CardState.READER_ABSENT)
NO_UNPLUGGING = "pcscd has the virtual reader from its settings and keeps it while it runs: it cannot be unplugged"


class Cardd:
    """A real ``cardd`` on the reader of a window. Use it in a ``with``."""

    def __init__(self, window: Window) -> None:
        self._socket = window.folder / "run" / "card.sock"
        self._socket.parent.mkdir()
        settings = window.folder / "cardd.toml"
        settings.write_text(f'[box]\nrun_dir = "{self._socket.parent}"\n')
        environment = {**window.pcscd.environment, "APPLIANCE_SETTINGS": str(settings)}
        self.program = Program("cardd", "appliance.programs.cardd", [], environment, window.folder / "cardd.log")

    def __enter__(self) -> "Cardd":
        self.program.start()
        try:
            self.program.wait_for("cardd.ready")
        except BaseException:
            self.program.kill()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.program.stop()

    def client(self) -> CardClient:
        return CardClient(self._socket)

    @property
    def state(self) -> CardState:
        """Asked by a new client each time: one that asks so often would be taken for a flood."""
        with self.client() as client:
            return client.status().state

    @property
    def resident_kb(self) -> int:
        """VmRSS of proc(5), in kB."""
        lines = Path(f"/proc/{self.program.pid}/status").read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))

    def wait_until(self, true: Callable[[CardState], bool]) -> float:
        """Waits for such a state; the time on ``perf_counter`` when it was there. Raises ``BenchError``."""
        end = time.perf_counter() + PATIENCE_S
        while not true(state := self.state):
            if time.perf_counter() > end:
                raise BenchError(f"cardd still says {state.value}: {self.program.last_words()}")
            time.sleep(LOOK_S)
        return time.perf_counter()


def through_cardd(window: Window, cardd: Cardd, beside: References, times: int) -> Iterator[Figure]:
    """Its own is what was not spent inside the card: of the client, of ``cardd``, of pcscd, and of all sockets."""

    def once() -> Own:
        return _once(window, cardd)

    cardd.wait_until(lambda state: state is CardState.PRESENT)
    once()  # the reader is known from here on
    yield from both_ways("cardd_", window, beside, once, times)


def memory(window: Window, cardd: Cardd, sessions: int) -> Iterator[Figure]:
    """Growth of the resident memory over so many sessions, each of a client of its own, after ``WARM_UP`` others."""
    growth = "memory_growth_kb_per_1000_sessions"
    if sessions < FEWEST_SESSIONS:
        yield figure("memory_kb", cardd.resident_kb)
        yield figure(growth, None, why=f"{sessions} sessions say nothing; --sessions {FEWEST_SESSIONS} or more")
        return
    for _ in range(WARM_UP):
        _once(window, cardd)
    before_kb = cardd.resident_kb
    for _ in range(sessions):
        _once(window, cardd)
    after_kb = cardd.resident_kb
    yield figure("memory_kb", after_kb)
    yield figure(growth, (after_kb - before_kb) * 1000 / sessions)


def recovery(window: Window, cardd: Cardd, times: int) -> Iterator[Figure]:
    """pcscd is killed; when ``cardd`` has said so it is started again. The slowest of so many times.

    ``recovery_ms`` is from its start, which takes a moment of its own, until ``cardd`` shows the reader.
    """
    told_ms, shown_ms = [], []
    for turn in range(times):
        cardd.wait_until(lambda state: state is CardState.PRESENT)
        killed_s = time.perf_counter()
        window.pcscd.kill()
        told_ms.append((cardd.wait_until(lambda state: state is CardState.SERVICE_ABSENT) - killed_s) * 1000)
        time.sleep(turn / times)  # cardd asks again once a second: not always at the same moment of it
        started_s = time.perf_counter()
        window.pcscd.start()
        shown_ms.append((cardd.wait_until(lambda state: state not in AWAY) - started_s) * 1000)
    cardd.wait_until(lambda state: state is CardState.PRESENT)
    _once(window, cardd)  # what is shown is there
    yield figure("loss_told_ms", max(told_ms))
    yield figure("recovery_ms", max(shown_ms))
    yield figure("replug_ms", None, why=NO_UNPLUGGING)


def _once(window: Window, cardd: Cardd) -> Own:
    with cardd.client() as client:
        client.status()  # the kiosk is connected before a card comes
        return through(window, client)
