"""A kiosk that is started again and again, a ledger that is filled, and a backlog that is watched while it goes."""

import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from appliance.ledger.entry import EntryType
from appliance.store.appending import Draft
from tests.scenarios.books import opened_box
from tests.sim.broker import accepts
from tests.sim.program import Program
from tests.sim.visitor import Guardian
from tests.sim.world import World

BATCH: Final = 1_000
PATIENCE_S: Final = 30.0
LOOK_S: Final = 0.1
POLL_S: Final = 0.002
EVIDENCE_BYTES: Final = 16


@dataclass(frozen=True)
class Drain:
    """``first_s`` is from the start of ``syncd`` to the first receipt, None if there was none; ``entries_s`` from then
    on. ``peak_mib`` is the most that ``syncd`` had in memory, ``idle_mib`` what it had when it was ready."""

    first_s: float | None
    entries_s: float
    peak_mib: float
    idle_mib: float
    cores: float


def time_kiosk(world: World) -> float:
    """Seconds from the start of the kiosk's process until its screen waits for a card."""
    kiosk = world.programs["kiosk"]
    kiosk.kill()
    while accepts(world.ports["kiosk"]):  # a worker of before that is not gone yet would answer in its place
        time.sleep(POLL_S)
    begun_s = time.monotonic()
    kiosk.start()
    while time.monotonic() - begun_s < PATIENCE_S:
        try:
            if Guardian(world.kiosk_url).screen()["step"] == "waiting":
                return time.monotonic() - begun_s
        except OSError:  # nobody listens yet, or not for long
            time.sleep(POLL_S)
    raise TimeoutError(f"the kiosk never waited for a card: {kiosk.last_words()}")


def fill(world: World, entries: int) -> int:
    """Appends so many visits; how many records wait for the hub then."""
    with opened_box(world) as box:
        for first in range(0, entries, BATCH):
            with box.ledger.append() as appending:
                for _ in range(min(BATCH, entries - first)):
                    body = {"purpose": "visit", "evidence": os.urandom(EVIDENCE_BYTES)}
                    appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, body))
        head = box.ledger.head()
        return head.size - head.cosigned_size


def drain(world: World, span_s: float) -> Drain:
    """Starts ``syncd`` and watches for so many seconds, or until everything is confirmed."""
    syncd = world.programs["syncd"]
    begun_s = time.monotonic()
    syncd.start()
    syncd.wait_for("syncd.ready")
    idle_mib, peak_mib, cpu_s = _memory_mib(syncd, "VmRSS"), 0.0, 0.0
    first: tuple[float, int] | None = None
    with opened_box(world) as box:
        head = box.ledger.head()
        size, last = head.size, (begun_s, head.cosigned_size)
        while time.monotonic() - begun_s < span_s and last[1] < size:
            time.sleep(LOOK_S)
            confirmed, now_s = box.ledger.head().cosigned_size, time.monotonic()
            peak_mib, cpu_s = _memory_mib(syncd, "VmHWM"), _cpu_s(syncd)
            if confirmed > last[1]:
                last = (now_s, confirmed)
                first = first or last
    seconds = time.monotonic() - begun_s
    rate = (last[1] - first[1]) / (last[0] - first[0]) if first is not None and last[0] > first[0] else 0.0
    return Drain(None if first is None else first[0] - begun_s, rate, peak_mib, idle_mib, cpu_s / seconds)


def _memory_mib(program: Program, field: str) -> float:
    lines = Path(f"/proc/{program.pid}/status").read_text().splitlines()
    kib = next(line.split()[1] for line in lines if line.startswith(f"{field}:"))
    return int(kib) / 1024


def _cpu_s(program: Program) -> float:
    fields = Path(f"/proc/{program.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
