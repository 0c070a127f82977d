"""The process that acts until it is killed, and what its killer hears of it.

Victims are forked from one warmed-up process, so that a kill does not cost the start of an interpreter.
"""

import json
import multiprocessing
import signal
import threading
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from tests.sim.durable.act import Fact
from tests.sim.durable.controls import act_named

BEGINS: Final = b"begins"
ALSO: Final = b"also "
WARMED_UP: Final = "tests.bench.kill.victim"
LONGEST_S: Final = 60.0


class Telling:
    """Tells the killer through a pipe, at once: what was sent stays sent."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe, self._lock = pipe, threading.Lock()

    def begins(self) -> None:
        self._say(BEGINS)

    def done(self, fact: Fact) -> None:
        self._say(json.dumps(fact).encode())

    def also(self, fact: Fact) -> None:
        self._say(ALSO + json.dumps(fact).encode())

    def _say(self, words: bytes) -> None:
        with self._lock:
            self._pipe.send_bytes(words)


def act(name: str, folder: Path, times: int, pipe: Connection) -> None:
    """What the victim does."""
    act_named(name).run(folder, Telling(pipe), times)


class FailedError(RuntimeError):
    """A victim ended before its time, and not well."""


class Victim:
    """A process that acts ``times`` times unless it is killed before. Begins at once.

    ``facts`` is what it has acknowledged as far as it was listened to; ``acting`` whether a call has begun and not
    returned; ``took_s`` how long each call took that has returned.
    """

    def __init__(self, name: str, folder: Path, times: int) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["__main__", WARMED_UP])
        self._pipe, other_end = context.Pipe(duplex=False)
        self._process = context.Process(target=act, args=(name, folder, times, other_end), daemon=True)
        self._process.start()
        other_end.close()
        self.facts: list[Fact] = []
        self.acting = False
        self.took_s: list[float] = []

    def listen_until(self, begun: int) -> bool:
        """Until so many calls have begun; False if it ended before."""
        while begun > 0:
            said = self._hear()
            if said is None:
                return False
            begun -= said == BEGINS
        return True

    def kill(self) -> None:
        """SIGKILL; afterwards everything that it has told is known."""
        self._process.kill()
        self.bury()

    def bury(self) -> None:
        """Waits for its end; raises ``TimeoutError``, ``FailedError``."""
        while self._hear() is not None:
            pass
        self._process.join(LONGEST_S)
        code = self._process.exitcode
        self._process.close()
        self._pipe.close()
        if code not in (0, -signal.SIGKILL):
            raise FailedError(f"it ended with {code}")

    def _hear(self) -> bytes | None:
        """What it says next; None when it has ended."""
        if not self._pipe.poll(LONGEST_S):
            raise TimeoutError("it says nothing and does not end")
        try:
            said = self._pipe.recv_bytes()
        except EOFError:
            return None
        now_s = time.monotonic()
        if said == BEGINS:
            self.acting, self._begun_s = True, now_s
        elif said.startswith(ALSO):
            self.facts.append(json.loads(said.removeprefix(ALSO)))
        else:
            self.acting = False
            self.took_s.append(now_s - self._begun_s)
            self.facts.append(json.loads(said))
        return said
