"""Starts a real program of the product as its unit would, with its own settings, credentials and log file."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

READY_S = 30.0
END_S = 10.0
# What a unit would pass on, and nothing of the caller's own.
PASSED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")


class ProgramFailedError(RuntimeError):
    """A program ended before it was ready; the text holds the end of its log."""


class Program:
    """``module`` is run with ``python -m``; its standard error, JSON lines, is appended to ``log``."""

    def __init__(self, name: str, module: str, arguments: list[str], environment: Mapping[str, str], log: Path) -> None:
        self.name = name
        self.log = log
        self._command = [sys.executable, "-m", module, *arguments]
        self._environment = {key: os.environ[key] for key in PASSED if key in os.environ} | dict(environment)
        self._process: subprocess.Popen[bytes] | None = None
        self._begun_at = 0

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The process that was started; raises ``ProgramFailedError`` if there is none."""
        if self._process is None:
            raise ProgramFailedError(f"{self.name} was not started")
        return self._process.pid

    def start(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._begun_at = log.tell()
            self._process = subprocess.Popen(
                self._command,
                env=self._environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def wait_for(self, event: str, timeout_s: float = READY_S) -> dict[str, object]:
        """The first line with this event since the last start; ``ProgramFailedError`` if it ends or never says so."""
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            for line in self.events():
                if line.get("event") == event:
                    return line
            if not self.running:
                break
            time.sleep(0.02)
        raise ProgramFailedError(f"{self.name} did not say {event}: {self.last_words()}")

    def said(self, event: str) -> list[dict[str, object]]:
        """The lines with this event since the last start."""
        return [line for line in self.events() if line.get("event") == event]

    def ended(self, timeout_s: float) -> int:
        """Waits for its end; the exit code."""
        if self._process is None:
            raise ProgramFailedError(f"{self.name} was not started")
        return self._process.wait(timeout_s)

    def events(self) -> Iterator[dict[str, object]]:
        """What it has logged since the last start."""
        with self.log.open("rb") as log:
            log.seek(self._begun_at)
            for line in log:
                if line.startswith(b"{") and line.endswith(b"\n"):
                    yield json.loads(line)

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-2000:] if self.log.exists() else "nothing"

    def stop(self) -> None:
        """As ``systemctl stop``: SIGTERM to the main process, SIGKILL to whatever is left."""
        if self._process is None:
            return
        self._signal(signal.SIGTERM, group=False)
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(END_S)
        self.kill()

    def kill(self, *, alone: bool = False) -> None:
        """SIGKILL to the program and its workers, as when the power goes; ``alone``, to the main process only."""
        if self._process is None:
            return
        self._signal(signal.SIGKILL, group=not alone)
        self._process.wait()
        self._process = None

    def restart(self) -> None:
        self.kill()
        self.start()

    def _signal(self, number: signal.Signals, group: bool) -> None:
        with contextlib.suppress(ProcessLookupError):
            if group:
                os.killpg(self.pid, number)
            else:
                os.kill(self.pid, number)
