"""A prefecture in a directory: a founded hub, its broker, and boxes of schools that are enrolled with it.

The hub and each box's ``syncd`` run as the real programs. Only certificates and settings are made here, through the
programs' own commands.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from appliance.clock import SystemClock
from appliance.ledger.entry import EntryType
from appliance.ledger.keys import SigningKey
from appliance.services.enrolment import accept_bundle, make_request
from appliance.services.founding import make_credentials
from appliance.services.opening import OpenBox, found_box
from appliance.store.appending import Draft
from appliance.sync.enrolment import EnrolmentBundle
from tests.sim.broker import Broker, Line, free_port
from tests.sim.program import Program

PATIENCE_S = 20.0


class NeverError(AssertionError):
    """Something that a test waited for did not happen; the text says what, and what the programs said."""


def until(what: str, happened: Callable[[], bool], patience_s: float = PATIENCE_S) -> float:
    """Waits for it and returns the seconds it took; raises ``NeverError``."""
    begin = time.monotonic()
    while not happened():
        if time.monotonic() - begin > patience_s:
            raise NeverError(f"{what} did not happen within {patience_s:.0f} s")
        time.sleep(0.01)
    return time.monotonic() - begin


class Prefecture:
    """The hub side. ``line`` lies between the boxes and the broker, ``hub_line`` between hub and broker."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.state, self.keys = directory / "hub", directory / "hub-keys"
        self.page_port = free_port()
        self._settings = directory / "hub.toml"
        self.schools: list[School] = []
        broker_files = [self.state / "ca.crt", self.state / "broker.crt", self.keys / "broker.key"]
        self.broker = Broker(directory / "broker", *broker_files)
        self.line, self.hub_line = Line(self.broker.port), Line(self.broker.port)
        self._settings.write_text(
            f'[hub]\nname = "hub.test"\nstate_dir = "{self.state}"\n'
            f'[broker]\nhost = "localhost"\nport = {self.hub_line.port}\n'
            f'[boxes]\nhost = "localhost"\nport = {self.line.port}\n'
            f"[page]\nport = {self.page_port}\n",
            encoding="utf-8",
        )
        self.run("init", "--credentials", str(self.keys))
        self.hub = Program("hub", "appliance.programs.hub", ["serve"], self.environment, directory / "hub.log")

    @property
    def environment(self) -> dict[str, str]:
        return {"APPLIANCE_HUB_SETTINGS": str(self._settings), "CREDENTIALS_DIRECTORY": str(self.keys)}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """One command of the hub; raises ``CalledProcessError`` if it fails."""
        command = [sys.executable, "-m", "appliance.programs.hub", *arguments]
        environment = {**os.environ, **self.environment}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)

    def start(self) -> None:
        self.broker.start()
        self.line.start()
        self.hub_line.start()
        self.hub.start()

    def stop(self) -> None:
        for school in self.schools:
            school.stop()
        self.hub.stop()
        self.line.stop()
        self.hub_line.stop()
        self.broker.stop()

    def admit(self, code: str, name: str) -> "School":
        """Founds a box and enrols it; its ``syncd`` is not started."""
        school = School(self.directory / code, code, name)
        self.schools.append(school)
        self.enrol(school)
        return school

    def enrol(self, school: "School") -> None:
        """By the two files, as an administrator would carry them."""
        request, answer = school.directory / "request.json", school.directory / "enrolment.json"
        request.write_bytes(make_request(school.box, school.line_key).to_json())
        self.run("admit", "--request", str(request), "--out", str(answer))
        accept_bundle(school.box, school.line_key, EnrolmentBundle.from_json(answer.read_bytes()))

    def listing(self) -> list[dict[str, object]]:
        """What ``schools --json`` says."""
        found: list[dict[str, object]] = json.loads(self.run("schools", "--json").stdout)
        return found

    def __enter__(self) -> "Prefecture":
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class School:
    """The box of one school: its database is open here as well, as it would be in the kiosk's process."""

    def __init__(self, directory: Path, code: str, name: str) -> None:
        self.directory, self.code = directory, code
        keys, settings = directory / "keys", directory / "site.toml"
        make_credentials(keys)
        self.device_key = SigningKey.from_pem((keys / "device.key").read_bytes())
        self.line_key_file = keys / "line.key"
        self.line_key = self.line_key_file.read_bytes()
        self.box: OpenBox = found_box(
            directory, (keys / "database.key").read_bytes(), self.device_key, SystemClock(), code, name
        )
        # No lesson hours, so that a run in the morning is like one at night.
        settings.write_text(f'[box]\nstate_dir = "{directory}"\n[sync]\nlesson_hours = []\n', encoding="utf-8")
        self.environment = {"APPLIANCE_SETTINGS": str(settings), "CREDENTIALS_DIRECTORY": str(keys)}
        self.syncd = Program("syncd", "appliance.programs.syncd", [], self.environment, directory / "syncd.log")

    def visit(self, count: int = 1) -> int:
        """Records visits; returns the size of the ledger afterwards."""
        with self.box.ledger.append() as appending:
            for number in range(count):
                appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"purpose": "visit", "number": number}))
        return self.box.ledger.head().size

    @property
    def pending(self) -> int:
        head = self.box.ledger.head()
        return head.size - head.cosigned_size

    def until_confirmed(self, patience_s: float = PATIENCE_S) -> float:
        """Waits until nothing is pending; returns the seconds it took."""
        try:
            return until("the hub's confirmation", lambda: self.pending == 0, patience_s)
        except NeverError as error:
            raise NeverError(f"{error}\n{self.syncd.log.read_text()[-2000:]}") from None

    def stop(self) -> None:
        self.syncd.stop()
        self.box.database.close()
