"""What the box does when the hub proves that its database is an older copy: it begins a new generation, by itself."""

from appliance.errors import MadoguchiError
from appliance.ledger.entry import EPOCH_MS
from appliance.ledger.generation import Reason, generation_of, is_later
from appliance.ledger.rollback import LaterHead
from appliance.services.generations import begin_generation, opening_of
from appliance.services.opening import OpenBox

PAUSE_MS = 3_600_000
"""Between two generations that a box begins by itself. Two boxes with one key would otherwise chase each other."""


class Rollback:
    """One for each program that hears the hub; it remembers nothing that the ledger does not say."""

    def __init__(self, box: OpenBox) -> None:
        self._box = box

    def answer(self, later: LaterHead) -> str | None:
        """The ledger that is written from now on; None while the last new generation is too young for another one.

        Asked again with the same proof, it begins no further one. Raises ``store.*`` if nothing could be begun.
        """
        box = self._box
        if is_later(box.school.origin, than=later.head.origin):
            return box.school.origin  # begun after this proof was made
        if self._wait_ms():
            return None
        noted = self._noted_generation()
        box.room.use(
            lambda: begin_generation(
                box.database,
                box.ledger.signing_key,
                box.clock,
                Reason.ROLLED_BACK,
                note=box.note,
                peer=later,
                after=noted,
            )
        )
        box.look_again()
        return box.school.origin

    def _wait_ms(self) -> int:
        """For how long no other generation may begin; 0 for a wall clock that stands before the beginning."""
        opening = opening_of(self._box.ledger)
        if opening is None or opening.reason is not Reason.ROLLED_BACK:
            return 0
        passed_ms = self._box.clock.now_ms() - EPOCH_MS - self._box.ledger.entry(0).time_ms
        return max(0, PAUSE_MS - passed_ms) if passed_ms >= 0 else 0

    def _noted_generation(self) -> int:
        """The generation that the note beside the database speaks of: one that began after the copy was made, and that
        the hub has perhaps never heard of, must not be begun twice."""
        try:
            noted = self._box.note.read()
            if noted is None:
                return 0
            noted.open(self._box.ledger.public_key)
        except MadoguchiError:
            return 0  # damaged, or of another key: it says nothing of this ledger
        own, its = generation_of(self._box.school.origin), generation_of(noted.origin)
        return its[1] if own is not None and its is not None and own[0] == its[0] else 0
