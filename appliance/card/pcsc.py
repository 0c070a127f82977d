"""Readers and cards through PC/SC. The only module that knows pyscard; its errors never leave it.

Watching and every card have a PC/SC context of their own: a context that waits blocks whoever else uses it, and one
that outlived a restart of the service answers nothing any more.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NoReturn

from smartcard import scard

from appliance.card.connection import (
    CardAbsentError,
    CardMuteError,
    CardProtocolError,
    CardRemovedError,
    ReaderAbsentError,
    ReaderServiceError,
)
from appliance.card.readers import CardBusyError, Sighting
from appliance.card.service import CardState
from appliance.errors import MadoguchiError

NEW_READERS: Final = "\\\\?PnP?\\Notification"
PROTOCOLS: Final = scard.SCARD_PROTOCOL_T0 | scard.SCARD_PROTOCOL_T1
# pcscd looks at its readers every 400 ms; a card taken away in the middle is known after that at the latest.
REMOVAL_SEEN_MS: Final = 600
# Where the service starts by its socket, every question starts it: one that dies at once is not to be hurried.
ASK_AGAIN_S: Final = 1.0
COUNTER_SHIFT: Final = 16  # pcsc-lite: the upper half of an event state counts insertions and removals

_NO_READER = (
    scard.SCARD_E_UNKNOWN_READER,
    scard.SCARD_E_READER_UNAVAILABLE,
    scard.SCARD_E_NO_READERS_AVAILABLE,
)
_GONE = (scard.SCARD_W_REMOVED_CARD, scard.SCARD_E_NO_SMARTCARD)


@dataclass(frozen=True)
class _Slot:
    """One reader as PC/SC sees it; ``flags`` is a whole dwEventState."""

    reader: str
    flags: int

    @property
    def state(self) -> CardState:
        if self.flags & scard.SCARD_STATE_MUTE:
            return CardState.MUTE
        return CardState.PRESENT if self.flags & scard.SCARD_STATE_PRESENT else CardState.EMPTY


class _Context:
    """A connection to the service. Raises ``ReaderServiceError`` where it is away."""

    def __init__(self) -> None:
        code, self.handle = scard.SCardEstablishContext(scard.SCARD_SCOPE_SYSTEM)
        if code != scard.SCARD_S_SUCCESS:
            raise ReaderServiceError(reason=_name(code))

    def close(self) -> None:
        scard.SCardReleaseContext(self.handle)

    def readers(self) -> list[str]:
        code, names = scard.SCardListReaders(self.handle, [])
        if code == scard.SCARD_E_NO_READERS_AVAILABLE:
            return []
        if code != scard.SCARD_S_SUCCESS:
            raise ReaderServiceError(reason=_name(code))
        return list(names)

    def slots(self, known: Sequence[tuple[str, int]], timeout_ms: int) -> list[_Slot]:
        """The states of readers given with the flags last seen (0 for none); waits for one of them to differ."""
        code, states = scard.SCardGetStatusChange(self.handle, timeout_ms, list(known))
        if code in _NO_READER:
            return []
        if code in (scard.SCARD_E_TIMEOUT, scard.SCARD_E_CANCELLED):
            return [_Slot(name, flags) for name, flags in known if name != NEW_READERS]
        if code != scard.SCARD_S_SUCCESS:
            raise ReaderServiceError(reason=_name(code))
        return [_Slot(name, flags & ~scard.SCARD_STATE_CHANGED) for name, flags, _ in states if name != NEW_READERS]


class PcscCard:
    """One card under power, for this process alone. Implements ``Connection``."""

    def __init__(self, context: _Context, reader: str) -> None:
        """Takes the context over. Raises the errors of ``PcscReaders.open``."""
        self.reader = reader
        self._context = context
        self._stale = False
        code, self._card, self._protocol = scard.SCardConnect(
            context.handle, reader, scard.SCARD_SHARE_EXCLUSIVE, PROTOCOLS
        )
        if code != scard.SCARD_S_SUCCESS:
            context.close()
            _refuse_connecting(code, reader)

    def transmit(self, command: bytes | bytearray) -> tuple[bytes, int]:
        if self._stale:
            self._revive()
        message = list(command)
        try:
            code, answer = scard.SCardTransmit(self._card, self._protocol, message)
        finally:
            message[:] = [0] * len(message)
        if code != scard.SCARD_S_SUCCESS:
            self._explain(code)
        if not answer:  # some drivers give an empty answer for a card that left
            self._explain(scard.SCARD_F_COMM_ERROR)
        if len(answer) < 2:
            raise CardProtocolError(step="answer", reason="no status word")
        return bytes(answer[:-2]), answer[-2] << 8 | answer[-1]

    def close(self) -> None:
        """Takes the power from the card and gives the reader back. Never raises."""
        scard.SCardDisconnect(self._card, scard.SCARD_UNPOWER_CARD)
        self._context.close()

    def _revive(self) -> None:
        """Resets a card after a broken exchange, which also drops whatever was selected on it."""
        code, self._protocol = scard.SCardReconnect(
            self._card, scard.SCARD_SHARE_EXCLUSIVE, PROTOCOLS, scard.SCARD_UNPOWER_CARD
        )
        if code != scard.SCARD_S_SUCCESS:
            self._explain(code)
        self._stale = False

    def _explain(self, code: int) -> NoReturn:
        """Turns a failed exchange into the error that says why."""
        if code in _GONE or _left(self.reader, code):
            raise CardRemovedError()
        self._stale = True
        raise CardMuteError(reason=_name(code))


class PcscReaders:
    """The readers of this machine whose name begins with ``prefix``. Implements ``desk.Readers``.

    Of several, the one with a card counts, else the first: one device may offer a slot for contact and one without.
    ``wait`` and ``close`` are for one thread; ``open`` and ``wake`` may be called by others meanwhile.
    """

    def __init__(self, prefix: str = "") -> None:
        self._prefix = prefix
        self._context: _Context | None = None
        self._known: list[_Slot] = []
        self._away = False

    def wait(self, timeout_s: float) -> Sighting:
        """What is there, after a change or when the time is over. Never raises; a missing service is a sighting.

        That the service went away is a change; while it stays away, it is asked for every ``ASK_AGAIN_S`` at most.
        """
        try:
            if self._context is None:
                self._context = _Context()
            sighting = self._look(self._context, timeout_s)
        except ReaderServiceError:
            self.close()
            if self._away:
                time.sleep(min(timeout_s, ASK_AGAIN_S))
            self._away = True
            return Sighting(CardState.SERVICE_ABSENT, "", 0)
        self._away = False
        return sighting

    def open(self) -> PcscCard:
        """Powers the card up, for this process alone.

        Raises ``ReaderServiceError``, ``ReaderAbsentError``, ``CardAbsentError``, ``CardMuteError`` or
        ``CardBusyError`` if another program holds the card.
        """
        context = _Context()
        try:
            names = self._chosen(context)
            if not names:
                raise ReaderAbsentError(reader=self._prefix)
            slot = _foremost(context.slots([(name, scard.SCARD_STATE_UNAWARE) for name in names], 0))
            if slot is None:
                raise ReaderAbsentError(reader=self._prefix)
            if slot.state is CardState.EMPTY:
                raise CardAbsentError(reader=slot.reader)
        except MadoguchiError:
            context.close()
            raise
        return PcscCard(context, slot.reader)

    def power_off(self) -> bool:
        """Takes the power from the card on each of these readers, also where other programs share it.

        False where another program has one for itself alone. Raises ``ReaderServiceError``.
        """
        context = _Context()
        try:
            held = [name for name in self._chosen(context) if not _powered_off(context, name)]
            return not held
        finally:
            context.close()

    def wake(self) -> None:
        """Makes a ``wait`` in another thread return."""
        context = self._context
        if context is not None:
            scard.SCardCancel(context.handle)

    def close(self) -> None:
        context, self._context, self._known = self._context, None, []
        if context is not None:
            context.close()

    def _look(self, context: _Context, timeout_s: float) -> Sighting:
        names = self._chosen(context)
        flags = {slot.reader: slot.flags for slot in self._known}
        fresh = set(names) != set(flags)
        states = [(name, flags.get(name, scard.SCARD_STATE_UNAWARE)) for name in names]
        states.append((NEW_READERS, scard.SCARD_STATE_UNAWARE))
        # With a reader that was not seen before, the states come back at once.
        self._known = context.slots(states, 0 if fresh else int(timeout_s * 1000))
        slot = _foremost(self._known)
        if slot is None:
            return Sighting(CardState.READER_ABSENT, "", 0)
        return Sighting(slot.state, slot.reader, slot.flags >> COUNTER_SHIFT)

    def _chosen(self, context: _Context) -> list[str]:
        return [name for name in context.readers() if name.startswith(self._prefix)]


def _foremost(slots: list[_Slot]) -> _Slot | None:
    holding = [slot for slot in slots if slot.state is not CardState.EMPTY]
    return next(iter([*holding, *slots]), None)


def _powered_off(context: _Context, reader: str) -> bool:
    code, card, _ = scard.SCardConnect(context.handle, reader, scard.SCARD_SHARE_SHARED, PROTOCOLS)
    if code == scard.SCARD_S_SUCCESS:
        code = scard.SCardDisconnect(card, scard.SCARD_UNPOWER_CARD)
    return bool(code != scard.SCARD_E_SHARING_VIOLATION)  # else there is none, or none that answers


def _refuse_connecting(code: int, reader: str) -> NoReturn:
    if code == scard.SCARD_E_SHARING_VIOLATION:
        raise CardBusyError(by="another program")
    if code in _GONE or _left(reader, code):
        raise CardAbsentError(reader=reader)
    raise CardMuteError(reason=_name(code))


def _left(reader: str, code: int) -> bool:
    """Whether the card is gone, where the code of a failure alone cannot tell; asks the service anew.

    Raises ``ReaderAbsentError`` or ``ReaderServiceError`` if that is the reason.
    """
    if code in _NO_READER:
        raise ReaderAbsentError(reader=reader)
    context = _Context()
    try:
        if reader not in context.readers():
            raise ReaderAbsentError(reader=reader)
        now = context.slots([(reader, scard.SCARD_STATE_UNAWARE)], 0)
        if now and now[0].state is not CardState.EMPTY:
            now = context.slots([(reader, now[0].flags)], REMOVAL_SEEN_MS)
        return bool(now) and now[0].state is CardState.EMPTY
    finally:
        context.close()


def _name(code: int) -> str:
    return f"{code & 0xFFFFFFFF:08X}"
