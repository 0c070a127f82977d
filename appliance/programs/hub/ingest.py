"""Takes what all boxes send, mirrors it, and sends each its feed. One thread owns everything here."""

from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty

from appliance.clock import Clock
from appliance.errors import MadoguchiError, UntrustedError
from appliance.ledger.generation import is_later
from appliance.ledger.keys import SigningKey
from appliance.ledger.verify import Batch
from appliance.log import EventLog
from appliance.programs.hub.registry import AdmittedSchool, Registry
from appliance.programs.hub.revocation import Revocations
from appliance.programs.hub.succession import Successions
from appliance.store.database import Database
from appliance.store.ledger import OwnLedger
from appliance.store.mirror import MirrorLedger
from appliance.sync.governor import Governor
from appliance.sync.incoming import Incoming
from appliance.sync.mqtt import Arrived, LineDown, LineEvent, LineUp, MqttLine, Rejected
from appliance.sync.outgoing import Outgoing
from appliance.sync.ports import Happening, KeyChanged, Mirroring, Overtaken, Receipt, Refused, Sent
from appliance.sync.renewal import RenewalAnswer, RenewalRequest
from appliance.sync.wire import Ack, Lane, MalformedError, Refusal, State, pack, parse_topic, topic, unpack
from appliance.throttle import Throttled

POLL_S = 0.1
TICK_MS = 200
SEEN_EVERY_MS = 5_000
REVOKED = "hub.revoked"
"""The word by which a box learns that it is shut out."""
SUBSCRIPTIONS = (topic("+", Lane.UP), topic("+", Lane.STATE))
UNLIMITED = Governor((), (), 0)
"""The hub's own line is no school's line."""


@dataclass
class Counterpart:
    """One school: its box's ledger ``origin`` as mirrored here, and the feed that goes there."""

    code: str
    origin: str
    incoming: Incoming
    feed: Outgoing
    online: bool = False
    seen_ms: int = 0


class Ingest:
    """Call ``step`` again and again from one thread."""

    def __init__(
        self,
        database: Database,
        key: SigningKey,
        name: str,
        *,
        line: MqttLine,
        clock: Clock,
        log: EventLog,
        cut_off: Callable[[str], None] | None = None,
        renew: Callable[[str, RenewalRequest], RenewalAnswer] | None = None,
    ) -> None:
        self._database, self._key, self._name = database, key, name
        self._registry, self._successions = Registry(database), Successions(database)
        self._line, self._clock, self._log = line, clock, log
        self._fault = Throttled(log.error)
        self._schools: dict[str, Counterpart] = {}
        self._version = database.data_version()
        self._ticked_ms = 0
        self._cut_off: Callable[[str], None] = cut_off or (lambda _: None)
        self._renew = renew
        self._revocations = Revocations(database)
        self._revoked = self._revocations.schools()
        self._registry.note_all_offline()
        self._look_for_schools()

    def step(self) -> None:
        """Waits for an event at most ``POLL_S`` and handles it; then looks after what time brings."""
        try:
            event = self._line.events.get(timeout=POLL_S)
        except Empty:
            event = None
        try:
            if event is not None:
                self._handle(event)
            self._tick()
        except MadoguchiError as error:
            # A full disk or a busy database: what was not stored is not answered, so the box sends it again.
            self._fault("hub.fault", code=error.code)

    def _handle(self, event: LineEvent) -> None:
        match event:
            case LineUp():
                self._log.info("hub.connected")
            case LineDown(code):
                self._log.warning("hub.disconnected", code=code)
                for school in self._schools.values():
                    school.online = False
                    school.feed.disconnected()
                self._registry.note_all_offline()
            case Rejected(reason):
                self._log.warning("hub.rejected", reason=reason)
            case Arrived(where, payload):
                self._arrived(where, payload)

    def _arrived(self, where: str, payload: bytes) -> None:
        code, lane = parse_topic(where)
        school = self._schools.get(code)
        if school is None:
            self._look_for_schools()
            school = self._schools.get(code)
        if school is None:
            self._log.warning("hub.unknown_school", school=code)
            return
        if code in self._revoked:
            self._shut_out(school, lane)
            return
        try:
            message = unpack(payload)
        except MalformedError as error:
            if lane is Lane.UP:
                school.incoming.refuse(error.code)
            self._refused(school.code, error.code)
            return
        match message:
            case State() if lane is Lane.STATE:
                self._state(school, message)
            case Batch() if lane is Lane.UP:
                self._seen(school)
                self._batch(school, message)
            case Ack() | Refusal() if lane is Lane.UP:
                self._seen(school)
                school.feed.receive(message)
            case RenewalRequest() if lane is Lane.UP and self._renew is not None:
                answer = self._renew(school.code, message)
                self._log.info("hub.renewal", school=school.code, code=answer.code or None)
                self._line.publish(topic(school.code, Lane.ACK), pack(answer))
            case _:
                self._refused(school.code, MalformedError.code)

    def _shut_out(self, school: Counterpart, lane: Lane) -> None:
        """Whatever a revoked box says, it hears only that it is revoked, and its session ends."""
        self._go_offline(school)
        if lane is Lane.UP:
            school.incoming.refuse(REVOKED)
        self._cut_off(school.code)

    def _look_for_revoked(self) -> None:
        before, self._revoked = self._revoked, self._revocations.schools()
        for code in sorted(self._revoked - before):
            self._log.warning("hub.revoked", school=code)
            if code in self._schools:
                self._schools[code].incoming.refuse(REVOKED)  # so that its staff learn why before the session ends
                self._go_offline(self._schools[code])
            self._cut_off(code)

    def _batch(self, school: Counterpart, batch: Batch) -> None:
        if is_later(batch.origin, than=school.origin):
            try:
                taken = self._successions.take(batch, school.origin, self._clock.now_ms())
            except UntrustedError as error:
                self._log.warning("hub.no_succession", school=school.code, code=error.code)
            else:
                self._log.error(
                    "hub.forked",
                    school=school.code,
                    origin=taken.origin,
                    before=taken.before,
                    mirrored=taken.mirrored,
                    closed_size=taken.closed_size,
                    carried=taken.carried,
                )
                online, feed = school.online, school.feed  # the same box on the same line
                self._add(self._registry.school(school.code))
                school = self._schools[school.code]
                school.online, school.feed = online, feed
        school.incoming.receive(batch)

    def _state(self, school: Counterpart, state: State) -> None:
        if not state.online:
            self._go_offline(school)  # the will was written when the box connected: its sizes are old
            return
        if not school.online:
            self._log.info("school.online", school=school.code, pending=state.size - state.cosigned)
            school.online = True
            school.feed.connected()
        if state.cosigned != school.incoming.size:
            # An answer that was lost, or a box whose database was put back: it may have nothing to send and be told so.
            school.incoming.repeat()
        self._registry.note_state(school.code, state, self._clock.now_ms())

    def _go_offline(self, school: Counterpart) -> None:
        # A feed is sent to boxes that are there; for others the broker would only pile it up.
        was_online, school.online = school.online, False
        school.feed.disconnected()
        if was_online:
            self._log.info("school.offline", school=school.code)
            self._registry.note_offline(school.code)

    def _seen(self, school: Counterpart) -> None:
        now_ms = self._clock.now_ms()
        if abs(now_ms - school.seen_ms) > SEEN_EVERY_MS:
            school.seen_ms = now_ms
            self._registry.note_seen(school.code, now_ms)

    def _tick(self) -> None:
        now_ms = self._clock.monotonic_ms()
        if now_ms - self._ticked_ms < TICK_MS:
            return
        self._ticked_ms = now_ms
        version = self._database.data_version()
        changed = version != self._version
        if changed:
            self._look_for_revoked()
            self._look_for_schools()
        for school in self._schools.values():
            if changed:
                school.feed.look()
            school.feed.tick()
        self._version = version  # only now: what could not be looked at is looked at again

    def _look_for_schools(self) -> None:
        for code in self._registry.codes():
            known, school = self._schools.get(code), self._registry.school(code)
            if known is None or known.origin != school.box_origin:  # or its box goes on in a new generation
                self._add(school)

    def _add(self, school: AdmittedSchool) -> None:
        code = school.code
        feed = OwnLedger.find(self._database, school.feed_origin).attach(self._key, self._clock)
        mirror = MirrorLedger.find(self._database, school.box_origin)

        def observe(happening: Happening) -> None:
            self._happened(code, happening)

        self._schools[code] = Counterpart(
            code,
            school.box_origin,
            Incoming(
                mirror,
                self._name,
                self._key,
                publish=lambda payload: self._line.publish(topic(code, Lane.ACK), payload),
                clock=self._clock,
                observe=observe,
            ),
            Outgoing(
                feed,
                lambda: mirror.public_key,
                publish=lambda payload: self._line.publish(topic(code, Lane.DOWN), payload),
                governor=UNLIMITED,
                clock=self._clock,
                observe=observe,
            ),
        )

    def _happened(self, code: str, happening: Happening) -> None:
        match happening:
            case Mirroring(origin, first, last):
                self._log.info("hub.stored", school=code, first=first, last=last)
                self._check_branch(code, origin, first)
            case KeyChanged(_, size, key_id):
                self._log.info("hub.device_key_changed", school=code, size=size, key=key_id.hex())
            case Refused(_, why, here=True):
                self._refused(code, why)
            case Refused(_, why):
                self._log.warning("feed.refused", school=code, code=why)
            case Sent(_, first, last, size):
                self._log.info("feed.sent", school=code, first=first, last=last, bytes=size)
            case Receipt(_, size):
                self._log.info("feed.confirmed", school=code, size=size)
            case Overtaken(origin, later):
                self._log.error("feed.overtaken", school=code, origin=origin, size=later.head.size)

    def _check_branch(self, code: str, origin: str, first: int) -> None:
        if first == 0:
            self._successions.note_admitted(code, origin, self._clock.now_ms())
        checked = self._successions.check(origin)
        if checked is not None:
            self._log.warning("hub.branch", school=code, origin=origin, branch=checked.branch)

    def _refused(self, code: str, why: str) -> None:
        self._log.warning("hub.refused", school=code, code=why)
        self._registry.note_refusal(code, why, self._clock.now_ms())
