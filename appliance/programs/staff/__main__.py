"""The staff site: HTTPS on the LAN, no way out of the box but its database."""

import sys
import tempfile
from pathlib import Path

from flask import Flask

from appliance.clock import SystemClock
from appliance.config import CredentialSource, Settings, load_settings, read_credential, settings_paths
from appliance.errors import ConfigError
from appliance.log import EventLog, start_logging
from appliance.notify import Notifier, keep_alive
from appliance.programs.staff.present import Presenter
from appliance.programs.staff.views import Authorise, Uses, make_blueprint
from appliance.services.condition import observe
from appliance.services.device_keys import DeviceKeys
from appliance.services.enrolment import EnrolmentStore
from appliance.services.founding import DATABASE_KEY
from appliance.services.line import SchoolLine
from appliance.services.link_codes import LinkCodes
from appliance.services.opening import OpenBox, open_box
from appliance.services.sealing import read_seal
from appliance.services.staff import StaffAccounts
from appliance.services.visits import Visits
from appliance.store.cards import CardStore
from appliance.store.line import LineStore
from appliance.store.people import PeopleStore
from appliance.store.seal import read_secret
from appliance.store.signal import SignalStore
from appliance.store.staff import StaffStore
from appliance.store.visits import VisitStore
from appliance.web.catalogue import MESSAGES, Catalogue
from appliance.web.serve import Server
from appliance.web.site import make_site

WORKERS = 2
FORM_SECRET = "staff-forms"  # noqa: S105 - the name of a secret
LOG = EventLog("staff")


def make_staff_site(settings: Settings) -> Flask:
    """Builds the site in a worker; both workers share the database and the secret of the forms."""
    box = open_box(settings.box.state_dir, CredentialSource(DATABASE_KEY), DeviceKeys(), SystemClock())
    site = site_of(box, settings.staff.names, settings.reader.name, Catalogue(MESSAGES), settings.keys.status)
    notifier = Notifier()
    keep_alive(notifier, lambda: box.database.row("SELECT 1") is not None)
    notifier.ready()
    LOG.info("staff.ready", port=settings.staff.port)
    return site


def site_of(box: OpenBox, names: tuple[str, ...], wanted_reader: str, sentences: Catalogue, seals: Path) -> Flask:
    """The site of an open box, wired; ``names`` are the host names it answers to, ``seals`` the file that says how the
    keys are sealed."""
    people, cards = PeopleStore(box.database), CardStore(box.database)
    accounts = StaffAccounts(box, StaffStore(box.database))
    signals, enrolment = SignalStore(box.database), EnrolmentStore(box.database)
    line = SchoolLine(LineStore(box.database), people, signals, box.clock)
    uses = Uses(
        school=box.school,
        accounts=accounts,
        visits=Visits(box, VisitStore(box.database), people),
        people=people,
        cards=cards,
        link_codes=LinkCodes(box, cards, people),
        present=Presenter(
            lambda: observe(box, signals, enrolment.find() is not None, wanted_reader, read_seal(seals)),
            sentences,
            line.bit_s,
        ),
        line=line,
    )
    return make_site(
        __package__ or "appliance.programs.staff",
        (make_blueprint(uses),),
        secret_key=form_secret(box),
        trusted_hosts=names,
        https=True,
        authorise=Authorise(accounts),
        sentences=sentences,
        log=LOG,
        audience="staff",
        ways_out=(("/", "staff-back"), ("/box", "staff-to-box")),
    )


def form_secret(box: OpenBox) -> bytes:
    with box.database.transaction() as transaction:
        return read_secret(transaction, FORM_SECRET)


def main() -> int:
    """Serves until it is told to end; 2 if settings or credentials are wrong."""
    start_logging("info")  # until the settings say otherwise: they may be what is wrong
    try:
        settings = load_settings(settings_paths())
        start_logging(settings.box.log_level)
        with tempfile.TemporaryDirectory(prefix="staff-") as folder:
            # The library wants files; the key's copy lives in this process's private directory only.
            key = Path(folder) / "staff.key"
            key.touch(mode=0o600)
            key.write_bytes(read_credential("staff.key"))
            Server(
                lambda: make_staff_site(settings),
                LOG,
                bind=f"{settings.staff.address}:{settings.staff.port}",
                workers=WORKERS,
                certfile=str(settings.staff.certificate),
                keyfile=str(key),
                proc_name="staff",
            ).run()
    except ConfigError as error:
        LOG.error("staff.stopped", code=error.code, detail=str(error))
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
