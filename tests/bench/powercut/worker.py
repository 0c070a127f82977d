"""The process that acts while its files are watched: name of the act, folder, how many times."""

import json
import sys
from pathlib import Path

from tests.sim.durable.act import Fact
from tests.sim.durable.controls import act_named
from tests.sim.powercut.log import write_note


class Noting:
    """Tells the log: what was acknowledged stands there between the writes before it and those after it."""

    def begins(self) -> None:
        """The log shows by itself what happens."""

    def done(self, fact: Fact) -> None:
        write_note(json.dumps(fact).encode())

    also = done


if __name__ == "__main__":
    act_named(sys.argv[1]).run(Path(sys.argv[2]), Noting(), int(sys.argv[3]))
