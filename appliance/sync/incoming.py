"""Mirrors one ledger of the other side: carries out what ``replica.Receiver`` decides, with a real ledger and line."""

from collections.abc import Callable

from appliance.clock import Clock
from appliance.errors import MadoguchiError
from appliance.ledger.checkpoint import Checkpoint, claimed_signer, claimed_size, cosign
from appliance.ledger.keys import SigningKey
from appliance.ledger.verify import Batch, VerifiedBatch
from appliance.sync.ports import KeyChanged, MirroredLedger, Mirroring, Observe, Publish, Refused
from appliance.sync.replica import Answer, BatchReceived, Mirrored, NotStored, Receiver, ReceiverEvent, Store, Stored
from appliance.sync.wire import Ack, Refusal, pack


class Incoming:
    """Mirrors one ledger of the other side and answers every batch, with a receipt or with the reason why not.

    ``name`` is what this side's cosignatures are signed as, ``key`` the key for them, or what gives the present one.
    """

    def __init__(
        self,
        ledger: MirroredLedger,
        name: str,
        key: SigningKey | Callable[[], SigningKey],
        *,
        publish: Publish,
        clock: Clock,
        observe: Observe,
    ) -> None:
        self._ledger, self._publish, self._clock, self._observe = ledger, publish, clock, observe
        self._name = name
        self._key: Callable[[], SigningKey] = (lambda: key) if isinstance(key, SigningKey) else key

    @property
    def origin(self) -> str:
        return self._ledger.origin

    @property
    def size(self) -> int:
        """How many entries are mirrored."""
        return self._ledger.head().size

    def receive(self, batch: Batch) -> None:
        """A batch of the other side, verified, stored, and only then answered."""
        try:
            key = self._key()
            receiver = Receiver(self.origin, self._ledger.keys, self._name, key)
            mirrored = self._mirrored(key)
        except MadoguchiError as error:
            self.refuse(error.code)
            return
        self._handle(receiver, BatchReceived(batch, mirrored))

    def refuse(self, code: str) -> None:
        """Answers bytes that were not even a batch of this ledger."""
        self._answer(Refusal(self.origin, code))

    def repeat(self) -> None:
        """Says the last receipt once more, with its root: to a sender that seems to know another one."""
        repeated = self._mirrored(self._key()).repeated()
        if repeated is not None:
            self._answer(repeated)

    def _mirrored(self, key: SigningKey) -> Mirrored:
        head, given, frontier = self._ledger.head(), self._ledger.latest_confirmation(), self._ledger.frontier()
        if given is None:
            return Mirrored(frontier, head.last_time_ms, None)
        cosignature = given.cosignature
        if claimed_signer(cosignature) != key.public.key_id:
            # This side's key has changed since, and the other side believes the new one only.
            size, now_s = claimed_size(cosignature), self._clock.now_ms() // 1000
            confirmed = Checkpoint(self.origin, self.origin, size, frontier.root(), now_s, given.checkpoint)
            cosignature = cosign(confirmed, self._name, now_s, key)
        return Mirrored(frontier, head.last_time_ms, Ack(self.origin, given.checkpoint, cosignature))

    def _handle(self, receiver: Receiver, event: ReceiverEvent) -> None:
        for command in receiver.handle(event, self._clock.now_ms() // 1000):
            match command:
                case Store(batch, ack):
                    self._handle(receiver, self._store(batch, ack))
                case Answer(message):
                    self._answer(message)

    def _store(self, batch: VerifiedBatch, ack: Ack) -> Stored | NotStored:
        try:
            self._ledger.store(batch, ack.cosignature, self._clock.now_ms())
        except MadoguchiError as error:
            return NotStored(error.code)
        self._observe(Mirroring(self.origin, batch.first, batch.frontier.size))
        for period in batch.periods:
            self._observe(KeyChanged(self.origin, period.size, period.key.key_id))
        return Stored(ack)

    def _answer(self, message: Ack | Refusal) -> None:
        # With the line down the answer is lost; the sender asks again, and gets it then.
        self._publish(pack(message))
        if isinstance(message, Refusal):
            self._observe(Refused(message.origin, message.code, here=True))
