"""When the line is measured: one night in the week, each school at its own minute, or when staff ask for it.

Never in lesson hours and never while records wait to be sent: both would be worse off, and the figure too.
"""

import os
import zlib
from datetime import UTC, datetime

from appliance.clock import Clock
from appliance.errors import Field, MadoguchiError
from appliance.log import EventLog
from appliance.services.line import PATIENCE_MS, PROBE_SIGNAL, WANTED_SIGNAL, Measuring
from appliance.store.database import Database
from appliance.store.line import LineSample, LineStore
from appliance.store.signal import SignalStore
from appliance.sync.governor import Governor, Reason
from appliance.sync.mqtt import MqttLine
from appliance.sync.probe import MOST_BYTES, NONCE_BYTES, Chunk, Probe
from appliance.sync.wire import Lane, topic

EVERY_MS = 6 * 86_400_000 + 43_200_000
"""Six days and a half: the clock may be set back an hour, and the night is still the same."""
NIGHT_MINUTES = 300
"""From midnight on, local time; the minute follows from the school's code, so that a prefecture does not measure all
its schools at once."""
AGAIN_MS = 1_800_000
LOOK_MS = 1_000
ANY_BACKLOG = 1 << 40


class Probing:
    """Call ``look`` several times a second and ``arrived`` with what comes on the lane ``probe``."""

    def __init__(
        self, database: Database, school: str, *, line: MqttLine, governor: Governor, clock: Clock, log: EventLog
    ) -> None:
        self._line, self._governor, self._clock, self._log = line, governor, clock, log
        self._store, self._signals = LineStore(database), SignalStore(database)
        self._topic = topic(school, Lane.PROBE)
        self._minute = zlib.crc32(school.encode()) % NIGHT_MINUTES
        self._probe: Probe | None = None
        self._wanted_ms: int | None = None
        self._looked_ms = -LOOK_MS
        self._again_ms = 0

    def look(self, *, connected: bool, pending: int) -> None:
        """Begins a measurement where one is due, and ends the one that runs."""
        now_ms = self._clock.monotonic_ms()
        if self._probe is not None:
            if not connected:
                self._end(Measuring.OFFLINE)
            else:
                self._publish(self._probe.tick(now_ms))
                if self._probe.over:
                    self._end(Measuring.FAILED)
            return
        if now_ms - self._looked_ms < LOOK_MS:
            return
        self._looked_ms = now_ms
        wanted = self._signals.read(WANTED_SIGNAL)
        if wanted is not None and wanted.at_ms != self._wanted_ms:
            self._wanted_ms = wanted.at_ms
            if abs(self._clock.now_ms() - wanted.at_ms) < PATIENCE_MS:
                self._begin(connected, pending)
        elif connected and not pending and now_ms >= self._again_ms and self._is_due():
            self._again_ms = now_ms + AGAIN_MS
            self._begin(connected, pending)

    def arrived(self, payload: bytes) -> None:
        """Something came back."""
        if self._probe is not None:
            self._publish(self._probe.echo(payload, self._clock.monotonic_ms()))

    def _is_due(self) -> bool:
        latest, now = self._store.latest(), self._now()
        if latest is not None and 0 <= self._clock.now_ms() - latest.at_ms < EVERY_MS:
            return False
        return self._minute <= now.hour * 60 + now.minute < NIGHT_MINUTES

    def _begin(self, connected: bool, pending: int) -> None:
        if not connected:
            self._say(Measuring.OFFLINE)
        elif self._governor.decide(self._now(), ANY_BACKLOG).reason is Reason.LESSONS:
            self._say(Measuring.LESSONS)
        elif pending:
            self._say(Measuring.BUSY)
        else:
            self._say(Measuring.RUNNING)
            self._log.info("line.measuring")
            self._line.listen(self._topic)
            self._probe = Probe(os.urandom(NONCE_BYTES), os.urandom(MOST_BYTES))
            self._publish(self._probe.begin(self._clock.monotonic_ms()))

    def _publish(self, chunks: list[Chunk]) -> None:
        for chunk in chunks:
            self._line.publish(self._topic, chunk.payload, kept=False)

    def _end(self, otherwise: Measuring) -> None:
        probe, self._probe = self._probe, None
        found = None if probe is None else probe.result
        if found is None or otherwise is Measuring.OFFLINE:
            self._log.warning("line.not_measured", state=otherwise.value)
            self._say(otherwise)
            return
        self._log.info("line.measured", bit_s=found.bit_s, rtt_ms=found.rtt_ms, bytes=found.total_bytes)
        try:
            self._store.add(LineSample(self._clock.now_ms(), found.bit_s, found.rtt_ms, found.total_bytes))
        except MadoguchiError:
            self._say(Measuring.FAILED)
            raise
        self._say(Measuring.DONE)

    def _say(self, state: Measuring) -> None:
        word: dict[str, Field] = {"state": state.value, "wanted_ms": self._wanted_ms}
        self._signals.write(PROBE_SIGNAL, word, self._clock.now_ms())

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now_ms() / 1000, UTC).astimezone()
