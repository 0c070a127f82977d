"""``syncd``: the only program of the box that reaches the hub. It never ends because the hub is away."""

import signal
import sys
import threading
import time

from appliance.clock import SystemClock
from appliance.config import CredentialSource, Settings, credential_path, load_settings, settings_paths
from appliance.errors import MadoguchiError
from appliance.log import EventLog, start_logging
from appliance.notify import Notifier
from appliance.programs.syncd.replication import Replication
from appliance.services.device_keys import DeviceKeys
from appliance.services.enrolment import EnrolmentStore
from appliance.services.founding import DATABASE_KEY
from appliance.services.opening import OpenBox, open_box
from appliance.sync.enrolment import EnrolmentBundle
from appliance.sync.governor import Governor
from appliance.sync.mqtt import Address, MqttLine, Will
from appliance.sync.tls import line_tls
from appliance.sync.wire import Lane, State, pack, topic

LINE_KEY = "line.key"
ENROLMENT_POLL_S = 1.0
PATIENCE_S = 0.0
"""Nobody stands before it: what cannot be written now comes again, and the watchdog is fed in between."""


def main() -> int:
    """Runs until SIGTERM or SIGINT. Returns 0, or 2 if it could not start."""
    log = EventLog("syncd")
    try:
        settings = load_settings(settings_paths())
        start_logging(settings.box.log_level)
        box = open_box(settings.box.state_dir, CredentialSource(DATABASE_KEY), DeviceKeys(), SystemClock(), PATIENCE_S)
        governor = Governor(settings.sync.lesson_hours, settings.sync.lesson_days, settings.sync.cap_kbit_s)
        with box.database:
            Syncd(settings, box, governor, log).serve()
    except MadoguchiError as error:  # a ConfigError, or a disk that cannot be written
        log.error("syncd.failed", code=error.code)
        print(f"syncd: {error}", file=sys.stderr)  # noqa: T201 - the settings, and with them the log, may be what failed
        return 2
    return 0


class Syncd:
    """Waits for the box to be enrolled, replicates, and begins again when the enrolment changes, or the ledger."""

    def __init__(self, settings: Settings, box: OpenBox, governor: Governor, log: EventLog) -> None:
        self._settings, self._box = settings, box
        self._governor, self._log = governor, log
        self._enrolment = EnrolmentStore(box.database)
        self._notifier = Notifier()
        self._alive_s = 0.0
        self._stopping = threading.Event()

    def serve(self) -> None:
        """Waits for an enrolment, then replicates, until a signal ends it."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopping.set())
        self._notifier.ready()
        self._log.info("syncd.ready")
        while not self._stopping.is_set():
            bundle = self._found(None)
            if bundle is None:
                self._alive()
                self._stopping.wait(ENROLMENT_POLL_S)
            else:
                self._replicate(bundle)
        self._notifier.stopping()
        self._log.info("syncd.ended")

    def _replicate(self, bundle: EnrolmentBundle) -> None:
        line = make_line(bundle, self._box)
        replication = Replication(self._box, bundle, line=line, governor=self._governor, log=self._log)
        line.start()
        looked_s = time.monotonic()
        while not self._stopping.is_set():
            replication.step()
            self._alive()
            if self._is_over(replication):
                self._log.info("sync.generation_changed")
                break
            if time.monotonic() - looked_s > ENROLMENT_POLL_S:
                looked_s = time.monotonic()
                if self._found(bundle) != bundle:
                    self._log.info("sync.enrolment_changed")
                    break
        line.stop()

    def _is_over(self, replication: Replication) -> bool:
        try:
            return replication.over
        except MadoguchiError as error:  # of the database: the step before has said so, or the next one will
            self._log.error("sync.fault", code=error.code)
            return False

    def _found(self, otherwise: EnrolmentBundle | None) -> EnrolmentBundle | None:
        try:
            return self._enrolment.find()
        except MadoguchiError as error:
            self._log.error("sync.fault", code=error.code)
            return otherwise

    def _alive(self) -> None:
        interval_s = self._notifier.interval_s
        if interval_s is not None and time.monotonic() - self._alive_s >= interval_s:
            self._alive_s = time.monotonic()
            self._notifier.alive()


def make_line(bundle: EnrolmentBundle, box: OpenBox) -> MqttLine:
    """The line of this box; when it breaks, the broker says for the box that it is gone."""
    school, head = box.school.code, box.ledger.head()
    tls = line_tls(bundle.authority.encode(), bundle.certificate.encode(), credential_path(LINE_KEY))
    gone = State(False, head.size, head.cosigned_size, box.clock.now_ms())
    return MqttLine(
        Address(bundle.host, bundle.port),
        tls,
        client_id=school,
        subscriptions=(topic(school, Lane.ACK), topic(school, Lane.DOWN)),
        will=Will(topic(school, Lane.STATE), pack(gone)),
    )


if __name__ == "__main__":
    sys.exit(main())
