"""Serves a ``Desk`` on a Unix socket: one short-lived thread per client, and no client that can disturb another."""

import base64
import os
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from appliance.card.apdu import wipe
from appliance.card.desk import Desk, DeskClient, unobserved
from appliance.card.guests import Guests, Peers
from appliance.card.ipc import HEARTBEAT_S, CrowdedError, PeerError, error_message, event_message
from appliance.card.jpki import DIGEST_INFO
from appliance.card.key import Key
from appliance.card.lines import MAX_SECRET_BYTES, LineReader, RequestError, encoded
from appliance.card.lines import decoded as decoded_line
from appliance.card.readers import Observe
from appliance.errors import MadoguchiError
from appliance.throttle import Throttled

SOCKET_MODE: Final = 0o660
LINE_S: Final = 5.0  # the first request, and any that began, is whole within this; an answer is taken within it
FLOOD_REQUESTS, FLOOD_S = 100, 10.0
PENALTY_S: Final = 1.0  # whoever was cut off keeps the place for so long: it cannot come back at once and go on
BACKLOG: Final = 64
TICK_S: Final = 1.0
AGAIN_S: Final = 0.1


class CardServer:
    """Listens from construction on. ``serve`` runs until ``stop``; ``close`` is for afterwards, once."""

    def __init__(self, desk: Desk, path: Path, peers: Peers, observe: Observe = unobserved) -> None:
        """Raises ``OSError`` if the socket cannot be made. A socket left behind by a dead process is replaced."""
        self._desk = desk
        self._path = path
        self._observe = Throttled(observe)
        self._ending = threading.Event()
        self._guests = Guests(peers)
        self._threads: set[threading.Thread] = set()
        self._lock = threading.Lock()
        path.unlink(missing_ok=True)
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._listener.bind(str(path))
        path.chmod(SOCKET_MODE)
        self._listener.listen(BACKLOG)
        self._wake = os.eventfd(0)

    def serve(self, tick: Callable[[], None]) -> None:
        """Accepts clients; calls ``tick`` about once a second."""
        ticked = 0.0
        while not self._ending.is_set():
            if time.monotonic() - ticked >= TICK_S:
                ticked = time.monotonic()
                tick()
            listening = self._listener.fileno()
            if listening in select.select([listening, self._wake], [], [], TICK_S)[0]:
                self._accept()

    def close(self) -> None:
        """Stops listening, cuts every client off and waits until their sessions ended."""
        self.stop()
        self._listener.close()
        self._path.unlink(missing_ok=True)
        for peer in self._guests.sockets:
            with suppress(OSError):  # it hung up at this very moment
                peer.shutdown(socket.SHUT_RDWR)
        with self._lock:
            threads = set(self._threads)
        for thread in threads:
            thread.join()
        os.close(self._wake)

    def stop(self) -> None:
        """Makes ``serve`` return; for a signal handler."""
        if not self._ending.is_set():  # a second signal may come when all is closed
            self._ending.set()
            os.eventfd_write(self._wake, 1)

    def _accept(self) -> None:
        try:
            peer = self._listener.accept()[0]
        except OSError as error:  # no file descriptor is left, or no memory: those who are served go on
            self._observe("client.refused", code=CrowdedError.code, reason=type(error).__name__)
            self._ending.wait(AGAIN_S)
            return
        peer.settimeout(LINE_S)
        try:
            self._guests.admit(peer)
        except (PeerError, CrowdedError) as refusal:
            self._observe("client.refused", code=refusal.code)
            with peer, suppress(OSError):  # whether it still listens is its own affair
                peer.sendall(encoded(error_message(refusal)))
            return
        thread = threading.Thread(target=self._attend, args=(peer,), name="client", daemon=True)
        with self._lock:
            self._threads.add(thread)
        thread.start()

    def _attend(self, peer: socket.socket) -> None:
        client = self._desk.client()
        lines = LineReader(peer)
        try:
            _Conversation(self._desk, client, peer, lines, self._ending).run()
        except MadoguchiError as error:  # only a request that is none ends here
            self._cut_off(peer, client, error)
        except OSError as error:
            self._observe("client.lost", reason=type(error).__name__)
        finally:
            lines.wipe()
            client.leave()
            peer.close()
            self._guests.dismiss(peer)
            with self._lock:
                self._threads.discard(threading.current_thread())

    def _cut_off(self, peer: socket.socket, client: DeskClient, error: MadoguchiError) -> None:
        self._observe("client.cut_off", code=error.code, reason=error.fields.get("reason"))
        client.leave()
        with suppress(OSError):
            peer.sendall(encoded(error_message(error)))
            peer.shutdown(socket.SHUT_RDWR)
        self._ending.wait(PENALTY_S)


class _Conversation:
    """The requests of one client."""

    def __init__(
        self, desk: Desk, client: DeskClient, peer: socket.socket, lines: LineReader, ending: threading.Event
    ) -> None:
        self._desk = desk
        self._client = client
        self._peer = peer
        self._lines = lines
        self._ending = ending
        self._lately: deque[float] = deque(maxlen=FLOOD_REQUESTS)

    def run(self) -> None:
        """Until the client closes. Raises ``RequestError`` or ``CrowdedError`` for one to cut off, and ``OSError``."""
        asked = False  # nobody connects without something to say
        while not self._ending.is_set():
            if asked and not self._lines.waiting:
                self._wait_for_request()
            line = self._lines.line(LINE_S)
            if line is None:
                return
            asked = True
            self._check_pace()
            request = decoded_line(line)
            if request.get("op") == "watch":
                self._watch()
                return
            self._answer(request)

    def _wait_for_request(self) -> None:
        # A client may stay silent as long as it likes; the desk ends a session that nobody uses.
        while not self._ending.is_set() and not select.select([self._peer], [], [], 1.0)[0]:
            pass

    def _check_pace(self) -> None:
        now = time.monotonic()
        if len(self._lately) == FLOOD_REQUESTS and now - self._lately[0] < FLOOD_S:
            raise CrowdedError(reason="too many requests")
        self._lately.append(now)

    def _answer(self, request: Mapping[str, Any]) -> None:
        try:
            answer = self._done(request)
        except RequestError:
            raise
        except MadoguchiError as error:
            self._send(error_message(error))
        else:
            self._send({"ok": answer})

    def _done(self, request: Mapping[str, Any]) -> dict[str, object]:
        match request.get("op"):
            case "read":
                return self._read()
            case "tries_left":
                return {"tries_left": self._client.tries_left(_key(request))}
            case "open":
                return self._open(request)
            case "certificate":
                return {"certificate": _text(self._client.certificate(_key(request)))}
            case "sign":
                signature = self._client.sign(_digest(request.get("digest")), _key(request))
                return {"signature": _text(signature)}
            case "tally":
                return asdict(self._client.tally())
            case "leave":
                self._client.leave()
                return {}
            case "status":
                return event_message(self._client.status())
            case _:
                raise RequestError(reason="unknown op")

    def _read(self) -> dict[str, object]:
        def tell(done: int, expected: int) -> None:
            self._send({"progress": [done, expected]})  # who does not listen any more needs no rest of the certificate

        read = self._client.read(tell)
        return {**asdict(read), "certificate": None if read.certificate is None else _text(read.certificate)}

    def _open(self, request: Mapping[str, Any]) -> dict[str, object]:
        count, last_try = request.get("secret_bytes"), request.get("last_try", False)
        if type(count) is not int or not 0 < count <= MAX_SECRET_BYTES:
            raise RequestError(reason="secret_bytes")
        secret = self._lines.take(count, LINE_S)
        if secret is None:
            raise RequestError(reason="closed before the secret")
        try:
            if type(last_try) is not bool:
                raise RequestError(reason="last_try")
            self._client.open(secret, _key(request), last_try)
        finally:
            wipe(secret)
        return {}

    def _watch(self) -> None:
        number, spoke = 0, time.monotonic()
        while not self._ending.is_set():
            if self._lines.waiting or select.select([self._peer], [], [], 0)[0]:
                if self._lines.line(LINE_S) is not None:
                    raise RequestError(reason="a watching client has nothing to say")
                return
            found = self._desk.next_event(number, 0.5)
            if found is not None:
                number = found[0]
                self._send({"event": event_message(found[1])})
            elif time.monotonic() - spoke < HEARTBEAT_S:
                continue
            else:
                self._send({"alive": True})
            spoke = time.monotonic()

    def _send(self, message: Mapping[str, object]) -> None:
        self._peer.sendall(encoded(message))


def _key(request: Mapping[str, Any]) -> Key:
    name = request.get("key", "authentication")
    found = next((key for key in Key if key.name.lower() == name), None)
    if found is None:
        raise RequestError(reason="key")
    return found


def _digest(text: object) -> bytes:
    try:
        digest = bytes.fromhex(text) if isinstance(text, str) else b""
    except ValueError as error:
        raise RequestError(reason="digest") from error
    if len(digest) not in DIGEST_INFO:
        raise RequestError(reason="digest")
    return digest


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
