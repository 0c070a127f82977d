"""What people do at the kiosk, one sentence each; every act says what it saw."""

import re
import time

from tests.sim.visit import PIN, sign
from tests.sim.visitor import Guardian, UnexpectedPageError
from tests.sim.world import World

PATIENCE_S = 20.0
POLL_S = 0.02
NUMBER = re.compile(r"M-(\d{6})")
CARDS = ("card-01", "card-02", "card-03", "card-04")


def entry_on(screen: dict[str, str]) -> int:
    """The index of the entry whose number a screen shows; to a person that says: it is recorded."""
    found = NUMBER.search(screen["text"])
    if screen["step"] != "done" or found is None:
        raise UnexpectedPageError(f"no number of a record on {screen['step']}: {screen['text']}")
    return int(found[1])


def come(world: World, card: str) -> Guardian:
    """Somebody opens the page of a kiosk that waits, and puts a card on."""
    visitor = world.guardian()
    visitor.wait_for("waiting")
    world.stage.insert(card)
    return visitor


def try_to_come(world: World, card: str) -> tuple[Guardian, dict[str, str]]:
    """Somebody comes to a kiosk that may be out of order, and perhaps says so before a card is there: the screen that
    has an answer."""
    visitor = world.guardian()
    screen = visitor.wait_for("waiting", "problem")
    if screen["step"] == "waiting":
        world.stage.insert(card)
        screen = visitor.wait_for("link", "statement", "problem")
    return visitor, screen


def leave(world: World, visitor: Guardian) -> None:
    """The card is taken away and the kiosk waits for the next one, or says that it is out of order."""
    world.stage.remove()
    if visitor.wait_for("waiting", "problem")["step"] == "problem":
        visitor.press("/cancel")
        visitor.wait_for("waiting", "problem")


def link(world: World, card: str, guardian: str, pin: str = PIN) -> int:
    """The first visit of somebody with a code on paper, up to the card being taken away; the entry's index."""
    code = world.staff_member().link_code(guardian)
    visitor = come(world, card)
    visitor.wait_for("link")
    visitor.type_digits("/code", code)
    entry = entry_on(sign(visitor, pin))
    leave(world, visitor)
    return entry


def visit(world: World, card: str, pin: str = PIN) -> int:
    """The visit of somebody who is known already, up to the card being taken away; the entry's index."""
    visitor = come(world, card)
    entry = entry_on(sign(visitor, pin))
    leave(world, visitor)
    return entry


def problem(visitor: Guardian, *codes: str) -> dict[str, str]:
    """Waits for the screen that explains one of these errors."""
    end = time.monotonic() + PATIENCE_S
    while True:
        screen = visitor.screen()
        if screen["step"] == "problem" and any(code in screen["text"] for code in codes):
            return screen
        if time.monotonic() > end:
            raise UnexpectedPageError(f"not {codes}: {screen['step']}: {screen['text']}")
        time.sleep(POLL_S)


def tries(world: World, card: str) -> int:
    """How often the card would still compare a PIN, asked of the card itself."""
    return next(int(str(one["pin_tries"])) for one in world.stage.list() if one["card"] == card)


def tidy(world: World) -> None:
    """Puts right what a story left behind: cards are themselves again, the line is up, the kiosk waits."""
    if not world.pcscd.running:
        world.pcscd.start()
    world.line.restore()
    for card in CARDS:
        fresh = {"pin_tries": 3, "pin_locked": False, "delay_ms": 0, "removed_at": None, "removed_after_command": False}
        world.stage.set(card, **fresh)
    leave(world, world.guardian())
