"""Which of several readers counts.

One device may offer a slot for contact and one without, and somebody may plug in a second device. What counts must not
depend on chance and never change under a person who has a card there.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from appliance.card.service import CardState

BEST_FIRST = (CardState.PRESENT, CardState.MUTE, CardState.EMPTY)


@dataclass(frozen=True)
class Slot:
    """One reader. ``mark`` differs after every insertion and removal; ``held``: a program other than ours uses it."""

    reader: str
    state: CardState
    mark: int = 0
    held: bool = False


class Choice:
    """Only readers whose name begins with ``prefix`` ever count.

    Of these, one with a card counts before one whose card does not answer, and that before an empty one. Among equals
    it is the one that counted before, so that a second card changes nothing; else the first by PC/SC's order.
    """

    def __init__(self, prefix: str) -> None:
        self.prefix = prefix
        self._counted = ""

    def allowed(self, names: Iterable[str]) -> list[str]:
        return [name for name in names if name.startswith(self.prefix)]

    def foremost(self, slots: Sequence[Slot]) -> Slot | None:
        """The one that counts among these; nothing is remembered of it yet."""

        def order(slot: Slot) -> tuple[int, bool]:
            return BEST_FIRST.index(slot.state), slot.reader != self._counted

        return min(slots, key=order, default=None)

    def settle(self, reader: str) -> None:
        """From now on this one counts among equals: it was told of, or its card is in use."""
        self._counted = reader
