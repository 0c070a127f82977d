"""The process that acts until it is killed, and what its killer hears of it.

Victims are forked from one warmed-up process, so that a kill does not cost the start of an interpreter.
"""

import json
import multiprocessing
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from tests.sim.durable.act import Fact
from tests.sim.durable.controls import act_named

BEGINS: Final = b"begins"
WARMED_UP: Final = "tests.bench.kill.victim"
LONGEST_S: Final = 60.0


class Telling:
    """Tells the killer through a pipe, at once: what was sent stays sent."""

    def __init__(self, pipe: Connection) -> None:
        self._pipe = pipe

    def begins(self) -> None:
        self._pipe.send_bytes(BEGINS)

    def done(self, fact: Fact) -> None:
        self._pipe.send_bytes(json.dumps(fact).encode())


def act(name: str, folder: Path, times: int, pipe: Connection) -> None:
    """What the victim does."""
    act_named(name).run(folder, Telling(pipe), times)


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
            if not self._hear():
                return False
            begun -= self.acting
        return True

    def kill(self) -> None:
        """SIGKILL; afterwards everything that it has told is known."""
        self._process.kill()
        self.bury()

    def bury(self) -> None:
        """Waits for its end; raises ``TimeoutError``."""
        while self._hear():
            pass
        self._process.join(LONGEST_S)
        self._process.close()
        self._pipe.close()

    def _hear(self) -> bool:
        if not self._pipe.poll(LONGEST_S):
            raise TimeoutError("it says nothing and does not end")
        try:
            said = self._pipe.recv_bytes()
        except EOFError:
            return False
        now_s = time.monotonic()
        self.acting = said == BEGINS
        if self.acting:
            self._begun_s = now_s
        else:
            self.took_s.append(now_s - self._begun_s)
            self.facts.append(json.loads(said))
        return True
