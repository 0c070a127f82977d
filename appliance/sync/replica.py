"""How a ledger gets to the other side: events go in, commands come out, nothing else happens here.

``Sender`` offers a ledger from the last confirmed size on, one batch at a time, until a confirmation of the other
side is stored. ``Receiver`` decides what is stored and what is answered. Both sides of the line run both: the box
sends its ledger and receives the hub's feed, the hub the other way round.

Nothing is ever given up: there is no limit of age, number or attempts. Whatever gets lost, doubled or out of order on
the way, the sizes put it right: a batch that is already there is answered with the receipt that may have been lost,
one that does not fit with the size to go on from.
"""

from dataclasses import dataclass, replace

from appliance.errors import Field, MadoguchiError, UntrustedError
from appliance.ledger.checkpoint import cosign
from appliance.ledger.generation import is_later
from appliance.ledger.keys import SignatureError, SigningKey
from appliance.ledger.merkle import Frontier
from appliance.ledger.order import OrderError
from appliance.ledger.signers import Pinned
from appliance.ledger.verify import (
    Batch,
    GapError,
    OriginError,
    ReplayedError,
    RootError,
    VerifiedBatch,
    verify_batch,
)
from appliance.sync.wire import Ack, Refusal

MAX_ENTRIES = 1_000
FIRST_TIMEOUT_MS = 4_000
LONGEST_TIMEOUT_MS = 120_000


@dataclass(frozen=True, slots=True)
class Connected:
    """The line is up; whatever was on its way before may be lost."""


@dataclass(frozen=True, slots=True)
class Disconnected:
    pass


@dataclass(frozen=True, slots=True)
class Appended:
    """The own ledger now holds ``size`` entries."""

    size: int


@dataclass(frozen=True, slots=True)
class Handed:
    """The batch was handed to the line; the next one may go from ``free_at_ms`` on."""

    free_at_ms: int


@dataclass(frozen=True, slots=True)
class AckReceived:
    ack: Ack


@dataclass(frozen=True, slots=True)
class RefusalReceived:
    refusal: Refusal


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A confirmation of everything below ``size`` was verified and stored."""

    size: int


@dataclass(frozen=True, slots=True)
class Tick:
    """Time has passed."""


@dataclass(frozen=True, slots=True)
class SendBatch:
    """Send entries from ``first`` up to at most, not including, ``last``; fewer if they are big."""

    first: int
    last: int


@dataclass(frozen=True, slots=True)
class Confirm:
    """Verify this receipt against the own tree and store it, then say ``Confirmed``."""

    ack: Ack


SenderEvent = Connected | Disconnected | Appended | Handed | AckReceived | RefusalReceived | Confirmed | Tick
SenderCommand = SendBatch | Confirm


class Sender:
    """Offers the entries from ``cosigned`` to ``size``. Times are milliseconds of any clock that never steps back."""

    def __init__(self, size: int, cosigned: int) -> None:
        self.size = size
        self.cosigned = cosigned
        self._next = cosigned
        self._connected = False
        self._waiting_until: int | None = None  # a batch is on its way, or was refused and goes again then
        self._free_at_ms = 0
        self._failures = 0

    @property
    def pending(self) -> int:
        """Entries that the other side has not confirmed."""
        return self.size - self.cosigned

    def handle(self, event: SenderEvent, now_ms: int) -> list[SenderCommand]:
        """What to do now; ``now_ms`` is of a clock that never steps back."""
        match event:
            case Connected():
                self._connected, self._waiting_until, self._failures = True, None, 0
            case Disconnected():
                self._connected, self._waiting_until = False, None
            case Appended(size):
                self.size = max(self.size, size)
            case Handed(free_at_ms):
                self._free_at_ms = free_at_ms
                return []
            case AckReceived(ack):
                return [Confirm(ack)]
            case RefusalReceived(refusal):
                return self._refused(refusal, now_ms)
            case Confirmed(size):
                self._confirmed(size)
            case Tick():
                if self._waiting_until is not None and now_ms >= self._waiting_until:
                    self._waiting_until = None
                    self._failures += 1
        return self._offer(now_ms)

    def _offer(self, now_ms: int) -> list[SenderCommand]:
        if not self._connected or self._waiting_until is not None or now_ms < self._free_at_ms:
            return []
        if self._next >= self.size:
            return []
        self._waiting_until = now_ms + self._timeout_ms()
        return [SendBatch(self._next, min(self.size, self._next + MAX_ENTRIES))]

    def _confirmed(self, size: int) -> None:
        self.cosigned = max(self.cosigned, size)
        if size > self._next:  # else a late double of an older receipt, while something newer is on its way
            self._next, self._waiting_until, self._failures = size, None, 0

    def _refused(self, refusal: Refusal, now_ms: int) -> list[SenderCommand]:
        confirm: list[SenderCommand] = [] if refusal.ack is None else [Confirm(refusal.ack)]
        if self._waiting_until is None:
            return confirm  # of something that is long settled, or that somebody else sent
        self._failures += 1
        wanted = refusal.wanted
        if wanted is not None and wanted != self._next and wanted <= self.size:
            self._next = wanted
            # The first time at once; a peer that keeps asking for other sizes gets them at a measured pace.
            if self._failures == 1:
                self._waiting_until = None
                return [*confirm, *self._offer(now_ms)]
        if refusal.ack is None:
            self._waiting_until = now_ms + self._timeout_ms()
        return confirm

    def _timeout_ms(self) -> int:
        # Bounded before shifting: failures may count up for weeks.
        return min(FIRST_TIMEOUT_MS << min(self._failures, 16), LONGEST_TIMEOUT_MS)


@dataclass(frozen=True, slots=True)
class Mirrored:
    """What the mirror holds at the moment: its right edge, the time of its last entry and the last receipt given."""

    frontier: Frontier
    last_time_ms: int
    last_ack: Ack | None

    def repeated(self) -> Ack | None:
        """The last receipt with the root of what it confirms: proof for a sender that has lost that tree."""
        return None if self.last_ack is None else replace(self.last_ack, root=self.frontier.root())


@dataclass(frozen=True, slots=True)
class BatchReceived:
    batch: Batch
    mirrored: Mirrored


@dataclass(frozen=True, slots=True)
class Stored:
    """The verified batch and its cosignature are durable."""

    ack: Ack


@dataclass(frozen=True, slots=True)
class NotStored:
    """The database could not take it; nothing was kept of it."""

    code: str


@dataclass(frozen=True, slots=True)
class Store:
    """Make the batch durable together with ``ack.cosignature``, then say ``Stored``."""

    batch: VerifiedBatch
    ack: Ack


@dataclass(frozen=True, slots=True)
class Answer:
    """Send this to the other side."""

    message: Ack | Refusal


ReceiverEvent = BatchReceived | Stored | NotStored
ReceiverCommand = Store | Answer


class Receiver:
    """Takes the batches of one ledger from the side that owns it, with the keys ``peer`` that are known so far, and
    cosigns as ``name`` what was stored."""

    def __init__(self, origin: str, peer: Pinned, name: str, key: SigningKey) -> None:
        self._origin, self._peer, self._name, self._key = origin, peer, name, key

    def handle(self, event: ReceiverEvent, now_s: int) -> list[ReceiverCommand]:
        """``now_s`` is the wall clock in seconds since 1970: what the cosignature says."""
        match event:
            case BatchReceived(batch, mirrored):
                return self._judge(batch, mirrored, now_s)
            case Stored(ack):
                return [Answer(ack)]
            case NotStored(code):
                return [Answer(Refusal(self._origin, code))]

    def _judge(self, batch: Batch, mirrored: Mirrored, now_s: int) -> list[ReceiverCommand]:
        try:
            verified = verify_batch(batch, self._origin, mirrored.frontier, mirrored.last_time_ms, self._peer)
        except UntrustedError as error:
            repeated = mirrored.repeated() if self._is_put_back(error, batch) else None
            again: list[ReceiverCommand] = [] if repeated is None else [Answer(repeated)]
            return [Answer(self._refusal(error, mirrored)), *again]
        cosignature = cosign(verified.checkpoint, self._name, now_s, self._key)
        return [Store(verified, Ack(self._origin, verified.checkpoint.cose, cosignature))]

    def _is_put_back(self, error: MadoguchiError, batch: Batch) -> bool:
        """Whether it looks as if the sender's ledger is an older copy that went on for itself."""
        if isinstance(error, OriginError):
            return is_later(self._origin, than=batch.origin)
        return isinstance(error, RootError | SignatureError | OrderError)

    def _refusal(self, error: MadoguchiError, mirrored: Mirrored) -> Refusal:
        if not isinstance(error, GapError | ReplayedError):
            return Refusal(self._origin, error.code)
        wanted: Field = error.fields.get("wanted")
        return Refusal(self._origin, error.code, wanted if isinstance(wanted, int) else None, mirrored.last_ack)
