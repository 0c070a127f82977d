"""A box is backed up while guardians come, breaks, and goes on as another one with keys of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.services.generations import find_generation
from appliance.services.restoring import BUILDING
from tests.scenarios.acts import link, visit
from tests.scenarios.books import opened_box, opened_hub, pending
from tests.scenarios.conftest import copied
from tests.sim.prefecture import until
from tests.sim.world import CommandFailedError, World

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(600)]
PATIENCE_S = 60.0
BOX_PROGRAMS = ("cardd", "kiosk", "staff", "syncd")


@pytest.fixture(scope="module")
def world(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A box on which one guardian is linked."""
    with copied(founded, tmp_path_factory.mktemp("backup")) as world:
        link(world, "card-01", world.guardian_ids()[0])
        yield world


def back_up(world: World, folder: Path) -> dict[str, str]:
    folder.mkdir(exist_ok=True)
    made = json.loads(world.appliance("backup", "--out", str(folder), "--json"))
    return {"--backup": made["backup"], "--keys": made["keys"]}


def words(files: dict[str, str]) -> list[str]:
    return [word for pair in files.items() for word in pair]


def released(world: World, files: dict[str, str]) -> list[str]:
    """The prefecture's answer to this box's request, with the files it is for."""
    request, answer = world.box / "restore.json", world.box / "release.json"
    asked = json.loads(world.appliance("restore", "request", "--out", str(request), "--json"))
    told = world.hub("release", *words(files), "--request", str(request), "--out", str(answer), "--json")
    assert json.loads(told)["number"] == asked["number"]
    return [*words(files), "--release", str(answer), "--credentials", str(world.box / "credentials")]


def break_down(world: World) -> Path:
    """The box is gone, with all that it held; another machine stands in its place. Returns where the old one lies."""
    for name in reversed(BOX_PROGRAMS):
        world.programs[name].stop()
    old = world.folder / f"broken-{len(list(world.folder.iterdir()))}"
    old.mkdir()
    for name in ("state", "credentials"):
        shutil.move(world.box / name, old / name)
    return old


def switch_on(world: World) -> None:
    for name in BOX_PROGRAMS:
        world.programs[name].restart()
        world.programs[name].wait_for(f"{name}.ready")


def test_a_box_that_broke_goes_on_as_another_one(world: World, tmp_path: Path) -> None:
    # Backups are made again and again, and somebody is at the window meanwhile.
    made, ended, failed = list[dict[str, str]](), threading.Event(), list[Exception]()

    def again_and_again() -> None:
        try:
            while not ended.is_set() or not made:
                made.append(back_up(world, tmp_path / "backups"))
        except (CommandFailedError, OSError) as error:
            failed.append(error)

    thread = threading.Thread(target=again_and_again)
    thread.start()
    entries = [visit(world, "card-01") for _ in range(3)]
    until("a backup", lambda: bool(made or failed), PATIENCE_S)
    ended.set()
    thread.join()
    assert failed == []
    until("the receipt for everything", lambda: pending(world) == 0, PATIENCE_S)
    last = back_up(world, tmp_path / "last")
    with opened_box(world) as box:
        before, size = box.school.origin, box.ledger.head().size

    old = break_down(world)
    restored = json.loads(world.appliance("restore", "accept", *released(world, last), "--json"))
    assert (restored["records"], restored["erased"]) == (size, 0)
    for key in ("device.key", "database.key"):
        assert (old / "credentials" / key).read_bytes() != (world.box / "credentials" / key).read_bytes()
    earlier = json.loads(world.appliance("ledger", "verify", "--generation", "1", "--json"))
    assert (earlier["verify"], earlier["entries"], earlier["receipted"]) == ("ok", size, size)

    world.enrol("--new-generation")
    switch_on(world)
    again = visit(world, "card-01")  # the card is still linked
    until("the receipt of the new ledger", lambda: pending(world) == 0, PATIENCE_S)
    with opened_box(world) as box, opened_hub(world) as hub:
        assert box.school.origin != before
        assert box.ledger.body(again) is not None
        assert find_generation(box, 1).head().size == size
        mirrored: dict[str, int] = dict(
            hub.rows("SELECT origin, (SELECT count(*) FROM entry WHERE id >> 44 = ledger.id) FROM ledger")
        )
        assert (mirrored[before], mirrored[box.school.origin]) == (size, box.ledger.head().size)
        rows = box.database.rows("SELECT generation, entry FROM visit ORDER BY 1, 2")
    assert [entry for generation, entry in rows if generation == 1][-3:] == entries
    assert [entry for generation, entry in rows if generation == 2] == [again]
    (school,) = json.loads(world.hub("schools", "--json"))
    assert [(one["origin"], one["mirrored"]) for one in school["earlier"]] == [(before, size)]
    receipt = world.box / "receipt"
    world.appliance("ledger", "receipt", str(entries[0]), "--generation", "1", "--out", str(receipt))
    checked = json.loads(world.appliance("receipt", "verify", str(receipt), "--json"))
    assert (checked["verify"], checked["confirmation"]) == ("ok", "confirmed")


@pytest.fixture
def heavy(world: World, tmp_path: Path) -> Iterator[World]:
    """The same box with so much in it that a backup takes a moment."""
    with opened_box(world) as box, box.database.transaction() as transaction:
        for _ in range(12):
            transaction.run("INSERT INTO roster (imported_ms, file) VALUES (1, randomblob(4000000))")
    yield world
    with opened_box(world) as box, box.database.transaction() as transaction:
        transaction.run("DELETE FROM roster WHERE imported_ms = 1")


def started(world: World, *arguments: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "appliance.programs.cli", *arguments]
    environment = {**os.environ, **world.box_environment}
    return subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def killed_at(process: subprocess.Popen[bytes], size: int, folder: Path, pattern: str) -> bool:
    """Kills it when what it writes is so large; False if it was faster."""

    def written() -> int:
        return sum(path.stat().st_size for path in folder.glob(pattern) if path.exists())

    until("so much is written", lambda: written() >= size or process.poll() is not None, PATIENCE_S)
    done = process.poll() is not None
    process.send_signal(signal.SIGKILL)
    process.wait()
    return not done


def test_what_is_killed_leaves_nothing_or_the_whole(heavy: World, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    kills = 0
    for megabytes in (0, 1, 7, 20, 40):
        kills += killed_at(started(heavy, "backup", "--out", str(folder)), megabytes << 20, folder, ".*.part")
        assert [one for one in folder.iterdir() if not one.name.endswith(".part")] == []
    assert kills == 5
    files = back_up(heavy, folder)
    assert sorted(str(one) for one in folder.iterdir()) == sorted(files.values())

    old = break_down(heavy)
    state, kills = heavy.box / "state", 0
    answer = released(heavy, files)
    for megabytes in (0, 4, 30):
        restore = started(heavy, "restore", "accept", *answer)
        kills += killed_at(restore, (megabytes << 20) + 1, state, f"{BUILDING}*")
        assert not (state / "box.db").exists()
    assert kills == 3
    assert json.loads(heavy.appliance("restore", "accept", *answer, "--json"))["erased"] == 0
    assert sorted(one.name for one in state.iterdir()) == ["box.db"]
    assert json.loads(heavy.appliance("ledger", "verify", "--json"))["verify"] == "ok"
    assert (old / "state" / "box.db").exists()
    heavy.enrol("--new-generation")
    switch_on(heavy)


def test_what_is_erased_later_opens_from_no_older_backup(world: World, tmp_path: Path) -> None:
    entry = visit(world, "card-01")
    older = back_up(world, tmp_path / "older")
    world.appliance("erase", "records", str(entry), "--reason", "order 7", "--yes")
    newest = back_up(world, tmp_path / "newest")
    with opened_box(world) as box:
        number = int(box.school.origin.rpartition("/")[2])
    bodies = []
    for keys in (newest["--keys"], older["--keys"]):
        break_down(world)
        files = {"--backup": older["--backup"], "--keys": keys}
        restored = json.loads(world.appliance("restore", "accept", *released(world, files), "--json"))
        with opened_box(world) as box:
            bodies.append((restored["erased"], find_generation(box, number).body(entry) is None))
    # With the newest keys it is lost; only the keys that should have been destroyed still open it.
    assert bodies == [(1, True), (0, False)]
