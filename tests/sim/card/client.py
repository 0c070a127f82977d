"""How other processes put cards on the stage and take them off."""

import json
import socket
from pathlib import Path

ANSWER_S = 15.0

Reply = dict[str, object]
Replies = list[Reply]


class StageError(Exception):
    """The stage refused; the text is its reason."""


class CardStage:
    """The stage as other processes use it. Every method raises ``StageError`` if the stage refuses or is away."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def insert(self, card: str, slot: int = 0) -> None:
        self._ask("insert", card=card, slot=slot)

    def remove(self, slot: int = 0) -> str | None:
        """The name of the card that was taken away."""
        removed = self._ask("remove", slot=slot)["removed"]
        return None if removed is None else str(removed)

    def set(self, card: str | None = None, /, **state: object) -> None:
        """Edits the state of a card, of the one on the first slot without a name."""
        self._ask("set", **({"card": card} if card else {}), **state)

    def status(self, slot: int = 0) -> Reply:
        slots = self._ask("status")["slots"]
        if not isinstance(slots, list) or slot >= len(slots):
            raise StageError("there is no such slot")
        return dict(slots[slot])

    def list(self) -> Replies:
        cards = self._ask("list")["cards"]
        return [dict(card) for card in cards] if isinstance(cards, list) else []

    def trace(self, card: str | None = None) -> Replies:
        """The last exchanges of a card; PINs are not in it."""
        exchanges = self._ask("trace", card=card)["exchanges"]
        return [dict(one) for one in exchanges] if isinstance(exchanges, list) else []

    def _ask(self, op: str, **fields: object) -> Reply:
        try:
            with socket.socket(socket.AF_UNIX) as line:
                line.settimeout(ANSWER_S)
                line.connect(str(self.path))
                line.sendall(json.dumps({"op": op, **fields}).encode() + b"\n")
                with line.makefile("rb") as answers:
                    answer = json.loads(answers.readline())
        except (OSError, ValueError) as error:
            raise StageError(f"the stage at {self.path} does not answer") from error
        if not answer["ok"]:
            raise StageError(answer["error"])
        return dict(answer)
