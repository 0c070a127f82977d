"""A disk that breaks under all programs of box or hub, and comes back: everybody is told, nothing that was promised is
lost, and everything goes on without any program being started anew.

The fault is that of ``tests/sim/broken_disk``, for the programs and the commands alike.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from tests.scenarios.acts import CARDS, leave, link, tries, try_to_come, visit
from tests.scenarios.books import balance, pending, settle
from tests.scenarios.conftest import CARDS as DECK
from tests.scenarios.small_disk import doctor, signed
from tests.sim.broken_disk.layer import BrokenDisk, Fault
from tests.sim.visitor import StaffMember, UnexpectedPageError
from tests.sim.world import CommandFailedError, World

pytestmark = pytest.mark.scenario
KNOWN, *_ = CARDS
PROGRAMS = ("cardd", "kiosk", "staff", "syncd", "hub")


class WorldOnDisks(World):
    """The records of the box lie on one disk that may break, those of the hub on another."""

    def __enter__(self) -> Self:
        super().__enter__()
        return self

    def __init__(self, folder: Path, workshop: Path) -> None:
        super().__init__(folder, cards=DECK, odd_cards=True)
        self.disks: dict[str, BrokenDisk] = {}
        for name in ("box", "hub"):
            for place in (workshop / name, folder / name / "state"):
                place.mkdir(parents=True)
            self.disks[name] = BrokenDisk(workshop / name, folder / name / "state")

    @property
    def box_environment(self) -> dict[str, str]:
        return super().box_environment | self.disks["box"].environment

    @property
    def hub_environment(self) -> dict[str, str]:
        return super().hub_environment | self.disks["hub"].environment


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WorldOnDisks]:
    folder = tmp_path_factory.mktemp("disks")
    with WorldOnDisks(folder / "world", folder / "workshop") as world:
        yield world


@pytest.fixture(scope="module")
def told(world: WorldOnDisks) -> list[int]:
    """The entries that screens called recorded; one guardian is linked."""
    return [link(world, KNOWN, world.guardian_ids()[0])]


@pytest.fixture(autouse=True)
def _without_any_start(world: WorldOnDisks) -> Iterator[None]:
    before = [world.programs[name].pid for name in PROGRAMS]
    yield
    for disk in world.disks.values():
        disk.recover()
    assert [world.programs[name].pid for name in PROGRAMS] == before
    assert all(world.programs[name].running for name in PROGRAMS)
    for name in PROGRAMS:
        assert [one for one in world.programs[name].events() if "fault" in one] == []  # an error of no kind of ours
        assert "Traceback" not in world.programs[name].log.read_text()


def page(member: StaffMember, path: str) -> tuple[int, str]:
    """What a member of the staff gets, and its status."""
    try:
        return 200, member.get(path)
    except UnexpectedPageError as error:
        said = str(error).removeprefix(f"{member.address}{path}: ")
        return int(said[:3]), said[4:]


@pytest.mark.parametrize("fault", Fault)
def test_a_disk_of_the_box_breaks_and_comes_back(world: WorldOnDisks, told: list[int], fault: Fault) -> None:
    settle(world, told)
    before, member = balance(world).recorded, world.staff_member()
    world.disks["box"].break_down(fault)
    # At the window: no visit, a sentence, and the start again.
    visitor, screen = try_to_come(world, KNOWN)
    if screen["step"] == "statement":
        screen = signed(visitor)
    assert screen["step"] == "problem"
    assert "store." in screen["text"]
    assert "なにも 記録されて いません" in screen["text"]
    leave(world, visitor)
    assert tries(world, KNOWN) == 3
    # In the office: what it is and what to do, on whatever page is asked for.
    for path in ("/", "/box", "/people"):
        status, text = page(member, path)
        assert (status, "Traceback" in text) in ((200, False), (503, False))
        if path == "/box" and status == 200:
            assert "health.disk_broken" in text
        if status == 503:
            assert "県の窓口に電話" in text
    with pytest.raises(UnexpectedPageError, match="503"):
        member.post(f"/people/{world.guardian_ids()[1]}/code", {})
    assert doctor(world) == ["health.disk_broken"]
    if fault is Fault.EVERYTHING:
        with pytest.raises(CommandFailedError, match=r"store\."):
            world.appliance("ledger", "verify")
    world.disks["box"].recover()
    # A new page and one that was open before.
    told.append(visit(world, KNOWN))
    assert page(member, "/box")[0] == 200
    assert len(world.staff_member().link_code(world.guardian_ids()[1])) == 8
    settle(world, told)
    assert doctor(world) == []
    assert balance(world).recorded > before


@pytest.mark.parametrize("fault", Fault)
def test_what_a_box_recorded_while_its_line_and_its_disk_came_back_in_any_order_is_sent(
    world: WorldOnDisks, told: list[int], fault: Fault
) -> None:
    settle(world, told)
    world.line.hold_outgoing()
    told.append(visit(world, KNOWN))
    world.disks["box"].break_down(fault)
    world.line.cut()
    world.line.restore()
    world.programs["syncd"].wait_for("sync.fault")
    world.disks["box"].recover()
    settle(world, told)


@pytest.mark.parametrize("fault", Fault)
def test_a_disk_of_the_hub_breaks_and_comes_back(world: WorldOnDisks, told: list[int], fault: Fault) -> None:
    """The window does not notice; what was recorded meanwhile waits in the box."""
    settle(world, told)
    world.disks["hub"].break_down(fault)
    told.append(visit(world, KNOWN))
    world.programs["hub"].wait_for("hub.fault")
    assert pending(world) >= 1
    try:
        with urllib.request.urlopen(world.hub_url, timeout=20) as answer:
            status, text = answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            status, text = error.code, error.read().decode()
    assert (status, "store.fault" in text) == ((200, False) if fault is Fault.WRITING else (503, True))
    said = json.loads(world.appliance("sync", "status", "--json"))
    assert said["pending"] >= 1
    world.disks["hub"].recover()
    settle(world, told)
