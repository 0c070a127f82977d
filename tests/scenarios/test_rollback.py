"""The database of a box is put back to an older copy. Nobody does anything about it, and nothing is lost."""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from appliance.ledger.carried import original
from appliance.ledger.entry import EntryType
from appliance.services.generations import generations, opening_of
from appliance.services.opening import DATABASE_NAME, box_origin
from appliance.store.ledger import LedgerStore
from tests.scenarios.acts import CARDS, come, entry_on, leave, link, visit
from tests.scenarios.books import opened_box, opened_hub, pending
from tests.scenarios.conftest import copied
from tests.sim.prefecture import until
from tests.sim.visit import sign
from tests.sim.world import World

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(300)]
PATIENCE_S = 60.0
BOX_PROGRAMS = ("cardd", "kiosk", "staff", "syncd")
KNOWN, *_ = CARDS


@pytest.fixture(scope="module")
def world(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A box on which one guardian is linked, with nothing pending."""
    with copied(founded, tmp_path_factory.mktemp("rollback")) as world:
        link(world, KNOWN, world.guardian_ids()[0])
        confirmed(world)
        yield world


def confirmed(world: World) -> None:
    until("the receipt for everything", lambda: pending(world) == 0, PATIENCE_S)


def ends_with(world: World, generation: int) -> Callable[[], bool]:
    return lambda: origin_of(world).endswith(f"/{generation}")


def switch_off(world: World) -> None:
    for name in reversed(BOX_PROGRAMS):
        world.programs[name].stop()


def switch_on(world: World) -> None:
    for name in BOX_PROGRAMS:
        world.programs[name].start()
        world.programs[name].wait_for(f"{name}.ready")


def files(folder: Path) -> list[Path]:
    """The database with its log, as a copy of the disk has them."""
    return [path for end in ("", "-wal", "-shm") if (path := folder / f"{DATABASE_NAME}{end}").exists()]


def photograph(world: World, into: Path) -> Path:
    into.mkdir()
    for path in files(world.box / "state"):
        shutil.copyfile(path, into / path.name)
    return into


def put_back(world: World, copy: Path) -> None:
    state = world.box / "state"
    for path in files(state):
        path.unlink()
    for path in files(copy):
        shutil.copyfile(path, state / path.name)


def origin_of(world: World) -> str:
    with opened_box(world) as box:
        return box.school.origin


def forks(world: World) -> list[dict[str, object]]:
    (school,) = json.loads(world.hub("schools", "--json"))
    found: list[dict[str, object]] = school["forks"]
    return found


def check_all_is_there(world: World, generation: int) -> None:
    """The box verifies in every generation, and the hub holds the last one byte for byte with its branch complete."""
    confirmed(world)
    with opened_box(world) as box:
        known = [one.number for one in generations(box.database)]  # not those between that the copy never had
    assert {1, generation} <= set(known)
    for number in known:
        verified = world.appliance("ledger", "verify", "--generation", str(number), "--json")
        assert json.loads(verified)["verify"] == "ok"
    with opened_box(world) as box, opened_hub(world) as hub:
        assert box.school.origin == box_origin(box.school.code, generation)
        head, mirror = box.ledger.head(), LedgerStore.find(hub, box.school.origin)
        assert list(mirror.items(0, head.size)) == list(box.ledger.items(0, head.size))
        assert hub.rows("SELECT DISTINCT branch FROM succession") == [("complete",)]
        # Every visit of the box's own list is at the hub: where it was recorded, or carried on.
        kept = box.database.rows("SELECT generation, entry FROM visit")
        held = set[tuple[str, int]]()
        for (origin,) in hub.rows("SELECT origin FROM ledger"):
            ledger = LedgerStore.find(hub, origin)
            for index, entry in ledger.with_bodies():
                body = ledger.body(index)
                assert body is not None
                held.add((origin, index))
                if entry.type == EntryType.RECORD_CARRIED.number:
                    carried = original(body)
                    held.add((carried.origin, carried.index))
        assert {(box_origin(box.school.code, number), entry) for number, entry in kept} <= held


def test_guardians_notice_nothing_and_the_hub_holds_everything(world: World, tmp_path: Path) -> None:
    before = origin_of(world)
    switch_off(world)
    copy = photograph(world, tmp_path / "copy")
    switch_on(world)
    lost = [visit(world, KNOWN) for _ in range(2)]
    confirmed(world)
    switch_off(world)
    put_back(world, copy)
    world.line.cut()
    switch_on(world)
    on_top = visit(world, KNOWN)  # takes a number that stands for another visit at the hub
    assert on_top in lost
    somebody = come(world, KNOWN)  # is at the window when it happens
    world.line.restore()
    world.programs["syncd"].wait_for("generation.begun")
    entry = entry_on(sign(somebody))
    somebody.wait_for("done")
    leave(world, somebody)
    assert origin_of(world) == before.replace("/box/1", "/box/2")
    later = visit(world, KNOWN)
    world.staff_member().link_code(world.guardian_ids()[1])  # and the office works on
    check_all_is_there(world, 2)
    with opened_box(world) as box, opened_hub(world) as hub:
        kept = box.database.rows("SELECT generation, entry FROM visit ORDER BY 1, 2")
        assert kept[-3:] == [(1, on_top), (2, entry), (2, later)]
        opening = opening_of(LedgerStore.find(hub, box.school.origin))
        assert opening is not None
        assert opening.peer is not None
        earlier = LedgerStore.find(hub, before)
        assert earlier.head().size == opening.peer.size > opening.previous.size
        assert all(earlier.body(one) is not None for one in lost)
    assert world.programs["hub"].said("hub.forked")
    (fork,) = forks(world)
    assert (fork["before"], fork["reason"], fork["branch"]) == (before, "rolled back", "complete")
    said = world.hub("schools")
    assert "FORKED" in said
    (code,) = {one["school"] for one in json.loads(world.hub("schools", "--json"))}
    world.hub("schools", "--seen", code)
    assert forks(world) == []
    receipt = world.box / "receipt"
    world.appliance("ledger", "receipt", str(on_top), "--generation", "1", "--out", str(receipt))
    assert json.loads(world.appliance("receipt", "verify", str(receipt), "--json"))["verify"] == "ok"
    shutil.copytree(copy, world.folder / "copy")


def test_a_copy_from_before_an_earlier_generation_and_a_syncd_that_is_killed_again_and_again(world: World) -> None:
    copy = world.folder / "copy"
    for generation, delays_ms in ((3, (0, 40, 80, 120, 160)), (4, (200, 30, 250, 60)), (5, ())):
        switch_off(world)
        put_back(world, copy)
        world.line.cut()
        switch_on(world)
        on_top = visit(world, KNOWN)
        world.line.restore()
        syncd = world.programs["syncd"]
        for delay_ms in delays_ms:
            time.sleep(delay_ms / 1000)
            syncd.kill()
            syncd.start()
        until("the new generation", ends_with(world, generation), PATIENCE_S)
        entry = visit(world, KNOWN)
        check_all_is_there(world, generation)
        with opened_box(world) as box:
            kept = box.database.rows("SELECT generation, entry FROM visit ORDER BY 1, 2")
            assert kept[-2:] == [(1, on_top), (generation, entry)]


def test_a_copy_from_before_the_key_was_changed_serves_without_a_line(world: World) -> None:
    """Such a copy knows only the key that was given up, and nobody is there to ask: the line is down."""
    copy, before = world.folder / "copy", origin_of(world)
    world.appliance("keys", "rotate", "device")
    visit(world, KNOWN)
    confirmed(world)
    switch_off(world)
    put_back(world, copy)
    world.line.cut()
    said = json.loads(world.appliance("migrate", "--json"))  # as the box does at each start
    assert said["generation"] == origin_of(world)
    assert int(origin_of(world).rpartition("/")[2]) == int(before.rpartition("/")[2]) + 1
    switch_on(world)
    entry = visit(world, KNOWN)
    world.line.restore()
    number = int(origin_of(world).rpartition("/")[2])
    check_all_is_there(world, number)
    with opened_box(world) as box:
        assert box.database.rows("SELECT generation, entry FROM visit ORDER BY 1, 2")[-1:] == [(number, entry)]
    assert json.loads(world.appliance("ledger", "verify", "--json"))["verify"] == "ok"
    assert json.loads(world.appliance("migrate", "--json")) == {"ran": []}
