"""Authentications by a fresh process of ``appliance card authenticate``: nothing is known of the reader.

The ``ms`` that it prints are from the opening of the reader to the signature, with both certificate and signature
verified; ``own_ms`` is that without the time inside the card. The wall is all of the process, Python's start included.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tests.bench.card.authentications import References
from tests.bench.card.promises import figure
from tests.bench.card.window import PIN, BenchError, Window
from tests.bench.report import Figure, percentile
from tests.sim.card.pki import Use

ANSWER_S: Final = 60


@dataclass(frozen=True)
class Checked:
    """What one process said and took."""

    exchanges: int
    own_ms: float
    wall_ms: float


def in_fresh_process(window: Window, beside: References, times: int) -> Iterator[Figure]:
    """The figures of a cold start."""
    done, reference = [_checked(window) for _ in range(times)], beside.extended
    own, wall = [one.own_ms for one in done], [one.wall_ms for one in done]
    yield figure("cold_exchanges_extended", max(one.exchanges for one in done), reference.exchanges, reference.is_what)
    yield figure("cold_own_ms_p50", percentile(own, 50), reference.outside_ms, reference.outside_is)
    yield figure("cold_wall_ms_p50", percentile(wall, 50), reference.wall_ms, reference.wall_is)
    window.card.extended_le = False
    short = _checked(window).exchanges
    window.card.extended_le = True
    yield figure("cold_exchanges_short", short, beside.short.exchanges, beside.short.is_what)


def _checked(window: Window) -> Checked:
    anchors, settings = window.folder / "anchors.pem", window.folder / "box.toml"
    anchors.write_bytes(window.hierarchy.anchors_pem(Use.AUTHENTICATION))
    settings.write_text(f'[box]\nrun_dir = "{window.folder}"\n')
    window.card.exchanges.clear()
    begun_s = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "-m", "appliance.programs.cli", "card", "authenticate", "--json", "--pin-fd", "0",
         "--anchors", str(anchors), "--statement", "attendance"],
        input=PIN, env={**os.environ, "APPLIANCE_SETTINGS": str(settings)},
        capture_output=True, text=True, timeout=ANSWER_S,
    )  # fmt: skip
    wall_ms = (time.perf_counter() - begun_s) * 1000
    if ran.returncode != 0:
        raise BenchError(f"appliance card authenticate: {ran.stderr.strip()[-300:]}")
    said = json.loads(ran.stdout)
    return Checked(said["exchanges"], said["ms"] - window.card_ms(said["exchanges"]), wall_ms)
