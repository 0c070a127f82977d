"""Readers and cards through PC/SC. The only module that knows pyscard; its errors never leave it.

Watching and every card have a PC/SC context of their own: a context that waits blocks whoever else uses it, and one
that outlived a restart of the service answers nothing any more.
"""

import threading
import time
from collections.abc import Mapping
from typing import Final, NoReturn

from smartcard import scard

from appliance.card.choice import Choice, Slot
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
_UNPLUGGED = scard.SCARD_STATE_UNAVAILABLE | scard.SCARD_STATE_UNKNOWN
_IN_USE = scard.SCARD_STATE_EXCLUSIVE | scard.SCARD_STATE_INUSE
_GONE = (scard.SCARD_W_REMOVED_CARD, scard.SCARD_E_NO_SMARTCARD)


def _state(flags: int) -> CardState:
    """What a dwEventState says of the card."""
    if flags & scard.SCARD_STATE_MUTE:
        return CardState.MUTE
    return CardState.PRESENT if flags & scard.SCARD_STATE_PRESENT else CardState.EMPTY


class _OwnUse:
    """When this process itself has cards, so that it does not take its own use of a reader for another program's."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = 0
        self._ended = 0

    def begin(self) -> None:
        with self._lock:
            self._now += 1

    def end(self) -> None:
        with self._lock:
            self._now -= 1
            self._ended += 1

    @property
    def ended(self) -> int:
        return self._ended

    def none_since(self, ended: int) -> bool:
        """Whether there was no use since ``ended`` was read, and is none now."""
        with self._lock:
            return self._now == 0 and self._ended == ended


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

    def flags(self, known: Mapping[str, int], timeout_ms: int, new_readers: bool = False) -> dict[str, int] | None:
        """The dwEventState of readers given with the one last seen (0 for none); waits for one of them to differ.

        With ``new_readers`` also for any reader that is plugged in. A reader that is unplugged meanwhile is not among
        the answers; None if one was away before. That another program came or went ends no wait, but is among the
        answers when its time is over.
        """
        asked = [*known.items(), *([(NEW_READERS, scard.SCARD_STATE_UNAWARE)] if new_readers else [])]
        code, states = scard.SCardGetStatusChange(self.handle, timeout_ms, asked)
        if code in _NO_READER:
            return None
        if code == scard.SCARD_E_CANCELLED:
            return dict(known)
        if code not in (scard.SCARD_S_SUCCESS, scard.SCARD_E_TIMEOUT):
            raise ReaderServiceError(reason=_name(code))
        seen = {name: flags & ~scard.SCARD_STATE_CHANGED for name, flags, _ in states if name != NEW_READERS}
        return {name: flags for name, flags in seen.items() if not flags & _UNPLUGGED}


class PcscCard:
    """One card under power, for this process alone. Implements ``Connection``."""

    def __init__(self, context: _Context, reader: str, use: _OwnUse) -> None:
        """Takes the context over, and ends the use that was begun. Raises the errors of ``PcscReaders.open``."""
        self.reader = reader
        self._context = context
        self._use = use
        self._stale = False
        code, self._card, self._protocol = scard.SCardConnect(
            context.handle, reader, scard.SCARD_SHARE_EXCLUSIVE, PROTOCOLS
        )
        if code != scard.SCARD_S_SUCCESS:
            context.close()
            use.end()
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
        self._use.end()

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
    """The readers of this machine; which of them counts is for ``Choice``. Implements ``desk.Readers``.

    ``wait`` and ``close`` are for one thread; ``open`` and ``wake`` may be called by others meanwhile.
    """

    def __init__(self, prefix: str = "") -> None:
        self._choice = Choice(prefix)
        self._use = _OwnUse()
        self._context: _Context | None = None
        self._names: list[str] = []
        self._known: dict[str, int] = {}
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

    def open(self, reader: str = "") -> PcscCard:
        """As ``desk.Readers`` says."""
        context = _Context()
        try:
            slot = self._choice.foremost(self._slots_to_open(context, reader))
            if slot is None:
                raise ReaderAbsentError(reader=reader or self._choice.prefix)
            if slot.state is CardState.EMPTY:
                raise CardAbsentError(reader=slot.reader)
        except MadoguchiError:
            context.close()
            raise
        self._use.begin()
        card = PcscCard(context, slot.reader, self._use)
        self._choice.settle(slot.reader)
        return card

    def power_off(self) -> bool:
        """Takes the power from the card on each of these readers, also where other programs share it.

        False where another program has one for itself alone. Raises ``ReaderServiceError``.
        """
        context = _Context()
        self._use.begin()
        try:
            names = self._choice.allowed(context.readers())
            held = [name for name in names if not _powered_off(context, name)]
            return not held
        finally:
            self._use.end()
            context.close()

    def wake(self) -> None:
        """Makes a ``wait`` in another thread return."""
        context = self._context
        if context is not None:
            scard.SCardCancel(context.handle)

    def close(self) -> None:
        context, self._context, self._names, self._known = self._context, None, [], {}
        if context is not None:
            context.close()

    def _look(self, context: _Context, timeout_s: float) -> Sighting:
        before, self._names = self._names, context.readers()
        # A reader that was not seen before is told of at once.
        timeout_ms = int(timeout_s * 1000) if self._names == before else 0
        known = {name: self._known.get(name, scard.SCARD_STATE_UNAWARE) for name in self._allowed}
        ended = self._use.ended
        found = context.flags(known, timeout_ms, new_readers=True)
        if found is None:  # one of them was unplugged between the two questions
            self._names = context.readers()
            known = {name: known[name] for name in self._allowed if name in known}
            found = context.flags(known, 0) or {}
        # A reader that left while this looked was still among the names that were asked for.
        self._names = [name for name in self._names if name in found or name not in known]
        self._known = found
        others = self._use.none_since(ended)
        slots = [
            Slot(name, _state(flags), flags >> COUNTER_SHIFT, others and bool(flags & _IN_USE))
            for name, flags in found.items()
        ]
        slot = self._choice.foremost(slots)
        if slot is None:
            return Sighting(CardState.READER_ABSENT, "", 0, readers=tuple(self._names))
        self._choice.settle(slot.reader)
        return Sighting(slot.state, slot.reader, slot.mark, slot.held, tuple(self._names))

    @property
    def _allowed(self) -> list[str]:
        return self._choice.allowed(self._names)

    def _slots_to_open(self, context: _Context, reader: str) -> list[Slot]:
        names = [name for name in self._choice.allowed(context.readers()) if reader in ("", name)]
        found = context.flags(dict.fromkeys(names, scard.SCARD_STATE_UNAWARE), 0) if names else None
        return [Slot(name, _state(flags)) for name, flags in (found or {}).items()]


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
        now = context.flags({reader: scard.SCARD_STATE_UNAWARE}, 0) or {}
        if _state(now.get(reader, 0)) is not CardState.EMPTY:
            now = context.flags(now, REMOVAL_SEEN_MS) or {}
        if reader not in now:
            raise ReaderAbsentError(reader=reader)
        return _state(now[reader]) is CardState.EMPTY
    finally:
        context.close()


def _name(code: int) -> str:
    return f"{code & 0xFFFFFFFF:08X}"
