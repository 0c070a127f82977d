"""Boxes whose disk is full, or cannot be written at all.

``python -m tests.scenarios.small_disk full|read-only FOLDER`` plays a founded world in that
folder, and wants to run in a mount namespace where the box's state lies on a small file system of its own.
Prints what was seen as a JSON object.
"""

import json
import re
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from tests.scenarios.acts import CARDS, come, entry_on, leave, link, tries, try_to_come
from tests.scenarios.books import at_box, balance, settle
from tests.scenarios.conftest import CARDS as DECK
from tests.sim.visit import PIN
from tests.sim.visitor import Guardian, StaffMember, UnexpectedPageError
from tests.sim.world import CommandFailedError, World

KNOWN, NEW, *_ = CARDS
PIECE_BYTES = 4096
MOST_VISITS = 60
END_S = 20.0
CODE = re.compile(r"\[((?:health|clock|store)\.\w+)")
WITH_DATABASE = ("kiosk", "staff", "syncd")


def main(story: str, folder: Path) -> None:
    with World(folder, cards=DECK, odd_cards=True) as world:
        sys.stdout.write(json.dumps(STORIES[story](world)) + "\n")


def play_full(world: World) -> dict[str, object]:
    first, second = world.guardian_ids()[:2]
    told = [link(world, KNOWN, first)]
    settle(world, told)
    code = world.staff_member().link_code(second)
    filler = world.box / "state" / "filler"
    filled = fill(filler)
    refused: dict[str, str] | None = None
    # What the database has claimed of the disk before is filled first.
    while refused is None and len(told) < MOST_VISITS:
        visitor, screen = try_to_come(world, KNOWN)
        if screen["step"] == "statement":
            screen = signed(visitor)
        if screen["step"] == "done":
            told.append(entry_on(screen))
            fill(filler)
        else:
            refused = screen
        leave(world, visitor)
    before = len(at_box(world))
    # A first visit writes more than a later one: it is refused as a whole, and the code stays good.
    visitor, linking = try_to_come(world, NEW)
    if linking["step"] == "link":
        visitor.type_digits("/code", code)
        linking = signed(visitor)
    leave(world, visitor)
    full = {
        "filled": filled,
        "refused": None if refused is None else refused["text"],
        "linking": linking["text"],
        "recorded_while_full": len(at_box(world)) - before,
        "page": box_page(world.staff_member()),
        "signed_in_while_full": len(at_box(world)) - before,
        "doctor": doctor(world),
        "tries": tries(world, KNOWN),
        "verify": json.loads(world.appliance("ledger", "verify", "--json")),
        "running": {name: program.running for name, program in world.programs.items()},
    }
    balance(world)
    # A box that is switched off and on with a full disk comes up again.
    for name in WITH_DATABASE:
        world.programs[name].restart()
        world.programs[name].wait_for(f"{name}.ready")
    filler.unlink()
    visitor = come(world, NEW)
    visitor.wait_for("link")
    visitor.type_digits("/code", code)
    told.append(entry_on(signed(visitor)))
    leave(world, visitor)
    settle(world, told)
    full["doctor_after"] = doctor(world)
    return {**full, "told": len(told), "entries": len(at_box(world))}


def play_read_only(world: World) -> dict[str, object]:
    told = [link(world, KNOWN, world.guardian_ids()[0])]
    settle(world, told)
    for name in WITH_DATABASE:
        world.programs[name].stop()
    remount(world, "ro")
    commands = {}
    for command in (("ledger", "verify"), ("sync", "status"), ("doctor",)):
        try:
            commands[" ".join(command)] = world.appliance(*command)
        except CommandFailedError as error:
            commands[" ".join(command)] = str(error)
    ends = {name: how_it_ends(world, name) for name in WITH_DATABASE}
    remount(world, "rw")
    for name in WITH_DATABASE:
        world.programs[name].start()
        world.programs[name].wait_for(f"{name}.ready")
    visitor = come(world, KNOWN)
    told.append(entry_on(signed(visitor)))
    leave(world, visitor)
    settle(world, told)
    return {"commands": commands, "ends": ends, "told": len(told)}


def doctor(world: World) -> list[str]:
    """The codes of what it finds."""
    try:
        return CODE.findall(world.appliance("doctor"))
    except CommandFailedError as error:
        return CODE.findall(str(error))


def box_page(member: StaffMember) -> str:
    """What the staff site says of the box, or its answer that it cannot."""
    try:
        return member.get("/box")
    except UnexpectedPageError as error:
        return str(error)


def remount(world: World, how: str) -> None:
    subprocess.run(["mount", "-o", f"remount,bind,{how}", str(world.box / "state")], check=True, timeout=10)


def how_it_ends(world: World, name: str) -> list[dict[str, object]]:
    """What a program logs that cannot start."""
    program = world.programs[name]
    program.start()
    end = time.monotonic() + END_S
    while program.running:
        if time.monotonic() > end:
            raise TimeoutError(name)
        time.sleep(0.05)
    return list(program.events())


def signed(visitor: Guardian) -> dict[str, str]:
    """From the statement to whatever the screen says in the end."""
    visitor.wait_for("statement")
    visitor.press("/agree")
    visitor.wait_for("pin")
    visitor.type_digits("/pin", PIN)
    return visitor.wait_for("done", "problem")


def fill(filler: Path) -> int:
    """Writes until there is no room left; the size of the file."""
    with filler.open("ab", buffering=0) as file, suppress(OSError):
        while file.write(bytes(PIECE_BYTES)) == PIECE_BYTES:
            pass
    return filler.stat().st_size


STORIES = {"full": play_full, "read-only": play_read_only}


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
