"""The key of the database is changed while others read and write, and the change is killed wherever it stands.

``MADOGUCHI_ROTATION_KILLS`` is how often; the points are drawn from a seed, over all steps and inside the rewrite.
"""

import os
import random
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from appliance.services.founding import DATABASE_KEY
from appliance.services.key_rotation import KeyRotation, Stage
from appliance.store.database import BUSY_TIMEOUT_MS, Database
from appliance.store.faults import WrongKeyError
from tests.scenarios.acts import CARDS, come, entry_on, leave, link, visit
from tests.scenarios.books import balance, settle
from tests.scenarios.key_work import TABLE, last_of, text_of, write
from tests.scenarios.worker import PATIENCE_S
from tests.scenarios.worker import Worker as AnyWorker
from tests.sim.visit import PIN
from tests.sim.world import World

pytestmark = [pytest.mark.scenario, pytest.mark.timeout(600)]
KILLS = int(os.environ.get("MADOGUCHI_ROTATION_KILLS", "50"))
NOTES = 12_000
# The database lies on a small file system of its own, and comes back from there.
ON_A_SMALL_DISK = """
state=$(dirname "$1") && cp -a "$state" "$state.before" && mount -t tmpfs -o size=144m tmpfs "$state" &&
cp -a "$state.before/." "$state" && "$2" -m tests.scenarios.key_work full "$1" && cp -a "$state/." "$state.before" &&
umount "$state" && cp -a "$state.before/." "$state"
"""
STEPS = [Stage.MADE, Stage.REWRITTEN, Stage.EMPTIED, Stage.CHECKED]


class Worker(AnyWorker):
    """A process of ``key_work``."""

    def __init__(self, deed: str, place: "Place", *more: str) -> None:
        super().__init__("tests.scenarios.key_work", deed, place.path, place.keys, *more)


class Place:
    """A database of some megabytes with its key beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.keys, self.path = folder, folder / "keys", folder / "state" / "notes.db"
        self.keys.mkdir()
        self.path.parent.mkdir()
        self.key.write_bytes(os.urandom(32))
        with Database.create(self.path, self.key.read_bytes()) as database:
            database.script(TABLE)
            write(database, 1, NOTES)

    @property
    def key(self) -> Path:
        return self.keys / DATABASE_KEY

    def present(self) -> list[bytes]:
        return [file.read_bytes() for file in sorted(self.keys.iterdir()) if file.suffix != ".making"]

    def opening(self) -> list[bytes]:
        """The keys that open the database, of those that are there."""
        found = []
        for key in self.present():
            try:
                Database.open(self.path, key).close()
            except WrongKeyError:
                continue
            found.append(key)
        return found


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def work() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def all_there(place: Place, key: bytes, acknowledged: list[str]) -> None:
    """Everything that was said to be written is there, as it was written."""
    with Database.open(place.path, key) as database:
        assert last_of(database) >= (int(acknowledged[-1]) if acknowledged else NOTES)
        assert all(text == text_of(number) for number, text in database.each("SELECT id, text FROM note"))


def sound(place: Place) -> bool:
    """Whether every page is, under the one key that there is."""
    (key,) = place.present()
    with Database.open(place.path, key) as database:
        return database.check() == []


def test_who_reads_and_writes_meanwhile_sees_nothing_of_it(place: Place, work: ExitStack) -> None:
    writer, reader = work.enter_context(Worker("write", place)), work.enter_context(Worker("read", place))
    seen = place.present()
    for _ in range(3):
        writer.goes_on()
        reader.goes_on()
        rotation = work.enter_context(Worker("rotate", place, "never"))
        assert rotation.ended() == 0, rotation.errors
        seen += place.present()
        writer.goes_on()
        reader.goes_on()
    assert len(set(seen)) == len(seen) == 4
    assert (writer.ended(), reader.ended()) == (0, 0)
    assert (writer.errors, reader.errors) == ("", "")
    for old in seen[:-1]:
        with pytest.raises(WrongKeyError):
            Database.open(place.path, old)
    assert place.opening() == [seen[-1]]
    all_there(place, seen[-1], writer.lines)
    assert sound(place)
    assert [int(line) for line in writer.lines] == list(range(NOTES + 1, NOTES + 1 + len(writer.lines)))
    raw = b"".join(file.read_bytes() for file in place.path.parent.iterdir())
    assert [key for key in seen if key in raw or key.hex().encode() in raw] == []


def test_a_change_that_is_killed_anywhere_leaves_one_key_and_all_records(
    place: Place, work: ExitStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fifth ends at a step, two fifths at any moment, two fifths inside the rewrite."""
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(place.keys))
    chance = random.Random(f"rotation {KILLS}")
    writer, reader = work.enter_context(Worker("write", place)), work.enter_context(Worker("read", place))
    with Worker("rotate", place, "never") as whole:
        began_s, made_s = whole.wait_for("begun"), whole.wait_for("made")
        rewritten_s, done_s = whole.wait_for("rewritten"), whole.wait_for("done")
        assert whole.ended() == 0, whole.errors
    ends: Counter[str] = Counter()
    for round_number in range(KILLS):
        kind = round_number % 5
        if kind > 2:  # begins anew, so that there is something to rewrite
            KeyRotation(place.path, DATABASE_KEY).finish()
        step = STEPS[round_number // 5 % len(STEPS)].value if kind == 0 else "never"
        with Worker("rotate", place, step) as rotation:
            rotation.wait_for("begun")
            if kind > 2:
                rotation.wait_for("made")
                time.sleep(chance.uniform(0.0, rewritten_s - made_s))
            elif kind > 0:
                time.sleep(chance.uniform(0.0, done_s - began_s))
            else:
                rotation.ended()
            rotation.kill()
        ends[rotation.lines[-1]] += 1
        acknowledged = list(writer.lines)
        opening = place.opening()
        assert len(opening) == 1, (round_number, rotation.lines)
        all_there(place, opening[0], acknowledged)
        writer.goes_on()
        reader.goes_on()
    sys.stdout.write(f"killed after {dict(ends)}\n")
    assert ends[Stage.MADE.value] > 0
    with Worker("rotate", place, "never") as last:
        assert last.ended() == 0, last.errors
    assert (writer.ended(), reader.ended()) == (0, 0)
    assert (writer.errors, reader.errors) == ("", "")
    assert place.opening() == place.present()
    all_there(place, place.present()[0], writer.lines)
    assert sound(place)


def test_a_disk_without_room_refuses_the_change_and_loses_nothing(place: Place) -> None:
    namespace = ["unshare", *([] if os.geteuid() == 0 else ["--map-root-user"]), "--mount"]
    if subprocess.run([*namespace, "true"], capture_output=True, timeout=10, check=False).returncode:
        pytest.skip("this system lets nobody have a mount namespace of his own")
    before = place.present()
    done = subprocess.run(
        [*namespace, "sh", "-c", ON_A_SMALL_DISK, "small-disk", str(place.path), sys.executable],
        env={**os.environ, "CREDENTIALS_DIRECTORY": str(place.keys)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.split() == ["keys.no_room", "keys.no_room", "done"]
    after = place.present()
    assert (len(after), after == before) == (1, False)
    all_there(place, after[0], [])
    assert sound(place)


@pytest.fixture(scope="module")
def recorded(world: World) -> list[int]:
    """One guardian is linked."""
    return [link(world, CARDS[0], world.guardian_ids()[0])]


def test_every_program_of_the_box_works_on(world: World, recorded: list[int]) -> None:
    key = world.box / "credentials" / DATABASE_KEY
    pids = {name: program.pid for name, program in world.programs.items()}
    seen = {key.read_bytes()}
    visitor = come(world, CARDS[0])
    visitor.wait_for("statement")
    visitor.press("/agree")
    visitor.wait_for("pin")
    world.appliance("keys", "rotate", "database", "--json")  # in the middle of a visit
    seen.add(key.read_bytes())
    visitor.type_digits("/pin", PIN)
    recorded.append(entry_on(visitor.wait_for("done", "problem")))
    visitor.wait_until_confirmed()
    leave(world, visitor)
    world.appliance("keys", "rotate", "database", "--json")
    seen.add(key.read_bytes())
    assert world.staff_member().link_code(world.guardian_ids()[1])
    recorded.append(visit(world, CARDS[0]))
    settle(world, recorded)
    balance(world)
    assert len(seen) == 3
    assert {name: program.pid for name, program in world.programs.items()} == pids
    for program in world.programs.values():
        text = program.log.read_text(encoding="utf-8")
        for fault in ("store.", "kiosk.fault", "web.fault", "sync.fault", "visit.problem", "database is locked"):
            assert fault not in text, program.name


def test_a_record_waits_for_longer_than_the_busy_timeout_and_the_screen_says_so(
    world: World, recorded: list[int]
) -> None:
    """As long as another process writes everything anew, whatever it is."""
    visitor = come(world, CARDS[0])
    visitor.wait_for("statement")
    visitor.press("/agree")
    visitor.wait_for("pin")
    key = (world.box / "credentials" / DATABASE_KEY).read_bytes()
    with Database.open(world.box / "state" / "box.db", key, PATIENCE_S) as database, database.transaction():
        held_s = time.monotonic()
        visitor.type_digits("/pin", PIN)
        texts = []
        while time.monotonic() - held_s < 1.5 * BUSY_TIMEOUT_MS / 1000:
            screen = visitor.wait_for("signing", "problem")
            assert screen["step"] == "signing", screen["text"]
            texts.append(screen["text"])
            time.sleep(0.1)
    done = visitor.wait_for("done", "problem")
    assert done["step"] == "done", done["text"]
    recorded.append(entry_on(done))
    assert "すこし" in texts[-1]
    assert "すこし" not in texts[0]
    leave(world, visitor)
    settle(world, recorded)
