"""Disks that are full, cannot be written, or break in the middle of a visit: a screen says so, and no record is half
there."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.scenarios.acts import CARDS, come, entry_on, leave, link, tidy, tries
from tests.scenarios.books import balance, settle
from tests.sim.file_limit import failing_beyond
from tests.sim.visit import PIN
from tests.sim.world import World

pytestmark = pytest.mark.scenario
KNOWN, *_ = CARDS
ROOT = Path(__file__).parents[2]
DISK = "12m"
STORY_S = 110
# The state moves onto a file system of its own that nobody outside this namespace sees.
TMPFS = f'mount -t tmpfs -o size={DISK},mode=750 tmpfs "$1/box/state"'
# The reserve was made for a larger disk; the box makes another.
ON_A_SMALL_DISK = """
rm -f "$1/box/state/box.reserve" && mkdir "$1/small" && cp -a "$1/box/state/." "$1/small" && {mount} &&
cp -a "$1/small/." "$1/box/state" && exec "$2" -m tests.scenarios.small_disk "$3" "$1"
"""


def played(story: str, founded: Path, into: Path, mount: str = TMPFS) -> dict[str, Any]:
    """What was seen in a story of ``small_disk``, played on a copy of the founded world."""
    folder = into / "world"
    shutil.copytree(founded, folder)
    namespace = ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--mount"]
    if subprocess.run([*namespace, "true"], capture_output=True, timeout=10).returncode:
        pytest.skip("this system lets nobody have a mount namespace of his own")
    done = subprocess.run(
        [*namespace, "sh", "-c", ON_A_SMALL_DISK.format(mount=mount), "small-disk", str(folder), sys.executable, story],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=STORY_S,
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return seen


def test_a_full_disk_is_said_on_the_screen_and_nothing_is_half_written(founded: Path, tmp_path: Path) -> None:
    seen = played("full", founded, tmp_path)
    assert seen["filled"] > 1 << 20
    assert "store.disk_full" in seen["refused"]
    assert "store.disk_full" in seen["linking"]
    assert seen["recorded_while_full"] == 0
    assert "health.disk_full" in seen["doctor"]
    assert "health.kiosk_silent" not in seen["doctor"]
    # Who comes to mend it could sign in: the reserve was there for that.
    assert seen["signed_in_while_full"] == 1
    assert "health.disk_full" in seen["page"]
    assert "health.disk_full" not in seen["doctor_after"]
    assert seen["tries"] == 3
    assert (seen["verify"]["verify"], seen["verify"]["database"]) == ("ok", [])
    assert all(seen["running"].values())
    # With room again the visit that was refused is made, by the same code; the child checked the books.
    assert seen["told"] >= 2


def test_a_database_that_cannot_be_written_is_named_and_comes_back(founded: Path, tmp_path: Path) -> None:
    seen = played("read-only", founded, tmp_path)
    assert set(seen["commands"]) == {"ledger verify", "sync status", "doctor"}
    for command, said in seen["commands"].items():
        assert ("health.disk_read_only" if command == "doctor" else "store.read_only") in said
        assert "Traceback" not in said
    for events in seen["ends"].values():
        assert [one["code"] for one in events if one["level"] == "error"][:1] == ["store.read_only"]
    assert seen["told"] == 2


@pytest.fixture
def known(world: World) -> Iterator[int]:
    """The entry of a first visit."""
    yield link(world, KNOWN, world.guardian_ids()[0])
    tidy(world)


def test_a_disk_that_fails_in_the_middle_of_a_visit_leaves_nothing_of_it(world: World, known: int) -> None:
    settle(world, [known])
    before = balance(world).recorded
    told = [known]
    with failing_beyond(world, (world.box / "state" / "box.db-wal").stat().st_size):
        visitor = come(world, KNOWN)
        visitor.wait_for("statement")
        visitor.press("/agree")
        visitor.wait_for("pin")
        visitor.type_digits("/pin", PIN)
        screen = visitor.wait_for("problem")
        assert "store.fault" in screen["text"]
        assert tries(world, KNOWN) == 3
        assert balance(world).recorded == before
    leave(world, visitor)
    visitor = come(world, KNOWN)
    visitor.wait_for("statement")
    visitor.press("/agree")
    visitor.wait_for("pin")
    visitor.type_digits("/pin", PIN)
    told.append(entry_on(visitor.wait_for("done")))
    leave(world, visitor)
    settle(world, told, attempts=2)
