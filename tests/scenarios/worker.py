"""A process that does something to a box until it is told to end, or killed, and says what it has done."""

import os
import queue
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Self

PATIENCE_S = 60.0


class Worker:
    """``python -m MODULE DEED PATH``: what it says is read as it comes, so that it never waits for its reader."""

    def __init__(self, module: str, deed: str, path: Path, keys: Path, *more: str) -> None:
        self.said: queue.SimpleQueue[str] = queue.SimpleQueue()
        self.lines: list[str] = []
        self._errors = (keys.parent / f"{deed}.err").open("ab+")
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, deed, str(path), *more],
            env={**os.environ, "CREDENTIALS_DIRECTORY": str(keys)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
        )
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.endswith(b"\n"):
                self.lines.append(line.decode().strip())
                self.said.put(self.lines[-1])

    def goes_on(self) -> None:
        """Waits until it has done something more."""
        had, end_s = len(self.lines), time.monotonic() + PATIENCE_S
        while len(self.lines) <= had + 1:  # one more may have been on its way
            assert self._process.poll() is None, self.errors
            assert time.monotonic() < end_s
            time.sleep(0.01)

    def wait_for(self, *lines: str) -> float:
        """Waits until it has said one of these; when that was heard, in seconds."""
        while self.said.get(timeout=PATIENCE_S) not in lines:
            pass
        return time.monotonic()

    def kill(self) -> None:
        self._process.kill()
        self.ended()

    def ended(self) -> int:
        """Waits for its end; its exit code."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        code = self._process.wait(PATIENCE_S)
        self._reader.join(PATIENCE_S)
        return code

    @property
    def errors(self) -> str:
        self._errors.seek(0)
        return self._errors.read().decode()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._errors):
            if pipe is not None:
                pipe.close()
