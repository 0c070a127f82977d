"""A table with a virtual card on it: the seams of the product, without PC/SC between them."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from hypothesis import settings

from appliance.card.choice import Choice, Slot
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


@dataclass
class Place:
    """One reader on the table. ``held`` is true while anybody uses it, ``by_us`` while we do."""

    reader: str
    card: VirtualCard | None = None
    plugged: bool = True
    held: bool = False
    by_us: bool = False
    mark: int = 0

    @property
    def slot(self) -> Slot:
        state = CardState.PRESENT if self.card else CardState.EMPTY
        return Slot(self.reader, state, self.mark, self.held and not self.by_us)


class TableCard(Wire):
    """A card under power that must be given back."""

    def __init__(self, card: VirtualCard, place: Place, table: "Table") -> None:
        super().__init__(card)
        self.reader = place.reader
        self._place = place
        self._table = table
        place.held = place.by_us = True

    def transmit(self, command: bytes | bytearray) -> tuple[bytes, int]:
        if self._table.away:
            raise ReaderServiceError()
        if not self._place.plugged:
            raise ReaderAbsentError(reader=self.reader)
        if self._place.card is not self.card:
            raise CardRemovedError()
        try:
            return super().transmit(command)
        except CardRemovedError:
            self._table.take(self.reader)
            raise

    def close(self) -> None:
        self.card.power_off()
        self._place.held = self._place.by_us = False


class Table:
    """Readers without PC/SC: implements ``desk.Readers`` with the product's own ``Choice``.

    Where no reader is named, the first is meant. ``away``: the service does not answer.
    """

    def __init__(self, *readers: str, prefix: str = "") -> None:
        self._places = [Place(reader) for reader in readers or (READER,)]
        self._choice = Choice(prefix)
        self.service_lost = False
        self.away = False
        self._changed = threading.Condition()

    @property
    def card(self) -> VirtualCard | None:
        return self._places[0].card

    @property
    def held(self) -> bool:
        return self._places[0].held

    @held.setter
    def held(self, held: bool) -> None:
        """Another program takes the first reader, or lets go of it."""
        self._places[0].held = held

    def put(self, card: VirtualCard, reader: str = "") -> None:
        card.place()
        self._change(reader, card=card)

    def take(self, reader: str = "") -> None:
        self._change(reader, card=None)

    def unplug(self, reader: str = "") -> None:
        self._change(reader, card=None, plugged=False)

    def plug(self, reader: str = "") -> None:
        self._change(reader, card=None, plugged=True)

    def wait(self, timeout_s: float) -> Sighting:
        with self._changed:
            if timeout_s:
                self._changed.wait(min(timeout_s, 0.02))
            return self._sighting()

    def open(self, reader: str = "") -> TableCard:
        if self.away:
            raise ReaderServiceError()
        slot = self._choice.foremost([place.slot for place in self._allowed() if reader in ("", place.reader)])
        if slot is None:
            raise ReaderAbsentError()
        place = self._place(slot.reader)
        if place.card is None:
            raise CardAbsentError()
        if place.held:
            raise CardBusyError(by="another program")
        self._choice.settle(place.reader)
        return TableCard(place.card, place, self)

    def power_off(self) -> bool:
        if self.service_lost:
            raise ReaderServiceError()
        for place in self._allowed():
            if place.card is not None and not place.held:
                place.card.power_off()
        return not any(place.held for place in self._allowed())

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing to give back."""

    def _place(self, reader: str) -> Place:
        return next(place for place in self._places if reader in ("", place.reader))

    def _allowed(self) -> list[Place]:
        there = {place.reader: place for place in self._places if place.plugged}
        return [there[name] for name in self._choice.allowed(there)]

    def _change(self, reader: str, card: VirtualCard | None, plugged: bool | None = None) -> None:
        with self._changed:
            place = self._place(reader)
            place.card = card
            place.plugged = place.plugged if plugged is None else plugged
            place.mark += 1
            self._changed.notify_all()

    def _sighting(self) -> Sighting:
        if self.away:
            return Sighting(CardState.SERVICE_ABSENT, "", 0)
        readers = tuple(place.reader for place in self._places if place.plugged)
        slot = self._choice.foremost([place.slot for place in self._allowed()])
        if slot is None:
            return Sighting(CardState.READER_ABSENT, "", 0, readers=readers)
        self._choice.settle(slot.reader)
        return Sighting(slot.state, slot.reader, slot.mark, slot.held, readers)
