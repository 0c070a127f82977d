"""Every process is killed in the middle of visits, as by an empty battery, and started again as systemd would.

What a screen called recorded is in the ledger afterwards, once, and reaches the hub; the guardian gets a screen that is
true, and can begin again. ``MADOGUCHI_KILL_ROUNDS`` plays every story so many times, with other delays.
"""

import os
import random
import threading
import time
import urllib.error
from collections.abc import Callable, Iterator
from http.client import HTTPException

import pytest

from tests.scenarios.acts import CARDS, come, entry_on, leave, link, tidy, tries, visit
from tests.scenarios.books import at_box, at_hub, balance, pending, settle, visits_of
from tests.sim.prefecture import until
from tests.sim.visit import PIN
from tests.sim.visitor import Guardian, UnexpectedPageError
from tests.sim.world import World

pytestmark = pytest.mark.scenario
ROUNDS = int(os.environ.get("MADOGUCHI_KILL_ROUNDS", "1"))
KNOWN, NEW, *_ = CARDS
SLOW_MS = 300
LATEST_KILL_S = 0.06  # a visit is signed, written and shown within this after the PIN
# What a page meets whose server dies under it.
BROKEN = (urllib.error.URLError, HTTPException, ConnectionError, UnexpectedPageError, TimeoutError)
READY = {
    "cardd": "cardd.ready",
    "kiosk": "kiosk.ready",
    "staff": "staff.ready",
    "syncd": "syncd.ready",
    "hub": "hub.ready",
}
AT_THE_KIOSK = ("cardd", "kiosk")
POINTS = ("statement", "pin", "posted", "signing", "done")
READER_SERVICE = [("pcscd", "posted"), ("pcscd", "done")]  # the rest is in ``test_visit``
OTHERS = ("staff", "syncd", "hub", "broker")


class Told:
    """What screens said is recorded, and how many visits were tried: the ledger holds no less and no more."""

    def __init__(self) -> None:
        self.entries: list[int] = []
        self.attempts = 0

    def note(self, screen: dict[str, str]) -> None:
        if screen["step"] == "done":
            self.entries.append(entry_on(screen))


@pytest.fixture(scope="module")
def told(world: World) -> Told:
    """With one guardian linked."""
    told = Told()
    told.attempts += 1
    told.entries.append(link(world, KNOWN, world.guardian_ids()[0]))
    return told


@pytest.fixture(autouse=True)
def _tidy(world: World) -> Iterator[None]:
    yield
    for name in (*READY, "broker", "pcscd"):
        if not running(world, name):
            start(world, name)
    tidy(world)


def running(world: World, name: str) -> bool:
    if name in READY:
        return world.programs[name].running
    return world.broker.running if name == "broker" else world.pcscd.running


def kill(world: World, name: str) -> None:
    """SIGKILL to the process of this name, and to its workers."""
    part: dict[str, Callable[[], None]] = {"broker": world.broker.kill, "pcscd": world.pcscd.kill}
    (part[name] if name in part else world.programs[name].kill)()
    assert not running(world, name)


def start(world: World, name: str) -> None:
    """As its unit would with ``Restart=on-failure``; returns when it is ready."""
    if name in READY:
        world.programs[name].start()
        world.programs[name].wait_for(READY[name])
    else:
        (world.broker if name == "broker" else world.pcscd).start()


def walk_to(world: World, visitor: Guardian, point: str, delay_s: float, told: Told) -> None:
    """Brings a visit to a point; ``posted`` is a moment after the PIN was sent, whatever the screen says by then."""
    visitor.wait_for("statement")
    if point == "statement":
        return
    visitor.press("/agree")
    visitor.wait_for("pin")
    if point == "pin":
        return
    told.attempts += 1
    if point == "posted":
        threading.Thread(target=type_and_go, args=(visitor,), daemon=True).start()
        time.sleep(delay_s)
        return
    visitor.type_digits("/pin", PIN)
    told.note(visitor.wait_for(point))


def type_and_go(visitor: Guardian) -> None:
    """Types the PIN on a page whose server may die meanwhile."""
    try:
        visitor.type_digits("/pin", PIN)
    except BROKEN:
        return


def see_it_through(world: World, told: Told) -> None:
    """After a restart the screen finds its own way to its next resting place; from there a whole visit is made."""
    world.stage.set(KNOWN, delay_ms=0)
    visitor = world.guardian()
    screen = visitor.wait_for("link", "statement", "pin", "last_try", "done", "problem", "take_card", "waiting")
    if screen["step"] == "done" and entry_on(screen) not in told.entries:
        told.note(screen)
    leave_whatever(world)
    assert tries(world, KNOWN) == 3
    told.attempts += 1
    told.entries.append(visit(world, KNOWN))


def leave_whatever(world: World) -> None:
    world.stage.remove()
    visitor = world.guardian()
    end = time.monotonic() + 20
    while visitor.wait_for("waiting", "problem", "done", "signing", "reading")["step"] != "waiting":
        if visitor.screen()["step"] == "problem":
            visitor.press("/cancel")
        assert time.monotonic() < end, visitor.screen()["text"]
        time.sleep(0.05)


@pytest.mark.parametrize("round_number", range(ROUNDS))
@pytest.mark.parametrize(
    ("victim", "point"), [(victim, point) for victim in AT_THE_KIOSK for point in POINTS] + READER_SERVICE
)
def test_a_program_of_the_window_is_killed_in_a_visit(
    world: World, told: Told, victim: str, point: str, round_number: int
) -> None:
    delay_s = random.Random(f"{victim} {round_number}").uniform(0.0, LATEST_KILL_S)
    world.stage.set(KNOWN, delay_ms={"compute_signature": SLOW_MS if point == "signing" else 0})
    walk_to(world, come(world, KNOWN), point, delay_s, told)
    kill(world, victim)
    start(world, victim)
    see_it_through(world, told)
    settle(world, told.entries, told.attempts)


@pytest.mark.parametrize("round_number", range(ROUNDS))
@pytest.mark.parametrize("point", ["pin", "posted", "done"])
@pytest.mark.parametrize("victim", OTHERS)
def test_a_program_that_a_visit_does_not_need_is_killed_in_it(
    world: World, told: Told, victim: str, point: str, round_number: int
) -> None:
    """The visit goes on without it, and the screen says that it is recorded while it is still away."""
    delay_s = random.Random(f"{victim} {round_number}").uniform(0.0, LATEST_KILL_S)
    visitor = come(world, KNOWN)
    walk_to(world, visitor, point, delay_s, told)
    kill(world, victim)
    if point == "pin":
        told.attempts += 1
        visitor.type_digits("/pin", PIN)
    if point != "done":
        told.note(visitor.wait_for("done"))
    balance_without_its_programs(world)
    start(world, victim)
    visitor.wait_until_confirmed()
    leave(world, visitor)
    settle(world, told.entries, told.attempts)


def balance_without_its_programs(world: World) -> None:
    """The account holds while a program is down, because it stands in the databases."""
    found = balance(world)
    assert found.recorded >= found.receipted


@pytest.mark.parametrize(
    ("victim", "point"), [("kiosk", "link"), ("cardd", "link"), ("kiosk", "statement"), ("staff", "statement")]
)
def test_a_first_visit_that_is_killed_uses_up_no_code(world: World, told: Told, victim: str, point: str) -> None:
    code = world.staff_member().link_code(world.guardian_ids()[1])
    before = at_box(world)
    visitor = come(world, NEW)
    visitor.wait_for("link")
    if point == "statement":
        visitor.type_digits("/code", code)
        visitor.wait_for("statement")
    kill(world, victim)
    start(world, victim)
    leave_whatever(world)
    assert at_box(world) == before
    visitor = come(world, NEW)
    visitor.wait_for("link")
    visitor.type_digits("/code", code)
    visitor.wait_for("statement")
    leave(world, visitor)
    settle(world, told.entries, told.attempts)


def test_broker_and_hub_are_killed_before_the_batch_arrives(world: World, told: Told) -> None:
    world.line.hold_outgoing()
    told.attempts += 1
    told.entries.append(visit(world, KNOWN))
    assert pending(world) >= 1
    assert told.entries[-1] not in visits_of(at_hub(world))
    for name in ("broker", "hub"):
        kill(world, name)
    balance(world)
    world.line.restore()
    for name in ("broker", "hub"):
        start(world, name)
    settle(world, told.entries, told.attempts)


@pytest.mark.parametrize("victims", [("broker",), ("hub",), ("broker", "hub"), ("hub", "broker"), ("syncd", "broker")])
def test_broker_and_hub_are_killed_between_commit_and_acknowledgement(
    world: World, told: Told, victims: tuple[str, ...]
) -> None:
    """The hub has stored the batch, and its receipt never arrives: the box asks again and nothing is there twice."""
    settle(world, told.entries, told.attempts)
    world.line.hold_incoming()
    told.attempts += 1
    told.entries.append(visit(world, KNOWN))
    until("the hub's commit", lambda: told.entries[-1] in visits_of(at_hub(world)))
    held = balance(world)
    assert held.mirrored == held.recorded > held.receipted
    for name in victims:
        kill(world, name)
    assert pending(world) >= 1
    world.line.cut()
    world.line.restore()
    for name in reversed(victims):
        start(world, name)
    settle(world, told.entries, told.attempts)
