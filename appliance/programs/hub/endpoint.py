"""The endpoint where boxes enrol with a one-time token: HTTPS with a certificate of the hub's own authority.

Whatever comes in is hostile until the token has been checked: sizes, times, connections and tries are bounded, and
there are two paths. A process of its own, started by ``hub serve`` where the settings give it a port.
"""

import argparse
import contextlib
import json
import os
import socket
import ssl
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from socketserver import TCPServer, ThreadingMixIn
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from appliance.clock import Clock, SystemClock
from appliance.config import CredentialSource, read_credential
from appliance.errors import MadoguchiError, RefusedError
from appliance.log import EventLog, start_logging
from appliance.programs.hub.admission import admit
from appliance.programs.hub.authority import Authority, make_key, pem
from appliance.programs.hub.files import read_file
from appliance.programs.hub.settings import (
    AUTHORITY_FILE,
    AUTHORITY_KEY,
    DATABASE_KEY,
    DATABASE_NAME,
    HubSettings,
    load_hub_settings,
)
from appliance.programs.hub.tokens import Tokens
from appliance.store.database import Database
from appliance.sync.token import AUTHORITY_PATH, ENROL_PATH, MAX_MESSAGE_BYTES, TokenMessage
from appliance.throttle import Throttled

PATIENCE_S, DEADLINE_S = 5.0, 15.0
MOST_CONNECTIONS = 32
TRIES_A_MINUTE = 60
"""Of all boxes together: an operator makes a token for each, by hand."""


class Enrolments:
    """Answers one message at a time."""

    def __init__(self, settings: HubSettings, database: Database, clock: Clock, log: EventLog) -> None:
        self._settings, self._database, self._clock, self._log = settings, database, clock, log
        self._refused = Throttled(log.warning)
        self._lock = threading.Lock()
        self._times: list[float] = []
        authority_pem = read_file(settings.hub.state_dir / AUTHORITY_FILE)
        authority = Authority.load(authority_pem, read_credential(AUTHORITY_KEY))
        self.authority_pem = authority_pem
        key, now = make_key(), datetime.fromtimestamp(clock.now_ms() // 1000, UTC)
        certificate = authority.issue_server((settings.boxes.host,), key, now)
        self.certificate_der = certificate.public_bytes(serialization.Encoding.DER)
        self.tls = _tls(certificate, key)

    def answer(self, data: bytes) -> tuple[int, bytes]:
        """The HTTP status and the body: an ``EnrolmentBundle``, or ``{"refused": reason}``."""
        with self._lock:
            now_s = time.monotonic()
            self._times = [one for one in self._times if now_s - one < 60.0]
            if len(self._times) >= TRIES_A_MINUTE:
                return 429, _refusal("busy")
            self._times.append(now_s)
            try:
                return 200, self._enrol(data)
            except RefusedError as error:
                self._refused("hub.token_refused", code=error.code, reason=error.fields.get("reason"))
                reason = error.fields.get("reason") if error.code == "hub.token" else error.code.rpartition(".")[2]
                return 403, _refusal(str(reason))
            except MadoguchiError as error:
                self._log.error("hub.enrolment_fault", code=error.code)
                return 503, _refusal("busy")

    def _enrol(self, data: bytes) -> bytes:
        message = TokenMessage.from_json(data)
        tokens, now_ms = Tokens(self._database), self._clock.now_ms()
        request, new_generation = tokens.redeem(message, self.certificate_der, now_ms)
        if new_generation:
            known = self._database.row("SELECT box_origin FROM school WHERE code = ?", (request.school,))
            new_generation = known is not None and known[0] != request.origin  # asked again: it is done
        bundle = admit(self._settings, self._database, self._clock, request, new_generation=new_generation)
        self._log.info("hub.enrolled", school=request.school, origin=request.origin)
        return bundle.to_json()


class Endpoint(ThreadingMixIn, TCPServer):
    """Listens on ``port``; ``serve_forever`` runs it."""

    allow_reuse_address = True
    daemon_threads = True
    address_family = socket.AF_INET6

    def __init__(self, enrolments: Enrolments, port: int) -> None:
        self.enrolments = enrolments
        self._free = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__(("::", port), _Handler)

    def server_bind(self) -> None:
        self.socket.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        super().server_bind()

    def verify_request(self, request: Any, client_address: Any) -> bool:  # noqa: ARG002 - the library's signature
        """Refuses those that are too many at once."""
        return self._free.acquire(blocking=False)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        """One connection, in a thread of its own, to its end or ``DEADLINE_S``."""
        # The handshake comes after the timer has begun: it can be drawn out as well.
        wrapped = self.enrolments.tls.wrap_socket(request, server_side=True, do_handshake_on_connect=False)
        deadline = threading.Timer(DEADLINE_S, _cut, (wrapped,))
        deadline.daemon = True
        deadline.start()
        try:
            wrapped.settimeout(PATIENCE_S)
            wrapped.do_handshake()
            self.finish_request(wrapped, client_address)
        except (OSError, ValueError):
            pass  # a peer that went away or sent nonsense is no event
        finally:
            deadline.cancel()
            self.shutdown_request(wrapped)
            self._free.release()


class _Handler(BaseHTTPRequestHandler):
    server: Endpoint
    timeout = PATIENCE_S

    def do_GET(self) -> None:
        if self.path == AUTHORITY_PATH:
            self._send(200, self.server.enrolments.authority_pem)
        else:
            self._send(404, _refusal("path"))

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if self.path != ENROL_PATH:
            self._send(404, _refusal("path"))
        elif not (length.isascii() and length.isdigit()) or not 0 < int(length[:12]) <= MAX_MESSAGE_BYTES:
            self._send(413, _refusal("size"))
        else:
            self._send(*self.server.enrolments.answer(self.rfile.read(int(length))))

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        return "madoguchi"

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name in the library
        """Addresses and paths of strangers are not for the journal."""


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds ``endpoint``, which only ``serve`` starts."""
    commands.add_parser("endpoint").set_defaults(run=_run)


def _run(_: argparse.Namespace) -> int:
    settings = load_hub_settings()
    start_logging(settings.hub.log_level)
    log = EventLog("hub")
    with Database.open(settings.hub.state_dir / DATABASE_NAME, CredentialSource(DATABASE_KEY)) as database:
        enrolments = Enrolments(settings, database, SystemClock(), log)
        with Endpoint(enrolments, settings.enrolment.port) as endpoint:
            threading.Thread(target=_end_with_parent, args=(os.getppid(),), daemon=True).start()
            log.info("hub.endpoint", port=settings.enrolment.port)
            endpoint.serve_forever()
    return 0


def _end_with_parent(parent: int) -> None:
    # A hub that was killed leaves no endpoint behind that would hold the port of the next one.
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


def _cut(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _tls(certificate: x509.Certificate, key: bytes) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    # The library takes a key from a file only: one in memory, without a name, so that no disk ever has it.
    file = os.memfd_create("endpoint", os.MFD_CLOEXEC)
    try:
        os.write(file, pem(certificate) + key)
        context.load_cert_chain(f"/proc/self/fd/{file}")
    finally:
        os.close(file)
    return context


def _refusal(reason: str) -> bytes:
    return json.dumps({"refused": reason}).encode()
