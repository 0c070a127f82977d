"""A table with a virtual card on it: the seams of the product, without PC/SC between them."""

import threading
from collections.abc import Iterable
from typing import Protocol

from hypothesis import settings

from appliance.card.connection import (
    CardAbsentError,
    CardMuteError,
    CardProtocolError,
    CardRemovedError,
    ReaderAbsentError,
    ReaderServiceError,
)
from appliance.card.key import Key
from appliance.card.readers import CardBusyError, Sighting
from appliance.card.service import CardState
from tests.sim.card import faults
from tests.sim.card.card import VirtualCard

READER = "Table 00"
# No examples are kept between runs, and a shared machine may be slow.
quietly = settings(database=None, deadline=None)


class Wire:
    """A virtual card as a ``Connection``, powered up when made."""

    def __init__(self, card: VirtualCard) -> None:
        self.card = card
        card.power_on()

    def transmit(self, command: bytes | bytearray) -> tuple[bytes, int]:
        try:
            answer = self.card.transmit(bytes(command))
        except faults.CardRemovedError as error:
            raise CardRemovedError() from error
        except faults.SilentCardError as error:
            raise CardMuteError() from error
        if len(answer) < 2:
            raise CardProtocolError(step="answer")
        return answer[:-2], int.from_bytes(answer[-2:])


class Signer(Protocol):
    """A session with a card, at whichever level."""

    def open(self, secret: bytearray, key: Key = ..., last_try: bool = ...) -> None: ...
    def sign(self, digest: bytes, key: Key = ...) -> bytes: ...


def signed(
    signer: Signer, secret: bytearray, digest: bytes, last_try: bool = False, key: Key = Key.AUTHENTICATION
) -> bytes:
    """Opens the card and lets it sign."""
    signer.open(secret, key, last_try)
    return signer.sign(digest, key)


class Script:
    """A connection that answers what a test wrote down, and remembers what it was told, as hexadecimal.

    An answer is hexadecimal with its status word, or an error to raise.
    """

    def __init__(self, answers: Iterable[str | Exception]) -> None:
        self._answers = list(answers)
        self.commands: list[str] = []
        self.buffers: list[bytes | bytearray] = []

    def transmit(self, command: bytes | bytearray) -> tuple[bytes, int]:
        self.commands.append(bytes(command).hex().upper())
        self.buffers.append(command)
        answer = self._answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        raw = bytes.fromhex(answer)
        return raw[:-2], int.from_bytes(raw[-2:])


class TableCard(Wire):
    """A card under power that must be given back."""

    reader = READER

    def __init__(self, card: VirtualCard, table: "Table") -> None:
        super().__init__(card)
        self._table = table

    def transmit(self, command: bytes | bytearray) -> tuple[bytes, int]:
        if self._table.card is not self.card:
            raise CardRemovedError()
        try:
            return super().transmit(command)
        except CardRemovedError:
            self._table.take()
            raise

    def close(self) -> None:
        self.card.power_off()
        self._table.held = False


class Table:
    """A reader without PC/SC: implements ``desk.Readers``."""

    def __init__(self) -> None:
        self.card: VirtualCard | None = None
        self.plugged = True
        self.held = False
        self.service_lost = False
        self._mark = 0
        self._changed = threading.Condition()

    def put(self, card: VirtualCard) -> None:
        card.place()
        self._change(card)

    def take(self) -> None:
        self._change(None)

    def unplug(self) -> None:
        self.plugged = False
        self._change(None)

    def plug(self) -> None:
        self.plugged = True
        self._change(None)

    def wait(self, timeout_s: float) -> Sighting:
        with self._changed:
            if timeout_s:
                self._changed.wait(min(timeout_s, 0.02))
            return self._sighting()

    def open(self) -> TableCard:
        if not self.plugged:
            raise ReaderAbsentError()
        if self.card is None:
            raise CardAbsentError()
        if self.held:
            raise CardBusyError(by="another program")
        self.held = True
        return TableCard(self.card, self)

    def power_off(self) -> bool:
        if self.service_lost:
            raise ReaderServiceError()
        if self.card is not None and not self.held:
            self.card.power_off()
        return not self.held

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing to give back."""

    def _change(self, card: VirtualCard | None) -> None:
        with self._changed:
            self.card = card
            self._mark += 1
            self._changed.notify_all()

    def _sighting(self) -> Sighting:
        if not self.plugged:
            return Sighting(CardState.READER_ABSENT, "", 0)
        return Sighting(CardState.PRESENT if self.card else CardState.EMPTY, READER, self._mark)
