"""Box, broker and hub as real processes, and what goes wrong between them."""

import itertools
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty

import pytest

from appliance.ledger.keys import VerifyingKey
from appliance.ledger.receipt import open_receipt
from appliance.ledger.verify import Batch, verify_ledger
from appliance.programs.hub.settings import DATABASE_NAME
from appliance.services.enrolment import EnrolmentStore
from appliance.store.database import Database
from appliance.store.mirror import MirrorLedger
from appliance.store.signal import SignalStore
from appliance.sync.mqtt import Address, Arrived, LineEvent, LineUp, MqttLine, Rejected
from appliance.sync.tls import line_tls
from appliance.sync.wire import Ack, Lane, Refusal, pack, topic, unpack
from tests.sim.prefecture import Prefecture, School, until

pytestmark = pytest.mark.scenario
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def prefecture(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Prefecture]:
    with Prefecture(tmp_path_factory.mktemp("prefecture")) as prefecture:
        yield prefecture


@pytest.fixture
def enrol(prefecture: Prefecture) -> Callable[[], School]:
    """A school whose ``syncd`` is not running yet."""
    prefecture.line.restore()
    prefecture.hub_line.restore()

    def enrol() -> School:
        number = next(NUMBERS)
        return prefecture.admit(f"B11329990{number:03}8", f"第{number}小学校")

    return enrol


@pytest.fixture
def school(enrol: Callable[[], School]) -> Iterator[School]:
    """A school that is connected and has nothing pending."""
    school = enrol()
    school.syncd.start()
    school.until_confirmed()
    yield school
    school.syncd.stop()


def mirrored(prefecture: Prefecture, school: School) -> int:
    """How much of the school's ledger the hub holds: verified whole, from its database."""
    key = (prefecture.keys / "hub-database.key").read_bytes()
    with Database.open(prefecture.state / DATABASE_NAME, key) as database:
        mirror = MirrorLedger.find(database, school.box.school.origin)
        head = mirror.head()
        stored = [(one.entry, one.body) for one in mirror.items(0, head.size)]
        assert verify_ledger(stored, head.checkpoint, mirror.origin, school.device_key.public).size == head.size
        return head.size


def recorded(school: School, first: int, last: int) -> Batch:
    ledger = school.box.ledger
    return Batch(ledger.origin, first, tuple(ledger.items(first, last)), ledger.checkpoint_at(last))


class Client:
    """Somebody on the line who holds a school's key and certificate."""

    def __init__(self, line: MqttLine) -> None:
        self.line = line

    def next(self, kind: type[LineEvent], patience_s: float = 10.0) -> LineEvent:
        end = time.monotonic() + patience_s
        while time.monotonic() < end:
            try:
                event = self.line.events.get(timeout=0.5)
            except Empty:
                continue
            if isinstance(event, kind):
                return event
        raise AssertionError(f"no {kind.__name__} within {patience_s:.0f} s")

    def answer(self) -> Ack | Refusal:
        arrived = self.next(Arrived)
        assert isinstance(arrived, Arrived)
        message = unpack(arrived.payload)
        assert isinstance(message, Ack | Refusal)
        return message


@contextmanager
def client_of(school: School) -> Iterator[Client]:
    bundle = EnrolmentStore(school.box.database).find()
    assert bundle is not None
    tls = line_tls(bundle.authority.encode(), bundle.certificate.encode(), school.line_key_file)
    lane = topic(school.code, Lane.ACK)
    line = MqttLine(Address(bundle.host, bundle.port), tls, client_id=school.code, subscriptions=(lane,))
    line.start()
    client = Client(line)
    client.next(LineUp)
    yield client
    line.stop()


def test_a_visit_is_confirmed_at_once_and_the_feed_comes_down(prefecture: Prefecture, school: School) -> None:
    took_s = []
    for _ in range(5):
        school.visit()
        took_s.append(school.until_confirmed())
    assert sorted(took_s)[2] < 0.5  # in the median; a busy machine is allowed one slow round
    assert mirrored(prefecture, school) == school.box.ledger.head().size
    bundle = EnrolmentStore(school.box.database).find()
    assert bundle is not None
    hub_key = VerifyingKey.from_pem(bundle.hub_key.encode())
    receipt = open_receipt(school.box.ledger.receipt(3), school.box.school.origin, school.device_key.public, hub_key)
    assert receipt.cosignature is not None
    assert receipt.cosignature.signer == "hub.test"
    feed = MirrorLedger.find(school.box.database, bundle.feed_origin)
    until("the feed", lambda: feed.head().size == 2)
    published = feed.body(1)
    assert published is not None
    assert published.read() == {"hub": "hub.test", "school": school.code}
    until("the feed's receipt", lambda: bool(prefecture.hub.said("feed.confirmed")))


def test_the_state_is_there_for_the_other_programs_and_for_the_hub(prefecture: Prefecture, school: School) -> None:
    size = school.visit(3)
    school.until_confirmed()
    signals = SignalStore(school.box.database)

    def said() -> dict[str, object]:
        found = signals.read("sync")
        return {} if found is None else found.value

    until("the word of syncd", lambda: said().get("cosigned_size") == size)
    word = said()
    assert (word["connected"], word["error"], word["refused"], word["reason"]) == (True, None, None, "small")
    assert isinstance(word["confirmed_ms"], int)

    def line() -> dict[str, object]:
        return next(one for one in prefecture.listing() if one["school"] == school.code)

    until("the state at the hub", lambda: line()["recorded"] == size)
    assert (line()["online"], line()["pending"], line()["mirrored"]) == (True, 0, size)
    school.syncd.kill()
    until("the will", lambda: line()["online"] is False)


def test_a_cut_line_is_caught_up_with(prefecture: Prefecture, school: School) -> None:
    prefecture.line.cut()
    until("the broken line", lambda: bool(school.syncd.said("sync.disconnected")))
    size = school.visit(250)
    time.sleep(0.5)
    assert school.pending == 250
    prefecture.line.restore()
    assert school.until_confirmed() < 10
    assert mirrored(prefecture, school) == size


def test_a_broker_that_is_killed_loses_nothing(prefecture: Prefecture, school: School) -> None:
    for _ in range(3):
        school.visit(20)
        prefecture.broker.kill()
        school.visit(20)
        prefecture.broker.start()
    school.until_confirmed()
    assert mirrored(prefecture, school) == school.box.ledger.head().size


def test_a_hub_that_is_killed_between_commit_and_answer_stores_nothing_twice(
    prefecture: Prefecture, school: School
) -> None:
    prefecture.hub_line.hold_outgoing()
    size = school.visit(5)
    until("the commit", lambda: mirrored(prefecture, school) == size)
    assert school.pending == 5
    prefecture.hub.kill()
    prefecture.hub_line.cut()
    prefecture.hub_line.restore()
    assert school.pending == 5
    more = school.visit(2)
    prefecture.hub.start()
    school.until_confirmed()
    assert mirrored(prefecture, school) == more == size + 2


def test_a_syncd_that_is_killed_again_and_again_loses_nothing(prefecture: Prefecture, school: School) -> None:
    for pause_s in (0.0, 0.1, 0.3, 0.5):
        school.visit(10)
        time.sleep(pause_s)
        school.syncd.kill()
        school.visit(1)
        school.syncd.start()
    school.until_confirmed()
    assert mirrored(prefecture, school) == school.box.ledger.head().size


def test_a_replayed_batch_is_refused_with_the_receipt_attached(prefecture: Prefecture, school: School) -> None:
    size = school.visit(3)
    school.until_confirmed()
    school.syncd.stop()
    with client_of(school) as replayer:
        replayer.line.publish(topic(school.code, Lane.UP), pack(recorded(school, 0, size)))
        refusal = replayer.answer()
    assert isinstance(refusal, Refusal)
    assert refusal.code == "sync.replayed"
    assert refusal.ack is not None
    assert mirrored(prefecture, school) == size


def test_a_flipped_byte_is_refused_by_name_and_the_box_goes_on(prefecture: Prefecture, school: School) -> None:
    school.syncd.stop()
    size = school.visit(3)
    good = pack(recorded(school, school.box.ledger.head().cosigned_size, size))
    for position in (0, 3, len(good) // 2, len(good) - 1):
        flipped = bytearray(good)
        flipped[position] ^= 0x01
        with client_of(school) as forger:
            forger.line.publish(topic(school.code, Lane.UP), bytes(flipped))
            refusal = forger.answer()
        assert isinstance(refusal, Refusal)
        assert refusal.code == "sync.malformed"
    assert mirrored(prefecture, school) == size - 3
    said = next(one for one in prefecture.listing() if one["school"] == school.code)
    assert said["refused"] == "sync.malformed"
    school.syncd.start()
    school.until_confirmed()
    assert mirrored(prefecture, school) == size


def test_a_forged_entry_under_the_boxs_own_certificate_is_refused(prefecture: Prefecture, school: School) -> None:
    school.syncd.stop()
    size = school.visit(2)
    batch = recorded(school, size - 2, size)
    forged = Batch(batch.origin, batch.first, (batch.items[1], batch.items[0]), batch.checkpoint)
    with client_of(school) as forger:
        forger.line.publish(topic(school.code, Lane.UP), pack(forged))
        refusal = forger.answer()
    assert isinstance(refusal, Refusal)
    assert refusal.code in {"ledger.order", "ledger.root", "ledger.signature"}
    school.syncd.start()
    school.until_confirmed()
    assert mirrored(prefecture, school) == size


def test_another_schools_topic_is_closed_and_its_ledger_refused(
    prefecture: Prefecture, school: School, enrol: Callable[[], School]
) -> None:
    victim = enrol()
    size = victim.visit(2)
    stolen = pack(recorded(victim, 0, size))
    school.syncd.stop()
    with client_of(school) as thief:
        thief.line.publish(topic(victim.code, Lane.UP), stolen)
        rejected = thief.next(Rejected)
        assert isinstance(rejected, Rejected)
        assert rejected.reason == "Not authorized"
        thief.line.publish(topic(school.code, Lane.UP), stolen)
        refusal = thief.answer()
    assert isinstance(refusal, Refusal)
    assert refusal.code == "sync.other_school"
    assert mirrored(prefecture, victim) == 0
    for one in (school, victim):
        one.syncd.start()
        one.until_confirmed()
    assert mirrored(prefecture, victim) == size


def test_a_box_that_is_enrolled_later_begins_then(prefecture: Prefecture, tmp_path: Path) -> None:
    school = School(tmp_path / "box", "B113299909998", "まだの小学校")
    try:
        school.syncd.start()
        until("the start", lambda: bool(school.syncd.said("syncd.ready")))
        time.sleep(1.5)
        assert school.pending == 1
        prefecture.enrol(school)
        school.until_confirmed()
    finally:
        school.stop()


def test_without_a_key_it_says_which_and_ends(tmp_path: Path) -> None:
    school = School(tmp_path / "box", "B113299909988", "かぎのない小学校")
    (tmp_path / "box" / "keys" / "device.key").unlink()
    school.syncd.start()
    assert school.syncd.ended(20) == 2
    assert "config.credential name=device.key" in school.syncd.log.read_text()
    school.stop()
