"""The command line in this process: a box and a hub in directories, settings and credentials as units have them."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.ledger.entry import EntryType
from appliance.ledger.generation import Reason
from appliance.ledger.keys import SigningKey
from appliance.programs.cli.__main__ import main
from appliance.programs.hub.__main__ import main as hub_main
from appliance.services.generations import begin_generation
from appliance.services.opening import OpenBox, open_box
from appliance.store.appending import Draft
from tests.school.small import CODE
from tests.sim.box import confirm

PASSWORD = "correct horse battery"
CONFIRMING = SigningKey.make()
"""The key of the hub that confirms the visits of ``visited``."""
NAME = "架空小学校"


@dataclass(frozen=True)
class Answer:
    """How a command ended and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, object]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def last(self) -> dict[str, object]:
        return self.lines[-1]


class CommandLine:
    """Runs ``appliance`` as the administrator of one box."""

    def __init__(self, folder: Path, environment: pytest.MonkeyPatch, output: pytest.CaptureFixture[str]) -> None:
        self.folder, self.state, self.keys = folder, folder / "state", folder / "keys"
        self.settings, self._environment, self._output = folder / "site.toml", environment, output
        self.write_settings("")

    def write_settings(self, more: str) -> None:
        box = f'[box]\nstate_dir = "{self.state}"\n[staff]\ncertificate = "{self.folder / "staff.crt"}"\n'
        self.settings.write_text(box + more, encoding="utf-8")

    def run(self, *arguments: str) -> Answer:
        self._output.readouterr()
        code = main(arguments)
        return Answer(code, *self._output.readouterr())

    def speak(self, language: str) -> None:
        self._environment.setenv("LC_ALL", language)

    def found(self, *more: str, password: str | bytes | None = PASSWORD) -> Answer:
        """``init``; the password comes from a pipe, or from the command itself for None."""
        arguments = ["init", "--school", str(CODE), "--name", NAME, "--credentials", str(self.keys), *more]
        if password is None:
            return self.run(*arguments)
        with piped(password if isinstance(password, bytes) else password.encode() + b"\n") as descriptor:
            return self.run(*arguments, "--password-fd", str(descriptor))

    @contextmanager
    def box(self) -> Iterator[OpenBox]:
        """The box as its programs open it."""
        device_key = SigningKey.from_pem((self.keys / "device.key").read_bytes())
        box = open_box(self.state, (self.keys / "database.key").read_bytes(), device_key, SystemClock())
        with box.database:
            yield box

    def begin_generation(self) -> None:
        """The ledger goes on in a new generation, as after a restore; the keys are the same here."""
        device_key = SigningKey.from_pem((self.keys / "device.key").read_bytes())
        with self.box() as box:
            begin_generation(box.database, device_key, SystemClock(), Reason.RESTORED)


@contextmanager
def piped(data: bytes) -> Iterator[int]:
    """A descriptor from which these bytes are read."""
    reading, writing = os.pipe()
    try:
        os.write(writing, data)
        os.close(writing)
        yield reading
    finally:
        os.close(reading)


@pytest.fixture
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Settings only: nothing is founded yet."""
    command = CommandLine(tmp_path, monkeypatch, capsys)
    monkeypatch.setenv("APPLIANCE_SETTINGS", str(command.settings))
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(command.keys))
    command.speak("C.UTF-8")
    return command


@pytest.fixture
def command(bare: CommandLine) -> CommandLine:
    """A founded box."""
    assert bare.found().code == 0
    return bare


class HubCommand:
    """Runs ``appliance hub`` as the prefecture, with settings and credentials of its own."""

    def __init__(self, folder: Path, environment: pytest.MonkeyPatch) -> None:
        self.folder, self._environment = folder, environment
        self._settings = folder / "hub.toml"
        folder.mkdir()
        self._settings.write_text(
            f'[hub]\nname = "hub.example"\nstate_dir = "{folder / "state"}"\n[boxes]\nhost = "broker.example"\n',
            encoding="utf-8",
        )

    def run(self, *arguments: str) -> int:
        with self._environment.context() as environment:
            environment.setenv("APPLIANCE_HUB_SETTINGS", str(self._settings))
            environment.setenv("CREDENTIALS_DIRECTORY", str(self.folder / "keys"))
            return hub_main(arguments)


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> HubCommand:
    """A founded hub."""
    hub = HubCommand(tmp_path / "hub", monkeypatch)
    assert hub.run("init", "--credentials", str(hub.folder / "keys")) == 0
    return hub


@pytest.fixture
def visited(command: CommandLine) -> CommandLine:
    """A box with three visits, of which the hub has confirmed all but the last."""
    with command.box() as box:
        for number in range(3):
            with box.ledger.append() as appending:
                appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"number": number}))
        confirm(box, box.ledger.head().size - 1, CONFIRMING)
        (command.folder / "box.pub").write_bytes(box.ledger.public_key.pem())
    (command.folder / "hub.pub").write_bytes(CONFIRMING.public.pem())
    return command


@pytest.fixture
def receipt(visited: CommandLine) -> Path:
    """The receipt of a confirmed visit, as bytes."""
    path = visited.folder / "receipt"
    assert visited.run("ledger", "receipt", "4", "--out", str(path)).code == 0
    return path
