"""``hub serve``: ingest in this process, the page and the enrolment endpoint each in one of its own."""

import signal
import subprocess
import sys
import threading
import time

from appliance.clock import SystemClock
from appliance.config import credential_path, read_credential
from appliance.errors import ConfigError
from appliance.ledger.keys import SigningKey
from appliance.log import EventLog
from appliance.notify import Notifier
from appliance.programs.hub.founding import CLIENT_NAME
from appliance.programs.hub.ingest import SUBSCRIPTIONS, Ingest
from appliance.programs.hub.renewal import Renewals
from appliance.programs.hub.revocation import CutOff
from appliance.programs.hub.settings import AUTHORITY_FILE, FAMILIES, HUB_KEY, LINE_FILE, LINE_KEY, HubSettings
from appliance.store.database import Database
from appliance.store.migrate import migrate
from appliance.sync.mqtt import Address, MqttLine
from appliance.sync.tls import line_tls

PAGE_PAUSE_S = 5.0


class NotFoundedError(ConfigError):
    """The certificates of the hub are not there; ``appliance hub init`` makes them."""

    code = "hub.not_founded"


def serve(settings: HubSettings, database: Database) -> None:
    """Runs until SIGTERM or SIGINT; raises ``ConfigError`` if it cannot begin."""
    log, notifier = EventLog("hub"), Notifier()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    migrate(database, FAMILIES)
    line = make_line(settings)
    key = SigningKey.from_pem(read_credential(HUB_KEY))
    clock = SystemClock()
    cut_off = CutOff(settings, database, clock, log)
    ingest = Ingest(
        database,
        key,
        settings.hub.name,
        line=line,
        clock=clock,
        log=log,
        cut_off=cut_off,
        renew=Renewals(settings, database, clock),
    )
    line.start()
    children = [Child(log, "page")]
    if settings.enrolment.port:
        children.append(Child(log, "endpoint"))
    notifier.ready()
    log.info("hub.ready", page=settings.page.port)
    alive_s = 0.0
    while not stopping.is_set():
        ingest.step()
        cut_off.keep()
        for child in children:
            child.keep()
        if notifier.interval_s is not None and time.monotonic() - alive_s >= notifier.interval_s:
            alive_s = time.monotonic()
            notifier.alive()
    notifier.stopping()
    line.stop()
    for child in children:
        child.stop()
    log.info("hub.ended")


class Child:
    """A process beside this one, the page's or the endpoint's: started, and started again some time after it ended."""

    def __init__(self, log: EventLog, command: str) -> None:
        self._log, self._command = log, command
        self._process: subprocess.Popen[bytes] | None = None
        self._next_s = 0.0

    def keep(self) -> None:
        """Starts it if it does not run; called again and again."""
        if self._process is not None and self._process.poll() is not None:
            self._log.error(f"hub.{self._command}_ended", status=self._process.returncode)
            self._process = None
        if self._process is None and time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + PAGE_PAUSE_S
            command = [sys.executable, "-I", "-m", "appliance.programs.hub", self._command]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE)

    def stop(self) -> None:
        """Ends it, by force if it takes longer than ``PAGE_PAUSE_S``."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(PAGE_PAUSE_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        if self._process.stdin is not None:
            self._process.stdin.close()


def make_line(settings: HubSettings) -> MqttLine:
    """The hub's own end of the line; raises ``NotFoundedError`` or ``LineIdentityError``."""
    folder = settings.hub.state_dir
    try:
        authority, certificate = (folder / AUTHORITY_FILE).read_bytes(), (folder / LINE_FILE).read_bytes()
    except OSError as error:
        raise NotFoundedError(path=str(folder)) from error
    tls = line_tls(authority, certificate, credential_path(LINE_KEY))
    address = Address(settings.broker.host, settings.broker.port)
    return MqttLine(address, tls, client_id=CLIENT_NAME, subscriptions=SUBSCRIPTIONS)
