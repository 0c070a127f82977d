"""The kiosk: one process, one worker, loopback only."""

import os
import sys
from pathlib import Path

from flask import Flask

from appliance.card.ipc import CardClient
from appliance.clock import SystemClock
from appliance.config import CredentialSource, Settings, load_settings, settings_paths
from appliance.errors import ConfigError, MadoguchiError
from appliance.log import EventLog, start_logging
from appliance.notify import Notifier, keep_alive
from appliance.programs.kiosk.conductor import Conductor
from appliance.programs.kiosk.flow import Flow
from appliance.programs.kiosk.reader import ReaderReport
from appliance.programs.kiosk.views import make_blueprint, statement_lines
from appliance.services.check_in import CheckIn
from appliance.services.device_keys import DeviceKeys
from appliance.services.enrolment import EnrolmentStore
from appliance.services.founding import DATABASE_KEY
from appliance.services.opening import open_box
from appliance.store.cards import CardStore
from appliance.store.evidence import EvidenceStore
from appliance.store.signal import SignalStore
from appliance.store.visits import VisitStore
from appliance.trust.anchors import Anchor, parse_anchors
from appliance.trust.policy import card_policy
from appliance.web.catalogue import MESSAGES, Catalogue
from appliance.web.serve import Server
from appliance.web.site import make_site

LANGUAGE = "ja"
CARD_SOCKET = "card.sock"
ANCHOR_FILES = ("*.pem", "*.crt", "*.cer")
LOG = EventLog("kiosk")


def read_anchors(folder: Path) -> list[Anchor]:
    """All anchors that the prefecture provided as files in the folder of trust."""
    files = [file for pattern in ANCHOR_FILES for file in sorted(folder.glob(pattern))]
    return [anchor for file in files for anchor in parse_anchors(file.read_bytes())]


def make_kiosk(settings: Settings) -> Flask:
    """Builds everything in the worker: threads and database connections do not survive a fork."""
    clock = SystemClock()
    box = open_box(settings.box.state_dir, CredentialSource(DATABASE_KEY), DeviceKeys(), clock)
    box.room.restore()
    enrolment = EnrolmentStore(box.database)

    def verifier_key() -> bytes | None:
        found = enrolment.find()
        return None if found is None else found.evidence_key

    check_in = CheckIn(
        box,
        CardStore(box.database),
        VisitStore(box.database),
        EvidenceStore(box.database),
        read_anchors(settings.box.trust_dir),
        card_policy(allow_test_cards=settings.reader.allow_test_cards),
        verifier_key,
    )
    sentences, socket = Catalogue(MESSAGES), settings.box.run_dir / CARD_SOCKET
    report = ReaderReport(SignalStore(box.database), box.room, clock.now_ms)
    conductor = Conductor(
        Flow(LANGUAGE, settings.kiosk.idle_s * 1000, settings.kiosk.grace_s * 1000),
        session=CardClient(socket),
        watcher=CardClient(socket),
        check_in=check_in,
        lines=lambda language, linking, ms: statement_lines(sentences, box.school, language, linking, ms),
        now_ms=clock.now_ms,
        log=LOG,
        on_reader=report.see,
        fault=lambda: report.fault,
    )
    report.start(lambda: conductor.left_s)
    conductor.start()
    site = make_site(
        __package__ or "appliance.programs.kiosk",
        (make_blueprint(conductor, check_in, box.school),),
        secret_key=os.urandom(32),
        trusted_hosts=("127.0.0.1", "localhost"),
        https=False,
        authorise=refuse,
        sentences=sentences,
        log=LOG,
    )
    notifier = Notifier()
    keep_alive(notifier, lambda: conductor.alive and report.alive)
    notifier.ready()
    LOG.info("kiosk.ready", port=settings.kiosk.port)
    return site


def refuse() -> None:
    """Every view of the kiosk is marked public one by one; whatever is not, is nobody's."""
    raise MadoguchiError(reason="not public")


def main() -> int:
    """Serves until it is told to end; 2 if settings or credentials are wrong."""
    start_logging("info")  # until the settings say otherwise: they may be what is wrong
    try:
        settings = load_settings(settings_paths())
        start_logging(settings.box.log_level)
        bind = f"127.0.0.1:{settings.kiosk.port}"
        Server(lambda: make_kiosk(settings), LOG, bind=bind, workers=1, proc_name="kiosk").run()
    except ConfigError as error:
        LOG.error("kiosk.stopped", code=error.code, detail=str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
