"""One guardian's visit, played at the real kiosk, and its timeline read from what the programs themselves logged."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from tests.sim.visitor import Guardian
from tests.sim.world import World

PIN = "1234"
WAIT_S = 30.0


@dataclass(frozen=True)
class Step:
    """``at`` is the program's own time of the event, ``ms`` counts from the first step."""

    name: str
    program: str
    at: datetime
    ms: int


@dataclass(frozen=True)
class Milestone:
    """A step's name, and which program's event it is."""

    name: str
    program: str
    event: str


MILESTONES = (
    Milestone("card_seen", "cardd", "card.seen"),
    Milestone("certificate_read", "cardd", "card.read"),
    Milestone("pin_asked", "kiosk", "visit.pin_asked"),
    Milestone("signed", "kiosk", "visit.signed"),
    Milestone("committed", "kiosk", "visit.committed"),
    Milestone("sent", "syncd", "sync.sent"),
    Milestone("cosigned", "hub", "hub.stored"),
    Milestone("receipt_at_kiosk", "kiosk", "visit.receipted"),
)


def register_and_visit(world: World, card: str, guardian: str, on_committed: Callable[[Guardian], None]) -> Guardian:
    """The whole first visit: staff print a code, the guardian links the card, reads, agrees and signs.

    ``on_committed`` is called when the kiosk says that the visit is recorded.
    """
    code = world.staff_member().link_code(guardian)
    visitor = world.guardian()
    visitor.wait_for("waiting")
    world.stage.insert(card)
    visitor.wait_for("link")
    visitor.type_digits("/code", code)
    sign(visitor)
    on_committed(visitor)
    return visitor


def sign(visitor: Guardian, pin: str = PIN) -> dict[str, str]:
    """From the statement to the screen that says it is recorded."""
    visitor.wait_for("statement")
    visitor.press("/agree")
    visitor.wait_for("pin")
    visitor.type_digits("/pin", pin)
    return visitor.wait_for("done")


def timeline(world: World, entry: int) -> list[Step]:
    """The milestones of the latest visit in order; ``entry`` is the index that the kiosk recorded."""
    found: list[tuple[Milestone, datetime]] = []
    begun: datetime | None = None
    for milestone in MILESTONES:
        times = [
            datetime.fromisoformat(str(line["at"]))
            for line in world.programs[milestone.program].events()
            if line.get("event") == milestone.event and _covers(line, milestone, entry)
        ]
        if milestone.name == "card_seen":
            begun = times[-1] if times else None
        later = [time for time in times if begun is not None and time >= begun]
        if later:
            found.append((milestone, later[0]))
    if begun is None:
        return []
    return [Step(one.name, one.program, at, round((at - begun).total_seconds() * 1000)) for one, at in found]


def _covers(line: dict[str, object], milestone: Milestone, entry: int) -> bool:
    """Whether a program's line is about this entry: what is sent and cosigned goes by ranges of entries."""
    if milestone.program in ("syncd", "hub"):
        last = line.get("last", line.get("size"))
        return isinstance(last, int) and last > entry
    return True
