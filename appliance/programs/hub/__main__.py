"""``python -m appliance.programs.hub``: found a hub, admit schools, serve, list schools.

Exit codes: 0 fine, 1 refused, 2 could not run. With ``--json`` the output is for programs.
"""

import argparse
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from appliance.clock import SystemClock
from appliance.config import credential_path, read_credential
from appliance.errors import ConfigError, MadoguchiError, UnavailableError
from appliance.ledger.keys import SigningKey
from appliance.log import EventLog, start_logging
from appliance.notify import Notifier
from appliance.programs.hub.admission import admit
from appliance.programs.hub.founding import CLIENT_NAME, HubFoundedError, found_hub, make_credentials
from appliance.programs.hub.ingest import SUBSCRIPTIONS, Ingest
from appliance.programs.hub.page import as_json, serve_page
from appliance.programs.hub.registry import Registry
from appliance.programs.hub.settings import (
    AUTHORITY_FILE,
    DATABASE_KEY,
    DATABASE_NAME,
    FAMILIES,
    HUB_KEY,
    LINE_FILE,
    LINE_KEY,
    HubSettings,
    load_hub_settings,
)
from appliance.store.database import Database
from appliance.store.migrate import migrate
from appliance.sync.enrolment import EnrolmentRequest
from appliance.sync.mqtt import Address, MqttLine
from appliance.sync.tls import line_tls

PAGE_PAUSE_S = 5.0
FINE, REFUSED, COULD_NOT_RUN = 0, 1, 2


class HubFileError(ConfigError):
    """A file of the hub that cannot be read or written."""

    code = "hub.file"


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the arguments, runs one sub-command and returns its exit code."""
    parser = argparse.ArgumentParser(prog="appliance hub", description="窓口: the prefecture's hub.")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    init = commands.add_parser("init", help="found the hub: keys, certificates, database")
    init.add_argument("--credentials", type=Path, metavar="DIR", help="where the keys lie or are to be made")
    init.set_defaults(run=_init)
    admission = commands.add_parser("admit", help="admit a school: read its request, write its enrolment")
    admission.add_argument("--request", type=Path, required=True, metavar="FILE")
    admission.add_argument("--out", type=Path, required=True, metavar="FILE")
    admission.set_defaults(run=_admit)
    commands.add_parser("serve", help="take what the boxes send, and show the page").set_defaults(run=_serve)
    schools = commands.add_parser("schools", help="list the schools and how far their records are confirmed")
    schools.set_defaults(run=_schools)
    # The page is a process of its own, started by serve.
    commands.add_parser("page").set_defaults(run=_page)
    for command in (init, admission, schools):
        command.add_argument("--json", action="store_true")
    parsed = parser.parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except (ConfigError, UnavailableError) as error:
        print(f"appliance hub: {error}", file=sys.stderr)  # noqa: T201 - a command's answer
        return COULD_NOT_RUN
    except MadoguchiError as error:
        print(f"appliance hub: {error}", file=sys.stderr)  # noqa: T201 - a command's answer
        return REFUSED


def _init(arguments: argparse.Namespace) -> int:
    settings = load_hub_settings()
    if (settings.hub.state_dir / AUTHORITY_FILE).exists():
        raise HubFoundedError(path=str(settings.hub.state_dir))
    made: list[str] = []
    if arguments.credentials is not None:
        made = make_credentials(arguments.credentials)
        os.environ["CREDENTIALS_DIRECTORY"] = str(arguments.credentials)
    found_hub(settings, SystemClock())
    folder = settings.hub.state_dir
    words = f"The hub {settings.hub.name} is founded in {folder}."
    _show({"hub": settings.hub.name, "state_dir": str(folder), "made": made}, arguments.json, words)
    return FINE


def _admit(arguments: argparse.Namespace) -> int:
    settings = load_hub_settings()
    try:
        request = EnrolmentRequest.from_json(arguments.request.read_bytes())
    except OSError as error:
        raise HubFileError(file=str(arguments.request), reason=error.strerror) from error
    with _database(settings) as database:
        bundle = admit(settings, database, SystemClock(), request)
    try:
        arguments.out.write_bytes(bundle.to_json())
    except OSError as error:
        raise HubFileError(file=str(arguments.out), reason=error.strerror) from error
    words = f"{request.name} ({request.school}) is admitted; its enrolment is in {arguments.out}."
    _show({"school": request.school, "feed": bundle.feed_origin, "out": str(arguments.out)}, arguments.json, words)
    return FINE


def _schools(arguments: argparse.Namespace) -> int:
    with _database(load_hub_settings()) as database:
        schools = Registry(database).overview()
    lines = [f"{'school':<14} {'line':<8} {'mirrored':>9} {'pending':>8}  name"]
    for one in schools:
        pending = "-" if one.pending is None else one.pending
        lines.append(
            f"{one.code:<14} {'online' if one.online else 'offline':<8} {one.mirrored:>9} {pending:>8}  {one.name}"
        )
    words = "\n".join(lines) if schools else "No school is admitted yet."
    _show([as_json(one) for one in schools], arguments.json, words)
    return FINE


def _page(_: argparse.Namespace) -> int:
    settings = load_hub_settings()
    start_logging(settings.hub.log_level)
    serve_page(settings)
    return FINE


def _serve(_: argparse.Namespace) -> int:
    settings = load_hub_settings()
    start_logging(settings.hub.log_level)
    log, notifier, clock = EventLog("hub"), Notifier(), SystemClock()
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    with _database(settings) as database:
        migrate(database, FAMILIES)
        line = _line(settings)
        key = SigningKey.from_pem(read_credential(HUB_KEY))
        ingest = Ingest(database, key, settings.hub.name, line=line, clock=clock, log=log)
        line.start()
        page = Page(log)
        notifier.ready()
        log.info("hub.ready", page=settings.page.port)
        alive_s = 0.0
        while not stopping.is_set():
            ingest.step()
            page.keep()
            if notifier.interval_s is not None and time.monotonic() - alive_s >= notifier.interval_s:
                alive_s = time.monotonic()
                notifier.alive()
        notifier.stopping()
        line.stop()
        page.stop()
    log.info("hub.ended")
    return FINE


class Page:
    """The page's process: started, and started again some time after it ended."""

    def __init__(self, log: EventLog) -> None:
        self._log = log
        self._process: subprocess.Popen[bytes] | None = None
        self._next_s = 0.0

    def keep(self) -> None:
        if self._process is not None and self._process.poll() is not None:
            self._log.error("hub.page_ended", status=self._process.returncode)
            self._process = None
        if self._process is None and time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + PAGE_PAUSE_S
            command = [sys.executable, "-I", "-m", "appliance.programs.hub", "page"]
            self._process = subprocess.Popen(command, stdin=subprocess.PIPE)

    def stop(self) -> None:
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


def _line(settings: HubSettings) -> MqttLine:
    folder = settings.hub.state_dir
    try:
        authority, certificate = (folder / AUTHORITY_FILE).read_bytes(), (folder / LINE_FILE).read_bytes()
    except OSError as error:
        raise HubFileError(file=str(folder), reason="the hub is not founded") from error
    tls = line_tls(authority, certificate, credential_path(LINE_KEY))
    address = Address(settings.broker.host, settings.broker.port)
    return MqttLine(address, tls, client_id=CLIENT_NAME, subscriptions=SUBSCRIPTIONS)


def _database(settings: HubSettings) -> Database:
    return Database.open(settings.hub.state_dir / DATABASE_NAME, read_credential(DATABASE_KEY))


def _show(value: object, as_text: bool, words: str) -> None:
    print(json.dumps(value, ensure_ascii=False) if as_text else words)  # noqa: T201 - a command's answer


if __name__ == "__main__":
    sys.exit(main())
