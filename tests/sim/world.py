"""The whole product on one machine: reader, cards, broker, hub, line and box, every program a real one.

``World(folder)`` founds what is not there yet and starts everything; a second start on the same folder goes on with
what is there. Sockets lie in a short path of their own, because a Unix socket's name has 107 bytes.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType

from appliance.school.people import Kind
from appliance.school.roster import file_name, write_roster
from tests.sim.broker import Broker, Line, free_port
from tests.sim.card.client import CardStage
from tests.sim.card.deck import make_deck
from tests.sim.pcscd import PrivatePcscd
from tests.sim.program import PASSED, Program
from tests.sim.school import make_school
from tests.sim.visitor import Guardian, StaffMember

SCHOOL_NAME = "みどり市立みどり小学校"
ADMIN = "admin"
# Kept with the demo so that a second start can show it; a real box shows it once.
ADMIN_FILE = "admin.json"
COMMAND_S = 60.0


class CommandFailedError(RuntimeError):
    """A command of the product did not succeed; the text is what it said."""


class World:
    """Everything that stands in a school and at the prefecture, in one folder.

    ``programs`` are ``cards`` (the virtual reader's side), ``hub``, ``cardd``, ``kiosk``, ``staff`` and ``syncd``.
    ``as_in_life`` gives every card the pace of a real one; ``lesson_hours`` None are those that are shipped.
    """

    def __init__(
        self,
        folder: Path,
        *,
        cards: int = 3,
        odd_cards: bool = False,
        as_in_life: bool = False,
        ports: Mapping[str, int] | None = None,
        log_level: str = "info",
        lesson_hours: list[str] | None = None,
    ) -> None:
        self.folder = folder.absolute()
        self._cards, self._odd_cards, self._as_in_life, self._log_level = cards, odd_cards, as_in_life, log_level
        self._chosen_ports, self._lesson_hours = dict(ports or {}), lesson_hours
        self.ports: dict[str, int] = {}
        self.run_dir = Path()
        self.programs: dict[str, Program] = {}
        self.roster = make_school()

    @property
    def kiosk_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['kiosk']}"

    @property
    def staff_url(self) -> str:
        return f"https://localhost:{self.ports['staff']}"

    @property
    def hub_url(self) -> str:
        return f"http://127.0.0.1:{self.ports['hub']}"

    @property
    def password(self) -> str:
        """Of the first administrator."""
        return str(json.loads((self.box / ADMIN_FILE).read_text())["password"])

    @property
    def box(self) -> Path:
        return self.folder / "box"

    @property
    def prefecture(self) -> Path:
        return self.folder / "hub"

    @property
    def logs(self) -> Path:
        return self.folder / "log"

    @property
    def stage(self) -> CardStage:
        return CardStage(self.run_dir / "stage.sock")

    @property
    def box_environment(self) -> dict[str, str]:
        """Settings and credentials of the box, as its units would pass them on."""
        return {
            "APPLIANCE_SETTINGS": str(self.box / "site.toml"),
            "CREDENTIALS_DIRECTORY": str(self.box / "credentials"),
            **self.pcscd.environment,
        }

    @property
    def hub_environment(self) -> dict[str, str]:
        return {
            "APPLIANCE_HUB_SETTINGS": str(self.prefecture / "hub.toml"),
            "CREDENTIALS_DIRECTORY": str(self.prefecture / "credentials"),
        }

    def guardian(self) -> Guardian:
        return Guardian(self.kiosk_url)

    def staff_member(self) -> StaffMember:
        """Signed in as the administrator."""
        member = StaffMember(self.staff_url, str(self.box / "staff.crt"))
        member.sign_in(ADMIN, self.password)
        return member

    def guardian_ids(self) -> list[str]:
        """Ids of the school's guardians, in a fixed order."""
        return sorted(person.id for person in self.roster.of_kind(Kind.GUARDIAN))

    def appliance(self, *arguments: str) -> str:
        """Runs ``appliance`` on the box; its standard output. Raises ``CommandFailedError``."""
        return self._run(("appliance.programs.cli", *arguments), self.box_environment)

    def hub(self, *arguments: str) -> str:
        """Runs ``appliance hub`` at the prefecture; its standard output. Raises ``CommandFailedError``."""
        return self._run(("appliance.programs.hub", *arguments), self.hub_environment)

    def start(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.run_dir = Path(tempfile.mkdtemp(prefix="madoguchi-"))
        self._choose_ports()
        try:
            self._start_reader()
            self._start_prefecture()
            self._start_box()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        for program in reversed(self.programs.values()):
            program.stop()
        for part in ("line", "broker", "pcscd"):
            if (found := getattr(self, part, None)) is not None:
                found.stop()
        shutil.rmtree(self.run_dir, ignore_errors=True)

    def __enter__(self) -> "World":
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def _choose_ports(self) -> None:
        for name in ("kiosk", "staff", "hub", "line"):
            self.ports[name] = self._chosen_ports.get(name) or free_port()

    def _start_reader(self) -> None:
        self.pcscd = PrivatePcscd(self.run_dir / "pcscd")
        self.pcscd.start()
        deck = make_deck(self.folder / "cards", self._cards, seed=1, with_odd_ones=self._odd_cards)
        trust = self.box / "trust"
        trust.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(deck.anchors, trust / "anchors.pem")
        arguments = ["--socket", str(self.run_dir / "stage.sock"), "--port", str(self.pcscd.port)]
        pace = ["--as-in-life"] if self._as_in_life else []
        self._start("cards", "tests.sim.card", [*arguments, *pace, "--cards", str(deck.folder)], {}, "ready")

    def _start_prefecture(self) -> None:
        settings = self.prefecture / "hub.toml"
        state, credentials = self.prefecture / "state", self.prefecture / "credentials"
        settings.parent.mkdir(parents=True, exist_ok=True)
        broker_port = free_port()
        sections: dict[str, dict[str, object]] = {
            "hub": {"name": "hub.midori.example", "state_dir": str(state), "log_level": self._log_level},
            "broker": {"host": "localhost", "port": broker_port},
            "boxes": {"host": "localhost", "port": self.ports["line"]},
            "page": {"port": self.ports["hub"]},
        }
        settings.write_text(_toml(sections), encoding="utf-8")
        if not (state / "ca.crt").exists():
            self._run(("appliance.programs.hub", "init", "--credentials", str(credentials)), self.hub_environment)
        self.broker = Broker(self.folder / "broker", state / "ca.crt", state / "broker.crt", credentials / "broker.key")
        self.broker.port = broker_port
        self.broker.start()
        self.line = Line(broker_port, self.ports["line"])
        self.line.start()
        self._start("hub", "appliance.programs.hub", ["serve"], self.hub_environment, "hub.ready")

    def _start_box(self) -> None:
        sections: dict[str, dict[str, object]] = {
            "box": {
                "state_dir": str(self.box / "state"),
                "run_dir": str(self.run_dir),
                "trust_dir": str(self.box / "trust"),
                "log_level": self._log_level,
            },
            "reader": {"allow_test_cards": True},
            "kiosk": {"port": self.ports["kiosk"]},
            "staff": {
                "address": "127.0.0.1",
                "port": self.ports["staff"],
                "names": ["localhost", "127.0.0.1"],
                "certificate": str(self.box / "staff.crt"),
            },
        }
        if self._lesson_hours is not None:
            sections["sync"] = {"lesson_hours": self._lesson_hours}
        (self.box / "site.toml").write_text(_toml(sections), encoding="utf-8")
        if not (self.box / ADMIN_FILE).exists():
            self._found_box()
        self.appliance("migrate")
        self.enrol()
        for name, ready in (
            ("cardd", "cardd.ready"),
            ("kiosk", "kiosk.ready"),
            ("staff", "staff.ready"),
            ("syncd", "syncd.ready"),
        ):
            self._start(name, f"appliance.programs.{name}", [], self.box_environment, ready)

    def _found_box(self) -> None:
        code = str(self.roster.school.code)
        made = self.appliance(
            "init", "--json", "--school", code, "--name", SCHOOL_NAME, "--credentials", str(self.box / "credentials")
        )
        zip_file = self.box / file_name(self.roster, datetime.now(UTC).date())
        zip_file.write_bytes(write_roster(self.roster))
        self.appliance("roster", "import", str(zip_file))
        admin = self.box / ADMIN_FILE
        admin.touch(mode=0o600)
        admin.write_text(made)

    def enrol(self, *more: str) -> None:
        """Enrols the box at the hub, or renews its enrolment, by the two files; ``more`` is for the hub's command."""
        request, answer = self.box / "request.json", self.box / "enrolment.json"
        self.appliance("enroll", "request", "--out", str(request))
        self.hub("admit", "--request", str(request), "--out", str(answer), *more)
        self.appliance("enroll", "accept", str(answer))

    def _start(self, name: str, module: str, arguments: list[str], environment: Mapping[str, str], ready: str) -> None:
        program = Program(name, module, arguments, environment, self.logs / f"{name}.log")
        self.programs[name] = program
        program.start()
        program.wait_for(ready)

    def _run(self, module_and_arguments: tuple[str, ...], environment: Mapping[str, str]) -> str:
        clean = {key: os.environ[key] for key in PASSED if key in os.environ}
        done = subprocess.run(
            [sys.executable, "-m", *module_and_arguments],
            env=clean | dict(environment),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=COMMAND_S,
            check=False,
        )
        if done.returncode:
            raise CommandFailedError(f"{' '.join(module_and_arguments)}: {done.stdout}{done.stderr}")
        return done.stdout


def _toml(sections: dict[str, dict[str, object]]) -> str:
    """Settings as TOML; JSON writes texts, numbers, booleans and lists the way TOML reads them."""
    lines = []
    for section, values in sections.items():
        lines.append(f"[{section}]")
        lines += [f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in values.items()]
    return "\n".join(lines) + "\n"
