"""The card's side of the vpcd protocol: how a virtual card lies on the virtual reader of vsmartcard's PC/SC driver.

The driver listens on one TCP port for each slot. A card that connects is present, one that closes is gone. Frames are a
length of two bytes, big-endian, and a body; a body of one byte is a control code, a longer one a command APDU.
"""

import socket
import struct
import threading
import time
from contextlib import suppress
from enum import IntEnum, unique

from tests.sim.card.card import VirtualCard
from tests.sim.card.faults import CardRemovedError, SilentCardError

HOST = "127.0.0.1"
CONNECT_S = 5.0
# pcscd asks a slot every 0.4 s whether a card is there. An exchange of cards between two questions would go unseen, and
# after a failed reset pcscd then shows neither; no hand is that fast.
SETTLE_S = 0.65
LENGTH = struct.Struct("!H")
# Linger on, for 0 seconds: closing sends a reset at once (socket(7), SO_LINGER).
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@unique
class Control(IntEnum):
    OFF = 0
    ON = 1
    RESET = 2
    ATR = 4


class ReaderMissingError(ConnectionError):
    """Nobody listens where the driver's slot should be."""


class VirtualReader:
    """One slot of the virtual reader; ``port`` is the one the driver listens on for it.

    A card that its own ``removed_at`` takes away leaves the reader at exactly that exchange: the caller of PC/SC sees a
    failed transmission and then an empty reader. An answer that gets lost on the way (``SilentCardError``) looks like a
    short loss of the field: the transmission fails, and the card is back by itself after ``SETTLE_S``, unpowered. A
    card also waits on the reader while pcscd is away. Use one object for a slot: it knows when a card left.
    """

    def __init__(self, port: int) -> None:
        self.port = port
        self._lying: _LyingCard | None = None
        self._lock = threading.RLock()

    @property
    def card(self) -> VirtualCard | None:
        """The card that lies on the reader now."""
        lying = self._lying
        return lying.card if lying is not None and not lying.gone.is_set() else None

    def insert(self, card: VirtualCard) -> None:
        """Puts a card on, instead of another one if need be; waits until the reader has seen that it was empty.

        Raises ``ReaderMissingError`` if the driver is not listening.
        """
        with self._lock:
            self.remove()
            if self._lying is not None:
                self._lying.wait_until_settled()
            card.place()
            self._lying = _LyingCard(self.port, card)
            self._lying.start()

    def remove(self) -> None:
        """Takes the card away; nothing happens if there is none."""
        with self._lock:
            if self._lying is not None:
                self._lying.take_away()

    def wait_until_seen(self, timeout_s: float) -> bool:
        """Waits for pcscd to notice the card and to power it on, which takes up to 0.4 s; false if it did not."""
        return self._lying is not None and self._lying.seen.wait(timeout_s)

    def wait_until_gone(self, timeout_s: float) -> bool:
        """Waits for the card to leave, by itself or by ``remove``; false if it is still there."""
        return self._lying is None or self._lying.gone.wait(timeout_s)


class _LyingCard:
    """One stay of one card on one slot, served by a thread of its own."""

    def __init__(self, port: int, card: VirtualCard) -> None:
        self.card = card
        self.seen = threading.Event()
        self.gone = threading.Event()
        self._port = port
        self._left_at = 0.0
        self._answering = False
        try:
            self._connection = _connect(port)
        except OSError as error:
            raise ReaderMissingError(f"no virtual reader listens on port {port}") from error
        self._thread = threading.Thread(target=self._stay, name=f"card-{port}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def take_away(self) -> None:
        answering = self._answering
        self._leave()
        (_fail_transmission if answering else _shut)(self._connection)
        self._thread.join(CONNECT_S)

    def wait_until_settled(self) -> None:
        time.sleep(max(0.0, self._left_at + SETTLE_S - time.monotonic()))

    def _leave(self) -> None:
        if not self.gone.is_set():
            self.card.power_off()
            self._left_at = time.monotonic()
            self.gone.set()

    def _stay(self) -> None:
        while not self.gone.is_set():
            try:
                self._converse()
            except CardRemovedError:
                self._leave()
                _fail_transmission(self._connection)
            except SilentCardError:
                _fail_transmission(self._connection)
            except OSError:
                _shut(self._connection)  # broken by the driver, or by ``take_away``
            else:
                _shut(self._connection)  # pcscd ended
            self._answering = False
            self._come_back()

    def _come_back(self) -> None:
        self.card.power_off()
        self.seen.clear()
        while not self.gone.wait(SETTLE_S):
            with suppress(OSError):  # pcscd is still away
                self._connection = _connect(self._port)
                return

    def _converse(self) -> None:
        connection, card = self._connection, self.card
        while (frame := _receive(connection)) is not None:
            if len(frame) != 1:
                self._answering = True
                answer = card.transmit(frame)
                self._answering = False
                _send(connection, answer)
            elif frame[0] == Control.ATR:
                _send(connection, card.atr)
                if card.powered:
                    self.seen.set()
            elif frame[0] == Control.ON:
                card.power_on()
            elif frame[0] == Control.OFF:
                card.power_off()
            elif frame[0] == Control.RESET:
                card.reset()


def _connect(port: int) -> socket.socket:
    connection = socket.create_connection((HOST, port), CONNECT_S)
    if connection.getsockname() == connection.getpeername():
        # With nobody listening, a port of the kernel's own range can be connected to itself (TCP simultaneous open).
        connection.close()
        raise ConnectionRefusedError(port)
    connection.settimeout(None)
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def _receive(connection: socket.socket) -> bytes | None:
    head = _receive_exactly(connection, LENGTH.size)
    return None if head is None else _receive_exactly(connection, LENGTH.unpack(head)[0])


def _receive_exactly(connection: socket.socket, size: int) -> bytes | None:
    received = b""
    while len(received) < size:
        # Without this every answer waits 40 ms for the other side's delayed acknowledgement; the kernel forgets the
        # option after use (tcp(7)), so it is set each time.
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)
        part = connection.recv(size - len(received))
        if not part:
            return None
        received += part
    return received


def _send(connection: socket.socket, body: bytes) -> None:
    connection.sendall(LENGTH.pack(len(body)) + body)


def _fail_transmission(connection: socket.socket) -> None:
    """Breaks off inside an answer.

    The driver takes an orderly end for an empty answer, which no reader gives; a reset after a length makes it report
    a failed transmission, as a real one does.
    """
    with suppress(OSError):  # the driver was faster: the connection is broken, which is all that was wanted
        connection.sendall(LENGTH.pack(2))
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    connection.close()


def _shut(connection: socket.socket) -> None:
    with suppress(OSError):  # it was closed already
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
