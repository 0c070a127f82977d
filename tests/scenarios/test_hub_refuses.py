"""Somebody with the box's own line certificate sends what the hub must refuse; guardians notice nothing of it.

What is refused and by which name is tried with many schools in ``tests/programs/syncd/test_scenarios.py``; here it is
the records of real visits, what the hub says to people, and the next visit at the kiosk.
"""

import json
import queue
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from appliance.ledger.verify import Batch
from appliance.services.enrolment import EnrolmentStore
from appliance.services.opening import box_origin
from appliance.sync.mqtt import Address, Arrived, LineEvent, LineUp, MqttLine, Rejected
from appliance.sync.tls import line_tls
from appliance.sync.wire import Lane, Refusal, pack, topic, unpack
from tests.scenarios.acts import CARDS, link, tidy, visit
from tests.scenarios.books import at_hub, opened_box, pending, settle
from tests.sim.prefecture import until
from tests.sim.world import World

pytestmark = pytest.mark.scenario
KNOWN, *_ = CARDS
PATIENCE_S = 15.0
ELSEWHERE = "B113299900027"


class Intruder:
    """Sits on the box's line in the place of ``syncd``."""

    def __init__(self, line: MqttLine, school: str) -> None:
        self._line, self.school = line, school

    def say(self, payload: bytes, school: str | None = None) -> None:
        self._line.publish(topic(school or self.school, Lane.UP), payload)

    def refusal(self) -> Refusal:
        arrived = self.hear(Arrived)
        assert isinstance(arrived, Arrived)
        message = unpack(arrived.payload)
        assert isinstance(message, Refusal)
        return message

    def hear(self, kind: type[LineEvent]) -> LineEvent:
        end = time.monotonic() + PATIENCE_S
        while time.monotonic() < end:
            try:
                event = self._line.events.get(timeout=0.5)
            except queue.Empty:
                continue
            if isinstance(event, kind):
                return event
        raise AssertionError(f"no {kind.__name__} within {PATIENCE_S:.0f} s")


@contextmanager
def intruding(world: World) -> Iterator[Intruder]:
    """Stops ``syncd`` before the line comes up, and starts it again in the end."""
    world.programs["syncd"].stop()
    world.line.restore()
    with opened_box(world) as box:
        bundle, school = EnrolmentStore(box.database).find(), box.school.code
    assert bundle is not None
    tls = line_tls(bundle.authority.encode(), bundle.certificate.encode(), world.box / "credentials" / "line.key")
    lanes = (topic(school, Lane.ACK),)
    line = MqttLine(Address(bundle.host, bundle.port), tls, client_id=school, subscriptions=lanes)
    line.start()
    try:
        intruder = Intruder(line, school)
        intruder.hear(LineUp)
        yield intruder
    finally:
        line.stop()
        world.programs["syncd"].start()
        world.programs["syncd"].wait_for("syncd.ready")


@pytest.fixture(scope="module")
def told(world: World) -> list[int]:
    return [link(world, KNOWN, world.guardian_ids()[0])]


@pytest.fixture
def waiting(world: World, told: list[int]) -> Iterator[Batch]:
    """A visit that the hub has not heard of, as the batch that ``syncd`` would send."""
    settle(world, told)
    world.line.cut()
    told.append(visit(world, KNOWN))
    assert pending(world) > 0
    yield batch_of(world)
    tidy(world)


def batch_of(world: World, first: int | None = None, origin: str | None = None) -> Batch:
    """What is pending, or everything from ``first`` on."""
    with opened_box(world) as box:
        head = box.ledger.head()
        begin = head.cosigned_size if first is None else first
        assert head.checkpoint is not None
        return Batch(origin or box.ledger.origin, begin, tuple(box.ledger.items(begin, head.size)), head.checkpoint)


def refusals(world: World) -> list[object]:
    """What the hub's own log says, soon after its answer."""
    return [one["code"] for one in world.programs["hub"].events() if one.get("event") == "hub.refused"]


def flipped(batch: Batch) -> bytes:
    payload = bytearray(pack(batch))
    payload[len(payload) // 2] ^= 0x01
    return bytes(payload)


def flipped_in_an_entry(batch: Batch) -> bytes:
    """One bit of a body's salt, packed anew: every sum of the message is right, and the tree is another one."""
    item = batch.items[-1]
    assert item.body is not None
    salt = bytes([item.body.salt[0] ^ 1]) + item.body.salt[1:]
    changed = replace(item, body=replace(item.body, salt=salt))
    return pack(replace(batch, items=(*batch.items[:-1], changed)))


def of_another_school(batch: Batch) -> bytes:
    return pack(replace(batch, origin=box_origin(ELSEWHERE, 1)))


@pytest.mark.parametrize(
    ("spoil", "codes"),
    [
        (flipped, {"sync.malformed"}),
        (flipped_in_an_entry, {"ledger.root", "ledger.signature"}),
        (of_another_school, {"sync.other_school"}),
    ],
)
def test_what_is_not_the_boxs_own_is_refused_by_name_and_the_box_goes_on(
    world: World, told: list[int], waiting: Batch, spoil: Callable[[Batch], bytes], codes: set[str]
) -> None:
    before = at_hub(world)
    with intruding(world) as intruder:
        intruder.say(spoil(waiting))
        code = intruder.refusal().code
        assert code in codes
        until("the hub's own word", lambda: code in refusals(world))
        assert at_hub(world) == before
    told.append(visit(world, KNOWN))
    settle(world, told)


def test_a_batch_that_was_stored_is_not_stored_again(world: World, told: list[int]) -> None:
    told.append(visit(world, KNOWN))
    settle(world, told)
    before = at_hub(world)
    with intruding(world) as intruder:
        intruder.say(pack(batch_of(world, first=0)))
        refusal = intruder.refusal()
        assert refusal.code == "sync.replayed"
        assert refusal.ack is not None
        until("the hub's own word", lambda: "sync.replayed" in refusals(world))
    assert at_hub(world) == before
    told.append(visit(world, KNOWN))
    settle(world, told)


def test_another_schools_topic_is_closed_to_it(world: World, told: list[int], waiting: Batch) -> None:
    with intruding(world) as intruder:
        intruder.say(pack(waiting), ELSEWHERE)
        rejected = intruder.hear(Rejected)
        assert isinstance(rejected, Rejected)
        assert rejected.reason == "Not authorized"
    settle(world, told)
    assert ELSEWHERE not in json.dumps(list(world.programs["hub"].events()))
