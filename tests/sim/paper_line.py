"""A line without a network: a test reads what was published and says what arrives."""

from dataclasses import dataclass, field
from queue import SimpleQueue

from appliance.sync.mqtt import Handover, LineEvent, MqttLine
from appliance.sync.wire import Message, unpack


class Delivered(Handover):
    """Acknowledged at once."""

    def __init__(self) -> None:
        self.since_s = 0.0

    @property
    def done(self) -> bool:
        return True


@dataclass
class Paper:
    """One published message."""

    topic: str
    message: Message
    retain: bool


@dataclass
class PaperLine(MqttLine):
    """Put events into ``events``; ``published`` is what the other side would have got, ``filler`` what the
    broker would send back to those who listen."""

    events: SimpleQueue[LineEvent] = field(default_factory=SimpleQueue)
    published: list[Paper] = field(default_factory=list)
    filler: list[bytes] = field(default_factory=list)
    listened: list[str] = field(default_factory=list)
    up: bool = True

    def listen(self, topic: str) -> None:
        self.listened.append(topic)

    def publish(self, topic: str, payload: bytes, *, retain: bool = False, kept: bool = True) -> Handover | None:
        if not self.up:
            return None
        if not kept:
            self.filler.append(payload)
            return Delivered()
        self.published.append(Paper(topic, unpack(payload), retain))
        return Delivered()

    def take(self) -> list[Paper]:
        """What was published since the last call."""
        taken, self.published = self.published, []
        return taken
