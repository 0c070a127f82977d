"""A founded hub in a directory, without its processes."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.ledger.keys import SigningKey
from appliance.programs.hub.admission import admit
from appliance.programs.hub.founding import found_hub, make_credentials
from appliance.programs.hub.registry import Registry
from appliance.programs.hub.settings import DATABASE_KEY, DATABASE_NAME, Boxes, Broker, Hub, HubSettings
from appliance.services.enrolment import make_request
from appliance.services.founding import make_credentials as make_box_credentials
from appliance.services.opening import OpenBox, found_box
from appliance.store.database import Database
from appliance.sync.enrolment import EnrolmentBundle
from tests.sim.clock import ManualClock


@dataclass
class FoundedHub:
    settings: HubSettings
    database: Database
    clock: ManualClock

    @property
    def registry(self) -> Registry:
        return Registry(self.database)

    def admit(self, box: "FoundedBox") -> EnrolmentBundle:
        return admit(self.settings, self.database, self.clock, make_request(box.box, box.line_key))


@dataclass
class FoundedBox:
    box: OpenBox
    device_key: SigningKey
    line_key: bytes


@pytest.fixture
def founded_ms() -> int:
    """When the hub is founded; a test with real TLS has it today."""
    return ManualClock().now_ms()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, founded_ms: int) -> Iterator[FoundedHub]:
    keys, state = tmp_path / "hub-keys", tmp_path / "hub"
    make_credentials(keys)
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(keys))
    boxes = Boxes(host="hub.example", port=8884)
    settings = HubSettings(hub=Hub(name="hub.test", state_dir=state), broker=Broker(host="127.0.0.1"), boxes=boxes)
    clock = ManualClock(founded_ms)
    found_hub(settings, clock)
    with Database.open(state / DATABASE_NAME, (keys / DATABASE_KEY).read_bytes()) as database:
        yield FoundedHub(settings, database, clock)


@pytest.fixture
def make_box(tmp_path: Path) -> Iterator[Callable[[str, str], FoundedBox]]:
    made: list[FoundedBox] = []

    def make(code: str, name: str) -> FoundedBox:
        folder = tmp_path / f"box-{code}-{len(made)}"
        keys = folder / "keys"
        make_box_credentials(keys)
        device_key = SigningKey.from_pem((keys / "device.key").read_bytes())
        database_key = (keys / "database.key").read_bytes()
        box = found_box(folder, database_key, device_key, ManualClock(), code, name)
        made.append(FoundedBox(box, device_key, (keys / "line.key").read_bytes()))
        return made[-1]

    yield make
    for one in made:
        one.box.database.close()
