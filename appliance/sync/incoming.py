"""Mirrors one ledger of the other side: carries out what ``replica.Receiver`` decides, with a real ledger and line."""

from appliance.clock import Clock
from appliance.errors import MadoguchiError
from appliance.ledger.keys import SigningKey
from appliance.ledger.verify import Batch, VerifiedBatch
from appliance.sync.ports import MirroredLedger, Mirroring, Observe, Publish, Refused
from appliance.sync.replica import Answer, BatchReceived, Mirrored, NotStored, Receiver, ReceiverEvent, Store, Stored
from appliance.sync.wire import Ack, Refusal, pack


class Incoming:
    """Mirrors one ledger of the other side and answers every batch, with a receipt or with the reason why not.

    ``name`` is what this side's cosignatures are signed as.
    """

    def __init__(
        self,
        ledger: MirroredLedger,
        name: str,
        key: SigningKey,
        *,
        publish: Publish,
        clock: Clock,
        observe: Observe,
    ) -> None:
        self._ledger, self._publish, self._clock, self._observe = ledger, publish, clock, observe
        self._receiver = Receiver(ledger.origin, ledger.public_key, name, key)

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
            mirrored = self._mirrored()
        except MadoguchiError as error:
            self.refuse(error.code)
            return
        self._handle(BatchReceived(batch, mirrored))

    def refuse(self, code: str) -> None:
        """Answers bytes that were not even a batch of this ledger."""
        self._answer(Refusal(self.origin, code))

    def repeat(self) -> None:
        """Says the last receipt once more, with its root: to a sender that seems to know another one."""
        repeated = self._mirrored().repeated()
        if repeated is not None:
            self._answer(repeated)

    def _mirrored(self) -> Mirrored:
        head, given = self._ledger.head(), self._ledger.latest_confirmation()
        last_ack = None if given is None else Ack(self.origin, given.checkpoint, given.cosignature)
        return Mirrored(self._ledger.frontier(), head.last_time_ms, last_ack)

    def _handle(self, event: ReceiverEvent) -> None:
        for command in self._receiver.handle(event, self._clock.now_ms() // 1000):
            match command:
                case Store(batch, ack):
                    self._handle(self._store(batch, ack))
                case Answer(message):
                    self._answer(message)

    def _store(self, batch: VerifiedBatch, ack: Ack) -> Stored | NotStored:
        try:
            self._ledger.store(batch, ack.cosignature, self._clock.now_ms())
        except MadoguchiError as error:
            return NotStored(error.code)
        self._observe(Mirroring(self.origin, batch.first, batch.frontier.size))
        return Stored(ack)

    def _answer(self, message: Ack | Refusal) -> None:
        # With the line down the answer is lost; the sender asks again, and gets it then.
        self._publish(pack(message))
        if isinstance(message, Refusal):
            self._observe(Refused(message.origin, message.code, here=True))
