"""The line to the broker: the only module that knows paho. MQTT 5 over TLS 1.3, persistent session, QoS 1.

The broker's acknowledgement says nothing about the other side, so it is used for one thing only: not to put more on
the line than it carries. A connection is never mended: when it ends, by itself or because the library's thread died
or nothing is acknowledged any more, its client is thrown away with all that it had queued, and a new one is built.
What is still to be sent is known by the ledgers.
"""

import random
import socket
import ssl
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from paho.mqtt.client import Client, MQTTMessage, MQTTMessageInfo
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from appliance.sync.wire import MAX_MESSAGE_BYTES

KEEPALIVE_S = 20
SESSION_S = 0xFFFFFFFF
"""The session never expires (MQTT 5 section 3.1.2.11.2): weeks offline are normal."""
STUCK_S = 60.0
CHECK_S = 0.5
FIRST_WAIT_S, LONGEST_WAIT_S = 0.5, 5.0
OPENING_S = 30.0
STOP_S = 3.0
MOST_WAITING = 64
"""Messages that came and are not handled yet; with more the socket is left alone, and the other side has to wait."""
ROOM_POLL_S = 0.002
MAX_PACKET_BYTES = MAX_MESSAGE_BYTES + 1024
"""Of MQTT, around a message of ours."""


@dataclass(frozen=True, slots=True)
class LineUp:
    """Connected, and all subscriptions are in place."""


@dataclass(frozen=True, slots=True)
class LineDown:
    """``code``: ``line.unreachable``, ``line.tls``, ``line.refused``, ``line.subscription``, ``line.lost``,
    ``line.stuck``, ``line.oversize`` or ``line.fault``. Said when the line goes down and when the reason changes."""

    code: str


@dataclass(frozen=True, slots=True)
class Arrived:
    topic: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Rejected:
    """The broker did not let a message through; ``reason`` is MQTT 5's name for it."""

    reason: str


LineEvent = LineUp | LineDown | Arrived | Rejected


@dataclass(frozen=True, slots=True)
class Address:
    host: str
    port: int


@dataclass(frozen=True, slots=True)
class Will:
    """What the broker publishes, retained, when this side is gone."""

    topic: str
    payload: bytes


class Handover:
    """A message that was handed to the line."""

    def __init__(self, info: MQTTMessageInfo) -> None:
        self._info = info
        self.since_s = time.monotonic()

    @property
    def done(self) -> bool:
        """Whether the broker acknowledged it."""
        return self._info.is_published()


class MqttLine:
    """Connects, stays connected, and puts what happens into ``events``; the threads here do nothing else.

    ``client_id`` must be the name in the certificate: the broker insists on it.
    """

    def __init__(
        self,
        address: Address,
        tls: ssl.SSLContext,
        *,
        client_id: str,
        subscriptions: tuple[str, ...],
        will: Will | None = None,
    ) -> None:
        self._address, self._tls, self._client_id = address, tls, client_id
        self._subscriptions, self._will = subscriptions, will
        self.events: SimpleQueue[LineEvent] = SimpleQueue()
        self._connection: _Connection | None = None
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="line", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Leaves in order: the broker publishes the will."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(STOP_S)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, kept: bool = True) -> Handover | None:
        """Hands a message to the line; None if it is down, and then it is forgotten.

        Without ``kept`` the broker may forget it as well (QoS 0): for what is worth nothing later.
        """
        connection = self._connection
        return None if connection is None else connection.publish(topic, payload, retain, 1 if kept else 0)

    def listen(self, topic: str) -> None:
        """Subscribes to one topic more for as long as the connection lasts; where the broker does not allow it,
        nothing comes, and that is all."""
        connection = self._connection
        if connection is not None:
            connection.listen(topic)

    def _run(self) -> None:
        wait_s, told = FIRST_WAIT_S, ""
        while not self._stopping.is_set():
            # Known before it is opened: who hears that the line is up may publish at once.
            connection = self._connection = _Connection(self._subscriptions, self.events)
            code = connection.open(self._client(), self._address)
            if code is None:
                code = connection.watch(self._stopping)
            self._connection = None
            connection.close(leave=self._stopping.is_set())
            if connection.was_up:
                wait_s, told = FIRST_WAIT_S, ""
            if code != told:
                self.events.put(LineDown(code))
                told = code
            # Boxes that lost the same broker must not come back in step. No secret depends on this.
            self._stopping.wait(wait_s * random.uniform(0.5, 1.0))  # noqa: S311
            wait_s = min(2 * wait_s, LONGEST_WAIT_S)

    def _client(self) -> Client:
        client = Client(
            CallbackAPIVersion.VERSION2,
            client_id=self._client_id,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
            manual_ack=True,
        )
        client.tls_set_context(self._tls)
        if self._will is not None:
            client.will_set(self._will.topic, self._will.payload, qos=1, retain=True)
        return client


class _Connection:
    """One client of the library from its birth to its end."""

    def __init__(self, subscriptions: tuple[str, ...], events: "SimpleQueue[LineEvent]") -> None:
        self._subscriptions, self._events = subscriptions, events
        self._client: Client | None = None
        self._over = threading.Event()
        self._code = "line.lost"
        self._waiting: deque[Handover] = deque()
        self._open_s = time.monotonic()
        self.was_up = False

    def open(self, client: Client, address: Address) -> str | None:
        """Connects; returns the reason if that failed."""
        client.on_connect = self._guarded(self._on_connect)
        client.on_subscribe = self._guarded(self._on_subscribe)
        client.on_message = self._guarded(self._on_message)
        client.on_publish = self._guarded(self._on_publish)
        client.on_disconnect = self._guarded(self._on_disconnect)
        client.on_socket_open = self._guarded(self._on_socket_open)
        self._client = client
        properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]  # the library left it untyped
        properties.SessionExpiryInterval = SESSION_S
        properties.MaximumPacketSize = MAX_PACKET_BYTES
        try:
            client.connect(address.host, address.port, KEEPALIVE_S, clean_start=False, properties=properties)
        except ssl.SSLError:
            return "line.tls"
        except (OSError, ValueError):
            return "line.unreachable"
        client.loop_start()
        return None

    def listen(self, topic: str) -> None:
        client = self._client
        if client is not None and self.was_up and client.is_connected():
            client.subscribe(topic, 0)

    def publish(self, topic: str, payload: bytes, retain: bool, qos: int) -> Handover | None:
        client = self._client
        if client is None or self._over.is_set() or not client.is_connected():
            return None
        info = client.publish(topic, payload, qos=qos, retain=retain)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            self._over.set()
            return None
        handover = Handover(info)
        self._waiting.append(handover)
        return handover

    def watch(self, stopping: threading.Event) -> str:
        """Returns the reason when the connection is over or ``stopping`` is set."""
        while not self._over.wait(CHECK_S) and not stopping.is_set():
            while self._waiting and self._waiting[0].done:
                self._waiting.popleft()
            now_s = time.monotonic()
            # The library has no public way to ask for its thread; ``is_connected`` stays true when that died.
            thread = None if self._client is None else self._client._thread
            if thread is None or not thread.is_alive():
                return "line.fault"
            if self._is_oversize():
                return "line.oversize"
            if self._waiting and now_s - self._waiting[0].since_s > STUCK_S:
                return "line.stuck"
            if not self.was_up and now_s - self._open_s > OPENING_S:
                return "line.stuck"
        return self._code

    def _is_oversize(self) -> bool:
        """Whether a packet is coming in that nobody was allowed to send: the library would collect all of it."""
        incoming = None if self._client is None else self._client._in_packet
        return bool(incoming and incoming["have_remaining"] and incoming["remaining_length"] > MAX_PACKET_BYTES)

    def close(self, leave: bool) -> None:
        client, self._client = self._client, None
        if client is None:
            return
        if leave and client.is_connected():
            client.disconnect(ReasonCode(PacketTypes.DISCONNECT, "Disconnect with will message"))
            self._over.wait(1.0)
        found = client.socket()
        if isinstance(found, socket.socket):
            # Without this the library's thread would wait for acknowledgements that never come.
            try:
                found.shutdown(socket.SHUT_RDWR)
            except OSError:
                self._over.set()  # it had ended by itself
        # Its thread may wait for room that nobody will make any more, and is waited for now.
        self._over.set()
        client.loop_stop()

    def _guarded(self, callback: Callable[..., None]) -> Callable[..., None]:
        # An exception in a callback would end the library's thread without a word.
        def guarded(*arguments: Any) -> None:
            try:
                callback(*arguments)
            except Exception:  # noqa: BLE001 - whatever it is, this connection is over and the next one begins clean
                self._end("line.fault")

        return guarded

    def _end(self, code: str) -> None:
        if not self._over.is_set():
            self._code = code
            self._over.set()

    def _on_socket_open(self, _: Client, __: object, opened: Any) -> None:
        # Messages are small and answered at once: waiting for more to send along costs 40 ms each way.
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def _on_connect(self, client: Client, _: object, __: object, reason: ReasonCode, ___: object) -> None:
        if reason.is_failure:
            self._end("line.refused")
        elif self._subscriptions:
            client.subscribe([(topic, 1) for topic in self._subscriptions])
        else:
            self._up()

    def _on_subscribe(self, _: Client, __: object, ___: int, reasons: list[ReasonCode], ____: object) -> None:
        if self.was_up:
            return  # of a topic more, which may be missing
        if any(reason.is_failure for reason in reasons):
            self._end("line.subscription")
        else:
            self._up()

    def _up(self) -> None:
        self.was_up = True
        self._events.put(LineUp())

    def _on_message(self, client: Client, _: object, message: MQTTMessage) -> None:
        if len(message.payload) > MAX_PACKET_BYTES:
            self._end("line.oversize")
            return
        while self._events.qsize() >= MOST_WAITING and not self._over.is_set():
            time.sleep(ROOM_POLL_S)
        self._events.put(Arrived(message.topic, bytes(message.payload)))
        # Only now: what could not be taken over is brought again by the broker.
        client.ack(message.mid, message.qos)

    def _on_publish(self, _: Client, __: object, ___: int, reason: ReasonCode, ____: object) -> None:
        if reason.is_failure:
            self._events.put(Rejected(str(reason)))

    def _on_disconnect(self, _: Client, __: object, ___: object, ____: ReasonCode, _____: object) -> None:
        self._end("line.lost")
