import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.programs.cardd.daemon import Daemon
from tests.sim.pcscd import PrivatePcscd


@pytest.fixture
def run_directory(pcscd_directory: Path) -> Path:
    folder = pcscd_directory / f"run-{time.monotonic_ns()}"
    folder.mkdir()
    return folder


@pytest.fixture
def cardd(pcscd: PrivatePcscd, run_directory: Path) -> Iterator[Daemon]:
    """Serves the reader until the end of the test."""
    daemon = Daemon(run_directory)
    try:
        assert daemon.notified() == "READY=1"
        yield daemon
    finally:
        daemon.stop()
