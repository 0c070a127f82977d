"""Both lanes of a box: its ledger to the hub, the hub's feed to the box. One thread owns everything here."""

from datetime import datetime
from queue import Empty

from appliance.errors import Field, MadoguchiError, UntrustedError
from appliance.ledger.keys import VerifyingKey
from appliance.ledger.rollback import LaterHead
from appliance.ledger.verify import Batch
from appliance.log import EventLog
from appliance.programs.syncd.probing import Probing
from appliance.programs.syncd.renewing import Renewing
from appliance.services.opening import OpenBox
from appliance.services.rollback import Rollback
from appliance.store.mirror import MirrorLedger
from appliance.store.signal import SignalStore
from appliance.sync.enrolment import EnrolmentBundle
from appliance.sync.governor import Governor
from appliance.sync.incoming import Incoming
from appliance.sync.mqtt import Arrived, LineDown, LineEvent, LineUp, MqttLine, Rejected
from appliance.sync.outgoing import Outgoing
from appliance.sync.ports import Happening, Mirroring, Overtaken, Receipt, Refused, Sent
from appliance.sync.renewal import RenewalAnswer, RenewalRequest
from appliance.sync.wire import Ack, Lane, MalformedError, Refusal, State, pack, parse_topic, topic, unpack
from appliance.throttle import Throttled

SIGNAL = "sync"
POLL_S = 0.05
TICK_MS = 50
SAY_EVERY_MS = 30_000
STEP_MS = 5_000
STATE_AFTER_MS = 1_000
BEGIN_AGAIN_MS = 5_000
ANSWER_EVERY_MS = 1_000
"""To bytes that are no message: a flood of them is not answered by another one."""
HARMLESS = frozenset({"sync.replayed", "sync.gap"})
"""Refusals that repair a lost answer; the others stay on the staff's page until a batch is confirmed."""


class Replication:
    """Call ``step`` again and again from one thread, until it is ``over``."""

    def __init__(
        self,
        box: OpenBox,
        bundle: EnrolmentBundle,
        *,
        line: MqttLine,
        governor: Governor,
        log: EventLog,
    ) -> None:
        self._box, self._school, self._line, self._log = box, box.school.code, line, log
        self._fault = Throttled(log.error)  # a disk that is broken fails at every look, and may be where the log goes
        self._warn = Throttled(log.warning)  # and whoever is hostile decides how often something is refused
        self._signals = SignalStore(box.database)
        self._rollback = Rollback(box)
        self._own = Outgoing(
            box.ledger,
            VerifyingKey.from_pem(bundle.hub_key.encode()),
            publish=lambda payload: line.publish(topic(self._school, Lane.UP), payload),
            governor=governor,
            clock=box.clock,
            observe=self._happened,
        )
        self._feed = Incoming(
            MirrorLedger.find(box.database, bundle.feed_origin),
            box.school.origin,
            lambda: box.ledger.signing_key,
            publish=lambda payload: line.publish(topic(self._school, Lane.UP), payload),
            clock=box.clock,
            observe=self._happened,
        )
        self._probing = Probing(box.database, self._school, line=line, governor=governor, clock=box.clock, log=log)
        self._renewing = Renewing(box, bundle, publish=self._ask_for_renewal, log=log)
        self._version = box.database.data_version()
        self._connected = False
        self._since_ms = box.clock.now_ms()
        self._sent_entries = self._sent_bytes = 0
        self._error: str | None = None
        self._refused: str | None = None
        self._confirmed_ms: int | None = None
        self._said: dict[str, Field] = {}
        self._said_ms = self._ticked_ms = -SAY_EVERY_MS
        self._said_at_ms = 0
        self._stated: tuple[int, int] | None = None
        self._unstated_ms: int | None = None
        self._later: LaterHead | None = None
        self._overtaken_ms: int | None = None
        self._begin_ms = 0
        self._answered_ms = -ANSWER_EVERY_MS

    @property
    def over(self) -> bool:
        """Whether another ledger is to be sent from now on: a new generation has begun, here or in another program."""
        return self._box.school.origin != self._own.origin

    def step(self) -> None:
        """Waits for an event at most ``POLL_S`` and handles it; then looks after what the box has written."""
        try:
            event = self._line.events.get(timeout=POLL_S)
        except Empty:
            event = None
        try:
            if event is not None:
                self._handle(event)
            self._begin_generation()
            self._look()
        except MadoguchiError as error:
            # A full disk or a busy database ends nothing: what is not stored is not confirmed, and comes again.
            self._fault("sync.fault", code=error.code)

    def _handle(self, event: LineEvent) -> None:
        match event:
            case LineUp():
                self._log.info("sync.connected")
                self._connected, self._since_ms, self._error, self._stated = True, self._box.clock.now_ms(), None, None
                self._state()
                self._own.connected()
            case LineDown(code):
                self._log.warning("sync.disconnected", code=code)
                if self._connected:
                    self._since_ms = self._box.clock.now_ms()
                self._connected, self._error = False, code
                self._own.disconnected()
            case Rejected(reason):
                self._log.error("sync.rejected", reason=reason)
            case Arrived(where, payload):
                self._arrived(where, payload)

    def _arrived(self, where: str, payload: bytes) -> None:
        try:
            school, lane = parse_topic(where)
            if school != self._school:
                raise MalformedError(reason="topic")
            if lane is Lane.PROBE:
                self._probing.arrived(payload)
                return
            message = unpack(payload)
        except UntrustedError as error:
            self._warn("sync.refused", code=error.code, here=True)
            now_ms = self._box.clock.monotonic_ms()
            if where == topic(self._school, Lane.DOWN) and now_ms - self._answered_ms >= ANSWER_EVERY_MS:
                self._answered_ms = now_ms
                self._feed.refuse(error.code)
            return
        match message:
            case Ack() | Refusal() if lane is Lane.ACK:
                self._own.receive(message)
            case RenewalAnswer() if lane is Lane.ACK:
                self._renewing.receive(message)
            case Batch() if lane is Lane.DOWN:
                # What the hub cannot verify yet would look to it like a forgery; it asks again.
                if self._box.ledger.keys.newest.change < self._own.cosigned:
                    self._feed.receive(message)
            case _:
                self._warn("sync.refused", code=MalformedError.code, here=True)

    def _look(self) -> None:
        version = self._box.database.data_version()
        if version != self._version:
            self._own.look()
            self._version = version  # only now: what could not be looked at is looked at again
        now_ms = self._box.clock.monotonic_ms()
        if now_ms - self._ticked_ms >= TICK_MS:
            self._ticked_ms = now_ms
            self._own.tick()
        self._probing.look(connected=self._connected, pending=self._own.size - self._own.cosigned)
        self._renewing.look(connected=self._connected)
        self._state()
        self._say()

    def _ask_for_renewal(self, request: RenewalRequest) -> bool:
        return self._line.publish(topic(self._school, Lane.UP), pack(request)) is not None

    def _happened(self, happening: Happening) -> None:
        match happening:
            case Sent(origin, first, last, size):
                self._log.info("sync.sent", first=first, last=last, bytes=size)
                if origin == self._own.origin:
                    # What went lately counts most, so that the estimate follows the kind of records.
                    self._sent_entries = self._sent_entries // 2 + last - first
                    self._sent_bytes = self._sent_bytes // 2 + size
            case Receipt(_, size):
                self._log.info("sync.confirmed", size=size)
                self._confirmed_ms, self._refused = self._box.clock.now_ms(), None
            case Mirroring(_, first, last):
                self._log.info("feed.stored", first=first, last=last)
            case Refused(origin, code, here):
                self._warn("sync.refused", code=code, here=here, feed=origin == self._feed.origin)
                if origin != self._feed.origin and code not in HARMLESS:
                    self._refused = code
            case Overtaken(_, later):
                head = later.head
                if self._later is None or self._later.head != head:
                    self._log.error("sync.overtaken", origin=head.origin, size=head.size, own=self._own.size)
                    self._begin_ms = 0
                self._later = later

    def _begin_generation(self) -> None:
        """The database is an older copy: the ledger goes on in a new generation as soon as one may begin."""
        now_ms = self._box.clock.monotonic_ms()
        if self._later is None or now_ms < self._begin_ms:
            return
        self._begin_ms = now_ms + BEGIN_AGAIN_MS
        origin = self._rollback.answer(self._later)
        if origin is not None:
            self._log.warning("generation.begun", origin=origin, entries=self._box.ledger.head().size)
            self._later = self._overtaken_ms = None
        elif self._overtaken_ms is None:
            self._overtaken_ms = self._box.clock.now_ms()
            self._log.error("generation.waits")

    def _state(self) -> None:
        """Tells the hub how much is pending: at once when nothing is, else when it has stayed so for a moment.

        So an ordinary visit costs one such message, and the last word of a box that leaves is true.
        """
        now_ms = self._box.clock.monotonic_ms()
        sizes = (self._own.size, self._own.cosigned)
        if not self._connected or sizes == self._stated:
            self._unstated_ms = None
            return
        if self._unstated_ms is None:
            self._unstated_ms = now_ms
        pending = sizes[0] - sizes[1]
        if self._stated is not None and pending and now_ms - self._unstated_ms < STATE_AFTER_MS:
            return
        state = State(True, *sizes, self._box.clock.now_ms())
        if self._line.publish(topic(self._school, Lane.STATE), pack(state), retain=True) is not None:
            self._stated, self._unstated_ms = sizes, None

    def _say(self) -> None:
        """Tells the box's other programs; a word at least every ``SAY_EVERY_MS``, so that silence means something."""
        decision, now_ms, term = self._own.decision, self._box.clock.monotonic_ms(), self._renewing.term
        word: dict[str, Field] = {
            "connected": self._connected,
            "since_ms": self._since_ms,
            "error": self._error,
            "refused": self._refused,
            "sent_size": self._own.sent_size,
            "cosigned_size": self._own.cosigned,
            "confirmed_ms": self._confirmed_ms,
            "reason": None if decision is None else decision.reason.value,
            "rate_bit_s": None if decision is None else decision.rate_bit_s,
            "until_ms": None if decision is None or decision.until is None else _ms(decision.until),
            "bytes_an_entry": self._sent_bytes // self._sent_entries if self._sent_entries else None,
            "certificate_due_ms": None if term is None else term.due_ms,
            "certificate_until_ms": None if term is None else term.until_ms,
            "overtaken_ms": self._overtaken_ms,
        }
        lasted_ms, at_ms = now_ms - self._said_ms, self._box.clock.now_ms()
        # A clock that was set makes the last word look old, or still to come: it is said again under the new time.
        stepped = abs(at_ms - self._said_at_ms - lasted_ms) > STEP_MS
        if word == self._said and lasted_ms < SAY_EVERY_MS and not stepped:
            return
        self._signals.write(SIGNAL, word, at_ms)
        self._said, self._said_ms, self._said_at_ms = word, now_ms, at_ms


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
