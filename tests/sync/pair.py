"""Both ends of a lane, and a line between them that a test holds in its hands."""

from collections.abc import Callable

from appliance.errors import UntrustedError
from appliance.ledger.keys import SigningKey
from appliance.ledger.verify import Batch
from appliance.sync.governor import Governor
from appliance.sync.incoming import Incoming
from appliance.sync.outgoing import Outgoing
from appliance.sync.ports import Happening, Refused
from appliance.sync.wire import Ack, Refusal, unpack
from tests.sim.clock import ManualClock
from tests.sync.memory import MemoryMirror, MemoryOwn

BOX, HUB = SigningKey.make(), SigningKey.make()


class Taken:
    done = True


class Pair:
    """A box's end and the hub's end, and what is on its way between them."""

    def __init__(self, governor: Governor | None = None) -> None:
        self.clock = ManualClock()
        self.own, self.mirror = MemoryOwn(BOX), MemoryMirror(BOX.public)
        self.up: list[bytes] = []
        self.back: list[bytes] = []
        self.connected = False
        self.told: list[Happening] = []
        self.incoming = self.make_incoming()
        self.outgoing = Outgoing(
            self.own,
            HUB.public,
            publish=self._into(lambda: self.up),
            governor=governor or Governor((), (), 0),
            clock=self.clock,
            observe=self.told.append,
        )

    def make_incoming(self) -> Incoming:
        publish = self._into(lambda: self.back)
        return Incoming(self.mirror, "hub.test", HUB, publish=publish, clock=self.clock, observe=self.told.append)

    def _into(self, queue: Callable[[], list[bytes]]) -> Callable[[bytes], Taken | None]:
        def publish(payload: bytes) -> Taken | None:
            if not self.connected:
                return None
            queue().append(payload)
            return Taken()

        return publish

    def connect(self) -> None:
        self.connected = True
        self.outgoing.connected()

    def disconnect(self) -> None:
        self.connected = False
        self.up.clear()
        self.back.clear()
        self.outgoing.disconnected()

    def append(self, count: int, bytes_each: int = 8) -> None:
        self.own.append(count, bytes_each)
        self.outgoing.look()

    def take_up(self, at: int = 0) -> None:
        if self.up:
            self.arrive(self.up.pop(at % len(self.up)))

    def arrive(self, payload: bytes) -> None:
        """At the hub."""
        try:
            message = unpack(payload)
        except UntrustedError as error:
            self.incoming.refuse(error.code)
            return
        if isinstance(message, Batch):
            self.incoming.receive(message)

    def take_back(self, at: int = 0) -> None:
        if not self.back:
            return
        try:
            message = unpack(self.back.pop(at % len(self.back)))
        except UntrustedError:
            return
        if isinstance(message, Ack | Refusal):
            self.outgoing.receive(message)

    def wait(self, ms: int) -> None:
        self.clock.advance(ms)
        self.outgoing.tick()

    def settle(self, step_ms: int = 500) -> int:
        """Lets a good line do its work; returns how long it took on the clock, in milliseconds."""
        begin = self.clock.uptime_ms
        for _ in range(2_000):
            while self.up or self.back:
                self.take_up()
                self.take_back()
            if self.own.cosigned == len(self.own.entries):
                return self.clock.uptime_ms - begin
            self.wait(step_ms)
        raise AssertionError("the ledgers never agreed")

    def codes(self) -> list[str]:
        return [one.code for one in self.told if isinstance(one, Refused)]
