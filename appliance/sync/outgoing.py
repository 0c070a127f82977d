"""Sends one ledger of this side: carries out what ``replica.Sender`` decides, with a real ledger and a real line.

Runs in the thread that owns it and never blocks on the line.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from appliance.clock import Clock
from appliance.errors import MadoguchiError
from appliance.ledger.generation import is_later
from appliance.ledger.keys import VerifyingKey
from appliance.ledger.rollback import Claim, verify_later_head
from appliance.ledger.verify import Batch, Sealed
from appliance.sync.governor import Decision, Governor
from appliance.sync.ports import Delivery, Observe, Overtaken, OwnedLedger, Publish, Receipt, Refused, Sent
from appliance.sync.replica import (
    AckReceived,
    Appended,
    Confirm,
    Confirmed,
    Connected,
    Disconnected,
    Handed,
    RefusalReceived,
    SendBatch,
    Sender,
    SenderEvent,
    Tick,
)
from appliance.sync.wire import Ack, OversizeError, Refusal, pack

PER_ENTRY_BYTES = 16
"""Salt of each body, and what the columns need: for estimating a batch before it is packed."""


class Outgoing:
    """Sends one ledger of this side until ``peer`` has confirmed it all; ``peer`` is its key, or what gives the newest
    one that is known."""

    def __init__(
        self,
        ledger: OwnedLedger,
        peer: VerifyingKey | Callable[[], VerifyingKey],
        *,
        publish: Publish,
        governor: Governor,
        clock: Clock,
        observe: Observe,
    ) -> None:
        self._ledger, self._publish = ledger, publish
        self._peer: Callable[[], VerifyingKey] = (lambda: peer) if isinstance(peer, VerifyingKey) else peer
        self._governor, self._clock, self._observe = governor, clock, observe
        head = ledger.head()
        self._sender = Sender(head.size, head.cosigned_size)
        self._delivery: Delivery | None = None
        self.sent_size = head.cosigned_size
        self.decision: Decision | None = None

    @property
    def origin(self) -> str:
        return self._ledger.origin

    @property
    def size(self) -> int:
        return self._sender.size

    @property
    def cosigned(self) -> int:
        return self._sender.cosigned

    def connected(self) -> None:
        self._delivery = None
        self._handle(Connected())

    def disconnected(self) -> None:
        self._delivery = None
        self._handle(Disconnected())

    def look(self) -> None:
        """Looks for entries that were appended since; cheap, to be called when the database changed."""
        size = self._ledger.head().size
        if size > self._sender.size:
            self._handle(Appended(size))

    def tick(self) -> None:
        """To be called several times a second."""
        self._handle(Tick())

    def receive(self, message: Ack | Refusal) -> None:
        """An answer of the other side about this ledger; a receipt may be of another generation of it."""
        if isinstance(message, Refusal):
            self._observe(Refused(self.origin, message.code, here=False))
            self._handle(RefusalReceived(message))
        elif is_later(self.origin, than=message.origin):
            return  # the other side has not heard of this generation yet, and of the earlier one it may well be true
        elif not self._is_overtaken(message):
            self._handle(AckReceived(message))

    def _is_overtaken(self, ack: Ack) -> bool:
        """Whether the receipt proves that this ledger is an older copy, or is no proof and no receipt either."""
        if ack.root is None:
            return False
        ledger, claim = self._ledger, Claim(ack.origin, ack.checkpoint, ack.cosignature, ack.root)
        try:
            size = ledger.head().size
            later = verify_later_head(claim, ledger.origin, size, ledger.root_at, ledger.keys, self._peer())
        except MadoguchiError as error:
            self._observe(Refused(self.origin, error.code, here=True))
            return True
        if later is not None:
            self._observe(Overtaken(self.origin, later))
        return later is not None

    def _handle(self, event: SenderEvent) -> None:
        for command in self._sender.handle(event, self._clock.monotonic_ms()):
            match command:
                case SendBatch(first, last):
                    self._send(first, last)
                case Confirm(ack):
                    self._confirm(ack)

    def _confirm(self, ack: Ack) -> None:
        try:
            confirmed = self._ledger.confirm(ack.checkpoint, ack.cosignature, self._peer())
        except MadoguchiError as error:
            # Forged, of a tree that this side never had, or no room to store it: it is asked for again.
            self._observe(Refused(self.origin, error.code, here=True))
            return
        if confirmed.size > self._sender.cosigned:
            self._observe(Receipt(self.origin, confirmed.size))
        self._handle(Confirmed(confirmed.size))

    def _send(self, first: int, last: int) -> None:
        if self._delivery is not None and not self._delivery.done:
            return  # the line is still busy with the one before; the sender asks again after its timeout
        batch, decision = self._batch(first, last)
        self.decision = decision
        try:
            payload = pack(batch)
        except OversizeError as error:
            self._observe(Refused(self.origin, error.code, here=True))
            return
        self._delivery = self._publish(payload)
        if self._delivery is None:
            return
        self.sent_size = first + len(batch.items)
        self._observe(Sent(self.origin, first, self.sent_size, len(payload)))
        free_at_ms = self._clock.monotonic_ms()
        if decision.rate_bit_s is not None:
            free_at_ms += 8_000 * len(payload) // decision.rate_bit_s
        self._handle(Handed(free_at_ms))

    def _batch(self, first: int, last: int) -> tuple[Batch, Decision]:
        """As many entries from ``first`` on as the governor lets go at once."""
        now = datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).astimezone()
        head = self._ledger.head()
        items: list[Sealed] = []
        weight, decision = 0, self._governor.decide(now, 0)
        for item in self._ledger.items(first, last):
            weight += _estimate(item)
            if weight > decision.batch_bytes:
                decision = self._governor.decide(now, weight)
                if weight > decision.batch_bytes and items:
                    break
            items.append(item)
        size = first + len(items)
        signed = (head.checkpoint if size == head.size else None) or self._ledger.checkpoint_at(size)
        # Read last: whatever key has signed by now is among them.
        unknown = tuple(one.succession for one in self._ledger.keys.periods[1:] if one.change >= first)
        return Batch(self.origin, first, tuple(items), signed, unknown), decision


def _estimate(item: Sealed) -> int:
    return len(item.entry) + PER_ENTRY_BYTES + (0 if item.body is None else len(item.body.content))
