"""The line to a real broker: up, down, refused, stuck, and always built anew."""

import dataclasses
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from appliance.programs.hub.authority import Authority, make_key, pem
from appliance.sync import mqtt
from appliance.sync.mqtt import Address, Arrived, LineDown, LineEvent, LineUp, MqttLine, Will
from appliance.sync.tls import line_tls
from appliance.sync.wire import Lane, topic
from tests.sim.broker import Broker, Line, free_port
from tests.sync.memory import SCHOOL

pytestmark = pytest.mark.scenario
NOW = datetime.now(UTC)
STATE, UP, ACK = topic(SCHOOL, Lane.STATE), topic(SCHOOL, Lane.UP), topic(SCHOOL, Lane.ACK)


@dataclasses.dataclass
class Place:
    """A broker, a line to it, and the authority of both."""

    directory: Path
    authority: Authority
    broker: Broker
    line: Line

    def client(self, name: str, *subscriptions: str, will: Will | None = None, trust: bytes | None = None) -> MqttLine:
        key = self.directory / f"{name}.key"
        key.write_bytes(own := make_key())
        certificate = self.authority.issue_own_client(name, own, NOW)
        tls = line_tls(trust or pem(self.authority.certificate), pem(certificate), key)
        address = Address("localhost", self.line.port)
        return MqttLine(address, tls, client_id=name, subscriptions=subscriptions, will=will)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    authority = Authority.make("test", make_key(), NOW)
    files = [tmp_path / "ca.crt", tmp_path / "broker.crt", tmp_path / "broker.key"]
    files[0].write_bytes(pem(authority.certificate))
    files[2].write_bytes(key := make_key())
    files[1].write_bytes(pem(authority.issue_server(("localhost",), key, NOW)))
    with Broker(tmp_path / "broker", *files) as broker, Line(broker.port) as line:
        yield Place(tmp_path, authority, broker, line)


@pytest.fixture
def started() -> Iterator[Callable[[MqttLine], MqttLine]]:
    lines: list[MqttLine] = []

    def start(line: MqttLine) -> MqttLine:
        line.start()
        lines.append(line)
        return line

    yield start
    for line in lines:
        line.stop()


Start = Callable[[MqttLine], MqttLine]


def following(line: MqttLine, patience_s: float = 15.0) -> LineEvent:
    return line.events.get(timeout=patience_s)


def test_a_message_goes_from_school_to_hub_and_back(place: Place, started: Start) -> None:
    hub = started(place.client("hub", UP))
    school = started(place.client(SCHOOL, ACK))
    assert following(hub) == LineUp()
    assert following(school) == LineUp()
    handover = school.publish(UP, b"batch")
    assert following(hub) == Arrived(UP, b"batch")
    assert handover is not None
    end = time.monotonic() + 5
    while not handover.done:
        assert time.monotonic() < end
        time.sleep(0.01)
    hub.publish(ACK, b"ack")
    assert following(school) == Arrived(ACK, b"ack")


def test_a_line_that_is_down_takes_nothing_and_comes_back(place: Place, started: Start) -> None:
    hub, school = started(place.client("hub", UP)), started(place.client(SCHOOL, ACK))
    assert (following(hub), following(school)) == (LineUp(), LineUp())
    place.line.cut()
    assert following(school) == LineDown("line.lost")
    assert school.publish(UP, b"lost") is None
    assert following(school) == LineDown("line.unreachable")
    time.sleep(1)
    assert school.events.empty()  # the same reason is said once
    place.line.restore()
    assert following(school) == LineUp()
    school.publish(UP, b"kept")
    assert following(hub) in (LineDown("line.lost"), LineDown("line.unreachable"))
    while not isinstance(event := following(hub), Arrived):
        pass
    assert event.payload == b"kept"


def test_what_is_published_as_soon_as_the_line_is_up_goes_out(
    place: Place, started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    school, loop_start = place.client(SCHOOL), Client.loop_start
    taken: SimpleQueue[bool] = SimpleQueue()

    def start_and_dawdle(client: Client) -> MQTTErrorCode:
        # The library's own thread says that the line is up before the one that opened it has gone on.
        code = loop_start(client)
        assert following(school) == LineUp()
        taken.put(school.publish(UP, b"batch") is not None)
        return code

    monkeypatch.setattr(Client, "loop_start", start_and_dawdle)
    started(school)
    assert taken.get(timeout=30)


def test_the_session_outlives_the_connection(place: Place, started: Start) -> None:
    hub, school = started(place.client("hub")), place.client(SCHOOL, ACK)
    school.start()
    assert (following(hub), following(school)) == (LineUp(), LineUp())
    school.stop()
    assert hub.publish(ACK, b"while away") is not None
    again = started(place.client(SCHOOL, ACK))
    events = {following(again), following(again)}
    assert events == {LineUp(), Arrived(ACK, b"while away")}


def test_the_will_is_published_when_the_line_breaks_and_when_it_is_left(place: Place, started: Start) -> None:
    hub = started(place.client("hub", STATE))
    assert following(hub) == LineUp()
    for leave in (True, False):
        school = place.client(SCHOOL, will=Will(STATE, b"gone"))
        school.start()
        assert following(school) == LineUp()
        school.publish(STATE, b"here", retain=True)
        assert following(hub) == Arrived(STATE, b"here")
        if leave:
            school.stop()
        else:
            assert school._connection is not None
            found = school._connection._client
            assert found is not None
            found.socket().shutdown(2)  # type: ignore[union-attr]  # it is open, and a real socket
            # A client that is back before the broker has seen the end takes its session over, and there is no will.
            school._stopping.set()
        assert following(hub) == Arrived(STATE, b"gone")
        school.stop()


def test_a_dead_thread_of_the_library_is_noticed_and_the_line_rebuilt(
    place: Place, started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    school = started(place.client(SCHOOL, ACK))
    assert following(school) == LineUp()
    assert school._connection is not None
    client = school._connection._client
    assert client is not None

    class Dead:
        def is_alive(self) -> bool:
            return False

        def join(self) -> None:
            pass

    monkeypatch.setattr(client, "_thread", Dead())
    assert following(school) == LineDown("line.fault")
    assert following(school) == LineUp()


def test_an_exception_in_a_callback_ends_that_connection_only(
    place: Place, started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub, school = started(place.client("hub")), started(place.client(SCHOOL, ACK))
    assert (following(hub), following(school)) == (LineUp(), LineUp())

    class Broken(SimpleQueue[LineEvent]):
        def put(self, item: LineEvent, block: bool = True, timeout: float | None = None) -> None:
            raise RuntimeError

    assert school._connection is not None
    monkeypatch.setattr(school._connection, "_events", Broken())
    hub.publish(ACK, b"poison")
    assert following(school) == LineDown("line.fault")
    # QoS 1: the broker has no acknowledgement of that message and brings it again.
    events = {following(school), following(school)}
    assert LineUp() in events


def test_a_line_on_which_nothing_is_acknowledged_is_given_up(
    place: Place, started: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mqtt, "STUCK_S", 1.0)
    school = started(place.client(SCHOOL, ACK))
    assert following(school) == LineUp()
    place.line.silence()
    handover = school.publish(UP, b"into the void")
    assert handover is not None
    assert not handover.done
    assert following(school) == LineDown("line.stuck")
    place.line.cut()
    place.line.restore()
    while following(school) != LineUp():
        pass


def test_a_broker_of_another_authority_is_not_believed(place: Place, started: Start) -> None:
    stranger = Authority.make("stranger", make_key(), NOW)
    school = started(place.client(SCHOOL, ACK, trust=pem(stranger.certificate)))
    assert following(school) == LineDown("line.tls")
    with pytest.raises(Empty):
        school.events.get(timeout=1)


@pytest.mark.parametrize("answer", ["Not authorized", "Granted QoS 1"])
def test_a_refused_subscription_ends_the_connection(answer: str) -> None:
    # The broker here grants every subscription and keeps the messages to itself; others refuse.
    events: SimpleQueue[LineEvent] = SimpleQueue()
    connection = mqtt._Connection((ACK,), events)
    connection._on_subscribe(
        Client(CallbackAPIVersion.VERSION2), None, 1, [ReasonCode(PacketTypes.SUBACK, answer)], None
    )
    assert connection._over.is_set() == (answer == "Not authorized")
    assert connection.was_up == (answer != "Not authorized")
    if connection._over.is_set():
        assert connection._code == "line.subscription"


def test_a_port_where_nobody_listens_is_unreachable(place: Place, started: Start) -> None:
    school = place.client(SCHOOL)
    school._address = Address("localhost", free_port())
    assert following(started(school)) == LineDown("line.unreachable")


def test_a_flood_waits_outside_until_there_is_room_and_loses_nothing(place: Place, started: Start) -> None:
    hub, school = started(place.client("hub")), started(place.client(SCHOOL, ACK))
    assert (following(hub), following(school)) == (LineUp(), LineUp())
    count = 10 * mqtt.MOST_WAITING
    for number in range(count):
        assert hub.publish(ACK, number.to_bytes(2) + bytes(2_000)) is not None
    time.sleep(1)
    assert 0 < school.events.qsize() <= mqtt.MOST_WAITING
    came = [following(school) for _ in range(count)]
    assert [int.from_bytes(one.payload[:2]) for one in came if isinstance(one, Arrived)] == list(range(count))


def test_a_line_that_is_left_in_the_middle_of_a_flood_ends_at_once(place: Place, started: Start) -> None:
    hub, school = started(place.client("hub")), place.client(SCHOOL, ACK)
    school.start()
    assert (following(hub), following(school)) == (LineUp(), LineUp())
    assert school._connection is not None
    client = school._connection._client
    assert client is not None
    reading = client._thread
    for number in range(3 * mqtt.MOST_WAITING):
        hub.publish(ACK, number.to_bytes(2))
    end = time.monotonic() + 10
    while school.events.qsize() < mqtt.MOST_WAITING:
        assert time.monotonic() < end
        time.sleep(0.01)
    school.stop()
    assert not school._thread.is_alive()
    assert reading is not None
    assert not reading.is_alive()


def test_a_packet_that_is_larger_than_allowed_ends_the_connection_before_it_is_here(tmp_path: Path) -> None:
    events: SimpleQueue[LineEvent] = SimpleQueue()
    connection = mqtt._Connection((), events)
    client = connection._client = Client(CallbackAPIVersion.VERSION2)
    assert not connection._is_oversize()
    client._in_packet["have_remaining"], client._in_packet["remaining_length"] = 1, mqtt.MAX_PACKET_BYTES
    assert not connection._is_oversize()
    client._in_packet["remaining_length"] += 1
    assert connection._is_oversize()
    assert events.empty()
