"""The records of the box and of the hub, each opened with its own credential and laid side by side."""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from appliance.clock import SystemClock
from appliance.ledger.entry import Entry, EntryType
from appliance.ledger.keys import SigningKey
from appliance.ledger.verify import Sealed
from appliance.programs.hub.settings import DATABASE_KEY, DATABASE_NAME
from appliance.services.opening import OpenBox, open_box
from appliance.store.database import Database
from appliance.store.mirror import MirrorLedger
from tests.sim.prefecture import until
from tests.sim.world import World

PATIENCE_S = 40.0


@dataclass(frozen=True)
class Balance:
    """Entries of the box's ledger, and how many of them the hub has confirmed as the box knows it."""

    recorded: int
    receipted: int
    mirrored: int


@contextmanager
def opened_box(world: World) -> Iterator[OpenBox]:
    credentials = world.box / "credentials"
    device_key = SigningKey.from_pem((credentials / "device.key").read_bytes())
    database_key = (credentials / "database.key").read_bytes()
    box = open_box(world.box / "state", database_key, device_key, SystemClock())
    with box.database:
        yield box


@contextmanager
def opened_hub(world: World) -> Iterator[Database]:
    key = (world.prefecture / "credentials" / DATABASE_KEY).read_bytes()
    with Database.open(world.prefecture / "state" / DATABASE_NAME, key) as database:
        yield database


def at_box(world: World) -> list[Sealed]:
    """Every entry of the box's ledger, with its body."""
    with opened_box(world) as box:
        return list(box.ledger.items(0, box.ledger.head().size))


def at_hub(world: World) -> list[Sealed]:
    """Every entry of the box's ledger as the hub keeps it."""
    with opened_box(world) as box, opened_hub(world) as database:
        mirror = MirrorLedger.find(database, box.school.origin)
        return list(mirror.items(0, mirror.head().size))


def balance(world: World) -> Balance:
    """The account at this moment. Checks what must hold at every moment: ``recorded = receipted + pending`` as the box
    says it, no receipt for what the hub does not hold, and nothing at the hub that the box did not record."""
    said = json.loads(world.appliance("sync", "status", "--json"))
    assert said["recorded"] == said["receipted"] + said["pending"]
    assert said["pending"] >= 0
    # The hub is asked after the box for the lower bound; the box's own size is asked last, for the upper one.
    mirrored, recorded = len(at_hub(world)), len(at_box(world))
    assert said["receipted"] <= mirrored <= recorded
    return Balance(said["recorded"], said["receipted"], mirrored)


def pending(world: World) -> int:
    with opened_box(world) as box:
        head = box.ledger.head()
        return head.size - head.cosigned_size


def visits_of(items: Iterable[Sealed]) -> dict[int, dict[str, Any]]:
    """Index -> content of every entry that says that a guardian was here."""
    found = {}
    for index, item in enumerate(items):
        if Entry.decode(item.entry).type == EntryType.GUARDIAN_AUTHENTICATED.number:
            assert item.body is not None
            found[index] = item.body.read()
    return found


def settle(world: World, acknowledged: Iterable[int] = (), attempts: int | None = None) -> None:
    """Waits until nothing is pending and checks everything: the ledger verifies; box and hub hold the same bytes; each
    acknowledged record is there; no visit is there twice; there are not more visits than ``attempts``."""
    until("the receipt for everything", lambda: pending(world) == 0, PATIENCE_S)
    verified = json.loads(world.appliance("ledger", "verify", "--json"))
    assert (verified["verify"], verified["pending"], verified["database"]) == ("ok", 0, [])
    items = at_box(world)
    assert at_hub(world) == items
    assert verified["entries"] == len(items)
    visits = visits_of(items)
    told = list(acknowledged)
    assert len(set(told)) == len(told)
    assert set(told) <= set(visits)
    # Each visit has a statement with a nonce of its own: the same one twice would be one visit recorded twice.
    assert len({one["statement"] for one in visits.values()}) == len(visits)
    with opened_box(world) as box:
        rows = [int(entry) for (entry,) in box.database.rows("SELECT entry FROM visit ORDER BY entry")]
    assert rows == sorted(visits)
    if attempts is not None:
        assert len(told) <= len(visits) <= attempts
