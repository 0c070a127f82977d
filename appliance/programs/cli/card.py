"""``appliance card``: what an installer asks of the reader and of any card on it."""

import argparse
import json
import secrets
import signal
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance.card.ipc import CarddAbsentError
from appliance.card.key import Key
from appliance.card.service import CardEvent, CardRead, CardService, CardState, Tally
from appliance.errors import ConfigError, MadoguchiError, UnavailableError
from appliance.programs.cli.output import COULD_NOT_RUN, FINE, PROBLEM, explain, say
from appliance.programs.cli.parsing import Commands, add_command, add_group
from appliance.programs.cli.pin import read_pin
from appliance.programs.cli.reader import card_service, settled
from appliance.programs.cli.statement import statement_message
from appliance.trust.anchors import Anchor, AnchorFileError, parse_anchors
from appliance.trust.chain import CardCertificate, verify, verify_signer
from appliance.trust.policy import Usage, installer_policy
from appliance.trust.signature import digest_for, verify_signature
from appliance.trust.status import NOT_CHECKED

NONCE_BYTES = 16
PROMPTS = {Key.AUTHENTICATION: "PIN: ", Key.SIGNATURE: "Password: "}


@dataclass(frozen=True)
class Verdict:
    """The outcome of a check, as its last line says it. ``ms`` is the whole time from the first exchange on."""

    verdict: str
    code: str | None
    tries_left: int | None
    exchanges: int
    bytes: int
    ms: int
    revocation: str


def add(commands: Commands) -> None:
    """Adds ``card authenticate``, ``card status`` and ``card watch``."""
    parts = add_group(commands, "card", "the card reader and the card on it")
    check = add_command(parts, "authenticate", "check a card: certificate, chain, PIN and signature", authenticate)
    check.add_argument("--anchors", type=Path, required=True, metavar="FILE", help="root certificates (PEM or DER)")
    check.add_argument("--statement", required=True, metavar="TEXT", help="what the card signs, with date and nonce")
    keys = [key.name.lower() for key in Key]
    check.add_argument("--key", choices=keys, default=keys[0], help="which of the card's keys signs")
    check.add_argument("--pin-fd", type=int, metavar="N", help="file descriptor that gives the PIN; default: ask")
    check.add_argument("--last-try", action="store_true", help="go on although one try is left")
    status = add_command(parts, "status", "say what lies on the reader now", show_status)
    watch = add_command(parts, "watch", "print what happens at the reader, until Ctrl-C", watch_reader)
    for one in (check, status, watch):
        one.add_argument("--reader", default="", metavar="NAME", help="beginning of the reader's name")


def authenticate(arguments: argparse.Namespace) -> int:
    """Checks certificate and chain, then the PIN, then the signature. Exit codes as everywhere, 2 also for no card."""
    check = _Check(arguments)
    code = FINE
    try:
        verdict = check.run()
    except MadoguchiError as error:
        verdict = check.refusal(error)
        code = COULD_NOT_RUN if isinstance(error, UnavailableError | ConfigError) else PROBLEM
        print(f"appliance: {explain(error)}", file=sys.stderr)
    if arguments.json:
        print(json.dumps(asdict(verdict), ensure_ascii=False))
        return code
    print(f"{say(f'card-{verdict.verdict}')}; {say('card-revocation-unknown')}")
    if verdict.tries_left is not None:
        print(say("card-tries", tries=verdict.tries_left))
    print(say("card-took", exchanges=verdict.exchanges, bytes=verdict.bytes, ms=verdict.ms))
    return code


def show_status(arguments: argparse.Namespace) -> int:
    """Prints the state; 0 with a reader, 2 without."""
    with card_service(arguments.reader) as service:
        event = service.status()
    _print_event(event, arguments.json)
    return COULD_NOT_RUN if event.state in (CardState.SERVICE_ABSENT, CardState.READER_ABSENT) else FINE


def watch_reader(arguments: argparse.Namespace) -> int:
    """Prints each change until interrupted or told to end."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), card_service(arguments.reader, watching=True) as service:
        for event in service.watch():
            _print_event(event, arguments.json)
    return FINE


class _Check:
    """One run of ``authenticate``; keeps what it found out for whichever way it ends."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._anchors: Path = arguments.anchors
        self._statement: str = arguments.statement
        self._pin_fd: int | None = arguments.pin_fd
        self._last_try: bool = arguments.last_try
        self._key = Key[arguments.key.upper()]
        self._reader: str = arguments.reader
        self._tally = Tally(0, 0, 0, None)
        self._begun_s = time.perf_counter()
        self._took_s = 0.0

    def run(self) -> Verdict:
        anchors = _read_anchors(self._anchors)
        with card_service(self._reader) as service:
            try:
                self._ask(service, anchors)
            except MadoguchiError:
                with suppress(CarddAbsentError):  # then it is gone, and so are its figures
                    self._tally = service.tally()
                raise
            finally:
                self._took_s = time.perf_counter() - self._begun_s
                with suppress(CarddAbsentError):  # it ends the session of whoever is gone
                    service.leave()
        return self._verdict("good", None, self._tally.tries_left)

    def refusal(self, error: MadoguchiError) -> Verdict:
        tries = error.fields.get("tries_left", self._tally.tries_left)
        return self._verdict("refused", error.code, tries if isinstance(tries, int) else None)

    def _ask(self, service: CardService, anchors: tuple[Anchor, ...]) -> None:
        read = settled(lambda: self._read(service))
        if read.certificate is None or self._key is Key.SIGNATURE:
            # Behind its secret: the card can only be judged afterwards.
            self._open(service)
            certificate = self._judge(service.certificate(self._key), anchors)
        else:
            certificate = self._judge(read.certificate, anchors)
            self._open(service)
        message = statement_message(self._statement, secrets.token_bytes(NONCE_BYTES), int(time.time()))
        signature = service.sign(digest_for(certificate, message), self._key)
        self._tally = service.tally()
        verify_signature(certificate, message, signature)

    def _read(self, service: CardService) -> CardRead:
        self._begun_s = time.perf_counter()
        return service.read()

    def _open(self, service: CardService) -> None:
        service.open(read_pin(self._pin_fd, PROMPTS[self._key]), self._key, self._last_try)

    def _judge(self, der: bytes, anchors: tuple[Anchor, ...]) -> CardCertificate:
        now = datetime.now(UTC)
        if self._key is Key.SIGNATURE:
            return verify_signer(der, anchors, now, installer_policy(Usage.SIGNATURE))
        return verify(der, anchors, now, installer_policy())

    def _verdict(self, verdict: str, code: str | None, tries_left: int | None) -> Verdict:
        ms = round(self._took_s * 1000)
        return Verdict(verdict, code, tries_left, self._tally.exchanges, self._tally.bytes, ms, str(NOT_CHECKED))


def _read_anchors(path: Path) -> tuple[Anchor, ...]:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise AnchorFileError(file=str(path), reason=error.strerror) from error
    return parse_anchors(data)


def _print_event(event: CardEvent, as_json: bool) -> None:
    if as_json:
        line = {"state": event.state.value, "reader": event.reader, "insertion": event.insertion}
        print(json.dumps(line, ensure_ascii=False), flush=True)
    else:
        print(f"{event.reader or say('card-no-reader')}: {say(f'card-{event.state.value}')}", flush=True)
