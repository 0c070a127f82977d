"""The stage: a process that holds the virtual reader, and how others put cards on and take them off.

One request and one answer, each a JSON object on a line, over a Unix socket. An answer has ``ok``; if that is false,
``error`` says why. Neither PINs nor certificates ever come back over it.
"""

import json
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path

from tests.sim.card.card import VirtualCard
from tests.sim.card.client import Reply, StageError
from tests.sim.card.deck import Deck
from tests.sim.card.edit import change
from tests.sim.card.faults import INSTANT, Timing
from tests.sim.card.files import Secret
from tests.sim.card.vpcd import ReaderMissingError, VirtualReader

MAX_LINE_BYTES = 65536


class Stage:
    """Cards of a deck and the slots they go on. Every card keeps its state until the stage ends.

    ``pace`` gives the time that a card of this name takes.
    """

    def __init__(
        self, deck: Deck, readers: tuple[VirtualReader, ...], pace: Callable[[str], Timing] = lambda _: INSTANT
    ) -> None:
        self._deck = deck
        self._readers = readers
        self._pace = pace
        self._cards: dict[str, VirtualCard] = {}
        self._lock = threading.Lock()

    def handle(self, request: object) -> Reply:
        """Carries one request out. Raises nothing: what went wrong is in the answer."""
        operations: dict[str, Callable[[dict[str, object]], Reply]] = {
            "insert": self._insert,
            "remove": self._remove,
            "list": self._list,
            "set": self._set,
            "status": self._status,
            "trace": self._trace,
        }
        try:
            if not isinstance(request, dict) or request.get("op") not in operations:
                raise StageError(f"op must be one of {', '.join(operations)}")
            with self._lock:
                return {"ok": True, **operations[str(request["op"])](request)}
        except (StageError, ReaderMissingError) as error:
            return {"ok": False, "error": str(error)}

    def clear(self) -> None:
        for reader in self._readers:
            reader.remove()

    def _insert(self, request: dict[str, object]) -> Reply:
        reader, card = self._reader(request), self._card(request.get("card"))
        if any(other.card is card for other in self._readers if other is not reader):
            raise StageError("this card lies on the other reader")
        reader.insert(card)
        return {}

    def _remove(self, request: dict[str, object]) -> Reply:
        reader = self._reader(request)
        was = self._name_of(reader.card)
        reader.remove()
        return {"removed": was}

    def _list(self, _: dict[str, object]) -> Reply:
        return {"cards": [{"card": name, **self._brief(name)} for name in self._deck.names()]}

    def _set(self, request: dict[str, object]) -> Reply:
        name = request.get("card") or self._name_of(self._reader(request).card)
        if name is None:
            raise StageError("there is no card on the reader: say which card")
        card = self._card(name)
        changes = {key: value for key, value in request.items() if key not in ("op", "card", "slot")}
        # All or nothing: everything is checked on the way to a list of what to do.
        try:
            doing = [change(card, key, value) for key, value in changes.items()]
        except ValueError as error:
            raise StageError(str(error)) from error
        for do in doing:
            do()
        return {"card": name}

    def _status(self, _: dict[str, object]) -> Reply:
        return {"slots": [self._slot(number, reader) for number, reader in enumerate(self._readers)]}

    def _trace(self, request: dict[str, object]) -> Reply:
        card = self._reader(request).card if request.get("card") is None else self._card(request["card"])
        exchanges = card.exchanges[-200:] if card else []
        return {"exchanges": [vars(one) for one in exchanges]}

    def _slot(self, number: int, reader: VirtualReader) -> Reply:
        card = reader.card
        said: Reply = {"slot": number, "port": reader.port, "card": self._name_of(card)}
        if card is not None:
            said |= {
                "kind": str(card.kind),
                "powered": card.powered,
                "exchanges": card.count,
                "pin_tries": card.pin_tries,
                "password_tries": card.password_tries,
                "pin_locked": card.pin_locked,
                "verified": Secret.PIN in card.verified,
                "forbidden_selected": len(card.forbidden_selected),
            }
        return said

    def _brief(self, name: str) -> Reply:
        card = self._card(name)
        on = [number for number, reader in enumerate(self._readers) if reader.card is card]
        return {
            "holder": self._deck.load(name).person.name,
            "kind": str(card.kind),
            "pin_tries": card.pin_tries,
            "pin_locked": card.pin_locked,
            "slot": on[0] if on else None,
        }

    def _card(self, name: object) -> VirtualCard:
        if not isinstance(name, str) or name not in self._deck.names():
            raise StageError(f"no such card; there are {', '.join(self._deck.names()) or 'none'}")
        if name not in self._cards:
            card = self._cards[name] = self._deck.load(name).make_card()
            card.timing = self._pace(name)
        return self._cards[name]

    def _name_of(self, card: VirtualCard | None) -> str | None:
        return next((name for name, one in self._cards.items() if one is card), None)

    def _reader(self, request: dict[str, object]) -> VirtualReader:
        slot = request.get("slot", 0)
        if not isinstance(slot, int) or not 0 <= slot < len(self._readers):
            raise StageError(f"slot must be 0 to {len(self._readers) - 1}")
        return self._readers[slot]


class StageServer(socketserver.ThreadingUnixStreamServer):
    """Serves a stage on a socket that only its owner can open."""

    daemon_threads = True

    def __init__(self, path: Path, stage: Stage) -> None:
        self.stage = stage
        path.unlink(missing_ok=True)
        super().__init__(str(path), _Conversation)
        path.chmod(0o600)


class _Conversation(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        server = self.server
        if not isinstance(server, StageServer):
            raise TypeError("a conversation belongs to a StageServer")
        while line := self.rfile.readline(MAX_LINE_BYTES):
            try:
                request = json.loads(line)
            except ValueError:
                request = None
            self.wfile.write(json.dumps(server.stage.handle(request), ensure_ascii=False).encode() + b"\n")
