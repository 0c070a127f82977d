"""A new key to sign the ledger with, while every program goes on with its work (docs/decisions/0018).

The successor lies beside the key until it takes its place, and the ledger says which of the two signs: whenever this is
interrupted, exactly one of them does, every program that holds both goes on with it, and running it again ends it.
"""

from contextlib import suppress

from appliance.ledger.generation import Told
from appliance.ledger.keys import SigningKey
from appliance.ledger.signers import SigningPeriod
from appliance.ledger.succession import chain_of, check_chain
from appliance.services.device_keys import DeviceKeys
from appliance.services.founding import DEVICE_KEY
from appliance.services.generations import generations
from appliance.services.opening import MEMORY_NAME, OpenBox
from appliance.services.successor import RotationRunningError, Successor, alone
from appliance.store.database import Database
from appliance.store.key_memory import KeyMemory
from appliance.store.ledger import LedgerStore, NoLedgerError


class DeviceKeyRotation:
    """Changes the key that signs the ledger of this box."""

    def __init__(self, box: OpenBox) -> None:
        self._box, self._folder = box, box.database.path.parent
        self._successor = Successor(DEVICE_KEY)

    @property
    def sealed(self) -> bool:
        """Whether somebody else keeps the keys and handed them in, as systemd does."""
        return self._successor.sealed

    @property
    def unfinished(self) -> bool:
        """Whether a successor is there and nobody is at work on it."""
        return self._successor.left_in(self._folder)

    def run(self) -> SigningPeriod:
        """Changes the key, or brings a change to its end that was interrupted; since when the new one signs.

        1. Nobody else does so at the same time.
        2. There is a successor: one that an interrupted change left, or a new one, durable before it is used.
        3. The ledger tells of it, in one transaction that the key before signs, unless it does already.
        4. The keys of the ledger follow from the first one, and the successor is the last.
        5. What the keys said of each other is remembered beside the database as well.
        6. The successor takes the place of the key in one step; sealed keys are replaced by who sealed them.

        Raises ``keys.*``, ``ledger.*`` or ``store.*``; what was there before goes on being right.
        """
        with alone(self._folder):
            ledger = self._box.ledger
            successor = _successor()
            if successor is None or ledger.public_key != successor.public:
                _ = ledger.signing_key  # a box without it is told so before anything is made
                if successor is None:
                    successor = SigningKey.make()
                    self._successor.keep(successor.pem())
                self._hand_over(successor)
            check_chain(ledger.keys, ledger.origin)
            remember_keys(self._box.database)
            self._successor.take_over()
            return ledger.keys.newest

    def _hand_over(self, successor: SigningKey) -> None:
        # The key may be in foreign hands: it is given up on a full disk as well.
        self._box.room.use(lambda: self._box.ledger.hand_over(successor))


def finish_device_key(database: Database) -> bool:
    """Ends a change of which only the last step is missing, as at a start; whether it did."""
    waiting = Successor(DEVICE_KEY)
    with suppress(RotationRunningError), alone(database.path.parent):
        found = database.row("SELECT origin FROM school")
        if found is None or waiting.sealed or (successor := _successor()) is None:
            return False
        with suppress(NoLedgerError):
            if LedgerStore.find(database, found[0]).public_key == successor.public:
                remember_keys(database)
                waiting.take_over()
                return True
    return False


def remember_keys(database: Database) -> None:
    """Writes down beside the database which key followed which, for the day on which an older copy is put back."""
    told = (Told(one.origin, cose) for one in generations(database) for cose in chain_of(one.keys))
    KeyMemory(database.path.parent / MEMORY_NAME).add(told)


def _successor() -> SigningKey | None:
    _, *rest = DeviceKeys()()
    return rest[0] if rest else None
