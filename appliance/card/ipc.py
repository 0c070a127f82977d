"""The socket of ``cardd``: one JSON object a line, both ways, and the program's side of it.

A request is ``{"op": ...}`` with ``read``, ``tries_left``, ``open``, ``certificate``, ``sign``, ``tally``, ``leave``,
``status`` or ``watch``. The second to the fifth may name a ``key``, ``authentication`` (the default) or ``signature``.
``open`` adds ``last_try`` and ``secret_bytes``: that many raw bytes follow the line, so that no JSON ever holds a PIN.
``sign`` adds ``digest`` (hexadecimal). Answers are ``{"progress": [done, expected]}`` any number of times, then one
``{"ok": ...}`` or ``{"error": {"code": ..., "fields": {...}}}``. After ``watch`` come ``{"event": ...}`` and, every
``HEARTBEAT_S``, ``{"alive": true}``, until one side closes.
"""

import base64
import math
import select
import socket
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from appliance.card import connection, desk, jpki, key, readers
from appliance.card.apdu import wipe
from appliance.card.files import Progress
from appliance.card.key import Key
from appliance.card.lines import LineReader, RequestError, decoded, encoded
from appliance.card.service import CardEvent, CardRead, CardState, Tally
from appliance.errors import BusyError, Field, MadoguchiError, UnavailableError, UntrustedError

MAX_ANSWER_LINE_BYTES: Final = 128 * 1024  # a certificate in base64 and some room
HEARTBEAT_S: Final = 5.0
PEER_DEAD_S: Final = 3 * HEARTBEAT_S
ANSWER_S: Final = 60.0  # a slow card with many exchanges; every progress line starts it anew
TIMEVAL: Final = struct.Struct("ll")  # seconds and microseconds (socket(7), SO_SNDTIMEO)
STATES: Final = {state.value: state for state in CardState}


class CarddAbsentError(UnavailableError):
    """Nobody answers at the socket, or it broke in the middle."""

    code = "cardd.absent"


class PeerError(UntrustedError):
    """The process at the other end is none of those that may use the card."""

    code = "cardd.peer"


class CrowdedError(BusyError):
    """More clients than the box has programs, or more requests than any of them sends."""

    code = "cardd.crowded"


ERRORS: Final[tuple[type[MadoguchiError], ...]] = (
    connection.CardAbsentError,
    connection.CardRemovedError,
    connection.CardMuteError,
    connection.CardProtocolError,
    connection.ReaderAbsentError,
    connection.ReaderServiceError,
    connection.ForbiddenCommandError,
    jpki.UnknownCardError,
    jpki.NoCertificateError,
    jpki.NoSignatureCertificateError,
    jpki.CertificateLockedError,
    jpki.NotOpenedError,
    key.PinFormError,
    key.WrongPinError,
    key.LastTryError,
    key.LockedError,
    key.PasswordFormError,
    key.WrongPasswordError,
    key.PasswordLastTryError,
    key.PasswordLockedError,
    readers.CardBusyError,
    desk.SessionOverError,
    RequestError,
    PeerError,
    CrowdedError,
    CarddAbsentError,
)


def error_message(error: MadoguchiError) -> dict[str, object]:
    return {"error": {"code": error.code, "fields": error.fields}}


def event_message(event: CardEvent) -> dict[str, object]:
    return {
        "state": event.state.value,
        "reader": event.reader,
        "insertion": event.insertion,
        "held": event.held,
        "readers": event.readers,
    }


class CardClient:
    """``CardService`` over the socket of ``cardd``. Connects when first used, and anew after a failure.

    What begins anew also survives a ``cardd`` that was started again in the meantime: ``status`` and ``read``.
    One call at a time; ``watch`` uses a connection of its own. Any call raises ``CarddAbsentError`` when nobody
    answers. Closing it, or dying, ends the session at ``cardd``.
    """

    def __init__(self, path: Path, answer_s: float = ANSWER_S) -> None:
        self._path = path
        self._answer_s = answer_s
        self._peer: socket.socket | None = None
        self._lines: LineReader | None = None

    def close(self) -> None:
        peer, self._peer, self._lines = self._peer, None, None
        if peer is not None:
            peer.close()

    def __enter__(self) -> "CardClient":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def status(self) -> CardEvent:
        self._hang_up_if_cut_off()
        return _event(self._ask({"op": "status"}))

    def watch(self) -> Iterator[CardEvent]:
        """As in ``CardService``; ends with ``CarddAbsentError`` when ``cardd`` falls silent. Call again to go on."""
        peer = self._connected()
        try:
            peer.settimeout(PEER_DEAD_S)
            lines = LineReader(peer, MAX_ANSWER_LINE_BYTES)
            with suppress(BrokenPipeError):
                peer.sendall(encoded({"op": "watch"}))
            while True:
                message = _received(lines)
                if "event" in message:
                    yield _event(message["event"])
                elif "error" in message:
                    raise _error(message["error"])
        except OSError as error:
            raise CarddAbsentError(reason=error.strerror or "no heartbeat") from error
        finally:
            peer.close()

    def read(self, progress: Progress | None = None) -> CardRead:
        self._hang_up_if_cut_off()
        match answer := self._ask({"op": "read"}, progress):
            case {
                "certificate": str() | None as text,
                "kind": str(kind),
                "reader": str(reader),
                "exchanges": int(exchanges),
                "bytes": int(count),
                "ms": int(ms),
            }:
                certificate = None if text is None else self._bytes_in(answer, "certificate")
                return CardRead(certificate, kind, reader, exchanges, count, ms)
            case _:
                raise self._nonsense()

    def tries_left(self, key: Key = Key.AUTHENTICATION) -> int | None:
        tries = self._ask({"op": "tries_left", "key": key.name.lower()}).get("tries_left")
        if tries is not None and type(tries) is not int:
            raise self._nonsense()
        return tries

    def open(self, secret: bytearray, key: Key = Key.AUTHENTICATION, last_try: bool = False) -> None:
        try:
            key.secret.ready(secret)  # one of another length would not even travel
            request = {"op": "open", "key": key.name.lower(), "last_try": last_try, "secret_bytes": len(secret)}
            self._ask(request, raw=secret)
        finally:
            wipe(secret)

    def certificate(self, key: Key = Key.AUTHENTICATION) -> bytes:
        return self._bytes_in(self._ask({"op": "certificate", "key": key.name.lower()}), "certificate")

    def sign(self, digest: bytes, key: Key = Key.AUTHENTICATION) -> bytes:
        request = {"op": "sign", "key": key.name.lower(), "digest": digest.hex()}
        return self._bytes_in(self._ask(request), "signature")

    def tally(self) -> Tally:
        match self._ask({"op": "tally"}):
            case {
                "exchanges": int(exchanges),
                "bytes": int(count),
                "card_ms": int(card_ms),
                "tries_left": int() | None as tries,
            }:
                return Tally(exchanges, count, card_ms, tries)
            case _:
                raise self._nonsense()

    def leave(self) -> None:
        if self._peer is not None:  # no connection, no session
            self._ask({"op": "leave"})

    def _ask(
        self, request: Mapping[str, object], progress: Progress | None = None, raw: bytearray | None = None
    ) -> dict[str, Any]:
        try:
            if self._peer is None:
                self._peer = self._connected()
                self._lines = LineReader(self._peer, MAX_ANSWER_LINE_BYTES)
            assert self._lines is not None  # noqa: S101 - set together with the peer
            # Who is refused may be cut off before the request is out; the reason is still there to be read.
            with suppress(BrokenPipeError):
                self._peer.sendall(encoded(request))
                if raw is not None:
                    self._peer.sendall(raw)
            while True:
                message = _received(self._lines)
                if "progress" not in message:
                    break
                if progress is not None:
                    progress(*_progress(message["progress"]))
        except OSError as error:
            self.close()
            raise CarddAbsentError(reason=error.strerror or "no answer") from error
        except BaseException:  # also what ``progress`` raises: the answer on its way is for nobody else
            self.close()
            raise
        if "error" in message:
            raise _error(message["error"])
        answer = message.get("ok")
        if not isinstance(answer, dict):
            raise self._nonsense()
        return answer

    def _bytes_in(self, answer: Mapping[str, Any], name: str) -> bytes:
        try:
            return base64.b64decode(answer[name], validate=True)
        except (KeyError, TypeError, ValueError) as error:
            raise self._nonsense() from error

    def _hang_up_if_cut_off(self) -> None:
        """Nobody asked anything: what can be read now is the end, or the reason for one."""
        if self._peer is not None:
            listening = select.poll()
            listening.register(self._peer, select.POLLIN)
            if listening.poll(0):
                self.close()

    def _connected(self) -> socket.socket:
        peer = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            # Where many knock, one waits in line. With a timeout of Python's own connect(2) would not: it says EAGAIN.
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, TIMEVAL.pack(math.ceil(self._answer_s), 0))
            peer.connect(str(self._path))
            peer.settimeout(self._answer_s)
        except OSError as error:
            peer.close()
            raise CarddAbsentError(reason=error.strerror or type(error).__name__) from error
        return peer

    def _nonsense(self) -> CarddAbsentError:
        with suppress(OSError):
            self.close()
        return CarddAbsentError(reason="answer not understood")


def _received(lines: LineReader) -> dict[str, Any]:
    try:
        line = lines.line()
        if line is None:
            raise CarddAbsentError(reason="closed")
        return decoded(line)
    except RequestError as error:
        raise CarddAbsentError(reason="answer not understood") from error


def _event(message: object) -> CardEvent:
    match message:
        case {
            "state": str(name),
            "reader": str(reader),
            "insertion": int(insertion),
            "held": bool(held),
            "readers": list(readers),
        } if name in STATES and all(isinstance(one, str) for one in readers):
            return CardEvent(STATES[name], reader, insertion, held, tuple(readers))
        case _:
            raise CarddAbsentError(reason="answer not understood")


def _progress(message: object) -> tuple[int, int]:
    match message:
        case [int(done), int(expected)]:
            return done, expected
        case _:
            raise CarddAbsentError(reason="answer not understood")


def _error(message: object) -> MadoguchiError:
    match message:
        case {"code": str(code), "fields": dict(given)}:
            kind = next((one for one in ERRORS if one.code == code), None)
            fields = {str(name): value for name, value in given.items() if isinstance(value, Field)}
            if kind is None:
                return CarddAbsentError(reason=f"unknown error {code}")
            return kind(**fields) if len(fields) == len(given) else CarddAbsentError(reason="answer not understood")
        case _:
            return CarddAbsentError(reason="answer not understood")
