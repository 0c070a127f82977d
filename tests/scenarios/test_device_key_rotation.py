"""The key that signs the ledger is changed while every program works, while the line is down, and killed anywhere.

``MADOGUCHI_ROTATION_KILLS`` is how often; the points are drawn from a seed, over all steps and any moment.
"""

import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from appliance.clock import SystemClock
from appliance.ledger.entry import EntryType
from appliance.ledger.keys import SigningKey
from appliance.ledger.signers import Signers
from appliance.services.audit import audit
from appliance.services.device_key_rotation import DeviceKeyRotation
from appliance.services.founding import make_credentials
from appliance.services.opening import found_box
from appliance.store.appending import Draft
from appliance.store.ledger import OwnLedger
from appliance.store.mirror import MirrorLedger
from tests.scenarios.acts import CARDS, come, entry_on, leave, link, visit
from tests.scenarios.books import balance, opened_box, opened_hub, pending, settle
from tests.scenarios.device_key_work import STEPS, opened
from tests.scenarios.worker import Worker
from tests.sim.prefecture import until
from tests.sim.visit import PIN
from tests.sim.world import World

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(600)]
KILLS = int(os.environ.get("MADOGUCHI_ROTATION_KILLS", "50"))
POINTS = [f"{when}:{step}" for step in STEPS for when in ("before", "after")]
FAULTS = ("store.", "ledger.", "kiosk.fault", "web.fault", "sync.fault", "hub.fault", "hub.refused", "visit.problem")
HARMLESS = ("sync.replayed", "sync.gap")
"""What puts a lost answer right."""


@pytest.fixture(scope="module")
def recorded(world: World) -> list[int]:
    """One guardian is linked, and everything has reached the hub."""
    entries = [link(world, CARDS[0], world.guardian_ids()[0])]
    settle(world, entries)
    return entries


def rotate(world: World) -> str:
    return str(json.loads(world.appliance("keys", "rotate", "device", "--json"))["key"])


def receipt(world: World, index: int, name: str) -> Path:
    path = world.box / name
    world.appliance("ledger", "receipt", str(index), "--out", str(path))
    return path


def known(world: World) -> tuple[Signers, Signers]:
    """The keys of the box's ledger at the box, and at the hub."""
    with opened_box(world) as box, opened_hub(world) as database:
        return box.ledger.keys, MirrorLedger.find(database, box.school.origin).keys


def announced(world: World) -> list[str]:
    text = world.programs["hub"].log.read_text(encoding="utf-8")
    events = [json.loads(line) for line in text.splitlines() if "hub.device_key_changed" in line]
    return [one["key"] for one in events]


def unharmed(world: World) -> None:
    for program in world.programs.values():
        text = program.log.read_text(encoding="utf-8")
        lines = [line for line in text.splitlines() if not any(code in line for code in HARMLESS)]
        assert [line for line in lines if any(fault in line for fault in FAULTS)] == [], program.name


def test_every_program_works_on_while_the_line_is_down(world: World, recorded: list[int]) -> None:
    pids = {name: program.pid for name, program in world.programs.items()}
    papers = [receipt(world, recorded[0], "before")]
    world.line.cut()
    recorded.append(visit(world, CARDS[0]))  # is pending when the key changes
    visitor = come(world, CARDS[0])
    visitor.wait_for("statement")
    visitor.press("/agree")
    visitor.wait_for("pin")
    keys = [rotate(world)]  # in the middle of a visit
    visitor.type_digits("/pin", PIN)
    recorded.append(entry_on(visitor.wait_for("done", "problem")))
    leave(world, visitor)
    papers.append(receipt(world, recorded[-1], "between"))
    keys.append(rotate(world))
    assert world.staff_member().link_code(world.guardian_ids()[1])
    recorded.append(visit(world, CARDS[0]))
    assert json.loads(world.appliance("ledger", "verify", "--json"))["verify"] == "ok"
    assert pending(world) > 5
    assert len(known(world)[1].periods) == 1
    world.line.restore()
    settle(world, recorded)
    balance(world)
    at_box, at_hub = known(world)
    assert at_box == at_hub
    assert [one.key.key_id.hex() for one in at_box.periods[1:]] == keys == announced(world)
    papers += [receipt(world, recorded[-1], "after"), receipt(world, recorded[0], "again")]
    for paper in papers:
        assert json.loads(world.appliance("receipt", "verify", str(paper), "--json"))["verify"] == "ok"
    confirmed = json.loads(world.appliance("receipt", "verify", str(papers[-2]), "--json"))
    assert confirmed["confirmation"] == "confirmed"
    assert {name: program.pid for name, program in world.programs.items()} == pids
    unharmed(world)


def test_a_change_between_visits_while_the_line_is_up(world: World, recorded: list[int]) -> None:
    for _ in range(2):
        rotate(world)
        recorded.append(visit(world, CARDS[0]))
    rotate(world)  # the entry of the change is the last there is
    settle(world, recorded)
    assert len(known(world)[0].periods) == 6
    assert known(world)[0] == known(world)[1]
    unharmed(world)


def test_a_certificate_is_renewed_for_a_box_that_changed_its_key_while_away(world: World, recorded: list[int]) -> None:
    world.line.cut()
    rotate(world)
    recorded.append(visit(world, CARDS[0]))
    world.enrol()
    assert known(world)[0] == known(world)[1]  # by the request, before any record came
    world.line.restore()
    settle(world, recorded)
    unharmed(world)


def test_settings_of_the_hub_still_reach_the_box(world: World, recorded: list[int]) -> None:
    """The feed is confirmed with a key that the hub came to know by itself."""
    with opened_box(world) as box:
        feed = box.database.row("SELECT origin FROM ledger WHERE origin GLOB '*feed*'")
    assert feed is not None
    with opened_hub(world) as database:
        hub_key = SigningKey.from_pem((world.prefecture / "credentials" / "hub.key").read_bytes())
        ledger = OwnLedger.find(database, feed[0]).attach(hub_key, SystemClock())
        with ledger.append() as appending:
            appending.add(Draft(EntryType.SETTINGS_PUBLISHED, {"hub": "hub.midori.example", "again": True}))
        size = ledger.head().size
        until("the box's receipt for the feed", lambda: ledger.head().cosigned_size == size, 40.0)
    unharmed(world)


class Place:
    """A founded box with its keys beside it."""

    def __init__(self, folder: Path) -> None:
        self.keys, self.state = folder / "keys", folder / "state"
        make_credentials(self.keys)
        key = SigningKey.from_pem((self.keys / "device.key").read_bytes())
        database_key = (self.keys / "database.key").read_bytes()
        found_box(self.state, database_key, key, SystemClock(), "B113299900018", "架空小学校").database.close()

    def worker(self, deed: str, *more: str) -> Worker:
        return Worker("tests.scenarios.device_key_work", deed, self.state, self.keys, *more)

    def signing(self) -> list[str]:
        """Which of the files of keys has the one that signs the ledger."""
        box = opened(self.state)
        with box.database:
            wanted = box.ledger.public_key
        files = [one for one in self.keys.glob("device.key*") if one.suffix != ".making"]
        return [one.name for one in files if SigningKey.from_pem(one.read_bytes()).public == wanted]


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path / "keys"))
    return Place(tmp_path)


@pytest.fixture
def work() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def test_a_change_that_is_killed_anywhere_leaves_one_key_and_all_records(place: Place, work: ExitStack) -> None:
    """Half ends at a step, half at any moment; two other processes record all the while."""
    chance = random.Random(f"device key {KILLS}")
    recorders = [work.enter_context(place.worker("record")) for _ in range(2)]
    with place.worker("rotate", "never") as whole:
        begun_s, done_s = whole.wait_for("begun"), whole.wait_for("done")
        assert whole.ended() == 0, whole.errors
    ends: Counter[str] = Counter()
    for round_number in range(KILLS):
        point = POINTS[round_number // 2 % len(POINTS)] if round_number % 2 else "never"
        with place.worker("rotate", point) as rotation:
            rotation.wait_for("begun")
            if point == "never":
                time.sleep(chance.uniform(0.0, 2 * (done_s - begun_s)))
            else:
                rotation.ended()
            rotation.kill()
        ends[f"{rotation.lines[-1]}, {sorted(one.name for one in place.keys.glob('device.key*'))}"] += 1
        assert len(place.signing()) == 1, (round_number, point)
        for one in recorders:
            one.goes_on()
    sys.stdout.write(f"killed after {dict(ends)}\n")
    with place.worker("rotate", "never") as last:
        assert last.ended() == 0, last.errors
    for one in recorders:
        assert (one.ended(), one.errors) == (0, "")
    assert sorted(one.name for one in place.keys.glob("device.key*")) == ["device.key"]
    assert place.signing() == ["device.key"]
    box = opened(place.state)
    with box.database:
        found = audit(box, None)
        assert found.good, found.faults
        assert not DeviceKeyRotation(box).unfinished
        told = [int(line) for one in recorders for line in one.lines]
        assert len(set(told)) == len(told)
        assert all(box.ledger.body(index) is not None for index in told)
        assert found.counts[17] == len(told)
        assert len(box.ledger.keys.periods) == 1 + found.counts[8]
        assert found.counts[8] > KILLS // 4
