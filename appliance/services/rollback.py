"""What the box does when its database is proven to be an older copy: it begins a new generation, by itself.

The hub proves it with a head that the database does not lead to, or the box's own keys do, where the database knows
only a key that was given up.
"""

from collections.abc import Sequence

from appliance.clock import Clock
from appliance.errors import MadoguchiError
from appliance.ledger.entry import EPOCH_MS
from appliance.ledger.generation import Reason, generation_of, is_later
from appliance.ledger.keys import SigningKey, VerifyingKey
from appliance.ledger.rollback import LaterHead
from appliance.ledger.succession import leading_on
from appliance.services.generations import begin_generation, opening_of
from appliance.services.opening import MEMORY_NAME, NOTE_NAME, NotFoundedError, OpenBox
from appliance.services.room import Room
from appliance.store.database import Database
from appliance.store.key_memory import KeyMemory
from appliance.store.ledger import LedgerStore
from appliance.store.note import HeadNote

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
        return _noted_generation(self._box.note, self._box.school.origin, self._box.ledger.public_key)


def outgrown_generation(database: Database, keys: Sequence[SigningKey], clock: Clock) -> str | None:
    """Begins a new generation if the database is older than a change of the device key, which ``keys`` are from after;
    its origin, None where that is not so or cannot be proven.

    Nobody could sign the ledger as it is: the key that it knows was given up. The proof is what the keys said of each
    other (``KeyMemory``), and it goes into the first entry, for the hub. Raises ``store.*`` if nothing could be begun.
    """
    found = database.row("SELECT origin FROM school")
    if found is None:
        raise NotFoundedError()
    held = {key.public.key_id: key for key in keys}
    ledger, folder = LedgerStore.find(database, found[0]), database.path.parent
    newest = ledger.keys.newest
    if newest.key.key_id in held:
        return None
    remembered = KeyMemory(folder / MEMORY_NAME).read()
    way = list(leading_on(ledger.origin, newest, remembered))
    while way and way[-1][1].key.key_id not in held:
        way.pop()
    if not way:
        return None
    key, note = held[way[-1][1].key.key_id], HeadNote(folder / NOTE_NAME)
    named = [generation_of(one.origin) for one, _ in way]
    after = max(_noted_generation(note, ledger.origin, key.public), *(one[1] for one in named if one is not None))
    return Room(database.path).use(
        lambda: begin_generation(
            database,
            key,
            clock,
            Reason.ROLLED_BACK,
            note=note,
            after=after,
            followed=[one for one, _ in way],
        )
    )


def _noted_generation(note: HeadNote, origin: str, key: VerifyingKey) -> int:
    """The generation that the note beside the database speaks of: one that began after the copy was made, and that the
    hub has perhaps never heard of, must not be begun twice."""
    try:
        noted = note.read()
        if noted is None:
            return 0
        noted.open(key)
    except MadoguchiError:
        return 0  # damaged, or of another key: it says nothing of this ledger
    own, its = generation_of(origin), generation_of(noted.origin)
    return its[1] if own is not None and its is not None and own[0] == its[0] else 0
