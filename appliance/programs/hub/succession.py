"""A box that goes on in a new generation of its ledger because its database was put back: taken by itself, and shown.

Only the key that is pinned for the school can begin one here; a box with another key is admitted by a person.
"""

from dataclasses import fields, replace

from appliance.ledger.carried import BranchError, check_branch
from appliance.ledger.entry import EntryType
from appliance.ledger.generation import NamedHead, Opening, OpeningError, Reason, Told, is_later
from appliance.ledger.keys import VerifyingKey
from appliance.ledger.merkle import Frontier
from appliance.ledger.signers import SigningPeriod
from appliance.ledger.succession import leading_on
from appliance.ledger.verify import Batch, OriginError, verify_batch
from appliance.programs.hub.registry import Registry, Succession
from appliance.store.database import Database, Row
from appliance.store.ledger import LedgerStore, NoLedgerError
from appliance.store.mirror import MirrorLedger

PENDING, COMPLETE, INCOMPLETE = "pending", "complete", "incomplete"
PLACES = ", ".join("?" * len(fields(Succession)))


class Successions:
    """Reading and writing them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def take(self, batch: Batch, known: str, now_ms: int) -> Succession:
        """Takes a new generation in the place of the mirrored ledger ``known``, which stays here as it is.

        1. It is a later generation of the known ledger, and begins at its beginning.
        2. The batch verifies with the newest key of the known ledger, or with one that this key led on to.
        3. Its first entry says that the box's database was put back.
        4. It names a head that this mirror has had: the box has heard from this hub that it was overtaken. Or it can be
           seen that the copy was older: its ledger is not the last one, or a key followed at a size that it never had.

        Raises an ``UntrustedError``, and changes nothing then. The batch itself is stored afterwards, like any other.
        """
        before = MirrorLedger.find(self._database, known)
        if not is_later(batch.origin, than=known) or batch.first != 0:
            raise OriginError(expected=known)
        opening = _opening(batch)  # which of its keys signed is in it, and nothing of it is believed before
        newest = before.keys.newest
        way = list(leading_on(known, newest, opening.followed))
        key = way[-1][1].key if way else newest.key
        verified = verify_batch(batch, batch.origin, Frontier(), 0, key)
        if verified.entries[0].type != EntryType.LEDGER_OPENED.number or opening.reason is not Reason.ROLLED_BACK:
            raise OriginError(expected=known)
        if not _was_put_back(opening, before, way):
            raise OriginError(expected=known)
        self._add_mirror(batch.origin, known, key)
        return self._note(opening, before, now_ms)

    def note_admitted(self, school: str, origin: str, now_ms: int) -> None:
        """The beginning of a generation that a person admitted is here: remembered for its branch, and as seen."""
        body = LedgerStore.find(self._database, origin).body(0)
        try:
            opening = None if body is None else Opening.read(body.read())
        except OpeningError:
            return  # of a box that is older or wrong; the person who admitted it knows what it is
        if opening is None:
            return
        try:
            mirrored = LedgerStore.find(self._database, opening.previous.origin).head().size
        except NoLedgerError:
            mirrored = 0
        row = _row(opening, school, opening.previous.origin, mirrored, now_ms, seen_ms=now_ms)
        with self._database.transaction() as transaction:
            transaction.run(f"INSERT OR IGNORE INTO succession VALUES ({PLACES})", row)  # noqa: S608

    def check(self, origin: str) -> Succession | None:
        """Looks whether the branch that was carried over is whole, as soon as all of it is here.

        None while nothing is to be said: no such generation, already told, or not all of it here.
        """
        found = self._database.row("SELECT * FROM succession WHERE origin = ? AND branch = ?", (origin, PENDING))
        if found is None:
            return None
        succession, ledger = Succession(*found), LedgerStore.find(self._database, origin)
        if ledger.head().size < 1 + succession.carried:
            return None
        branch = COMPLETE if self._is_complete(succession, ledger) else INCOMPLETE
        with self._database.transaction() as transaction:
            transaction.run("UPDATE succession SET branch = ? WHERE origin = ?", (branch, origin))
        return replace(succession, branch=branch)

    def _is_complete(self, succession: Succession, ledger: LedgerStore) -> bool:
        opened = ledger.body(0)
        try:
            opening = None if opened is None else Opening.read(opened.read())
            closed = LedgerStore.find(self._database, succession.closed)
            if opening is None or closed.head().size < opening.first:
                return False
            carried = (item.body for item in ledger.items(1, 1 + opening.count))
            check_branch(closed.frontier_at(opening.first), carried, opening.previous)
        except (OpeningError, BranchError, NoLedgerError):
            return False
        return True

    def _add_mirror(self, origin: str, known: str, key: VerifyingKey) -> None:
        try:
            left = MirrorLedger.find(self._database, origin)  # by a hub that was killed right here
        except NoLedgerError:
            MirrorLedger.add(self._database, origin, key)
            return
        if left.public_key.key_id != key.key_id or left.head().size:
            raise OriginError(expected=known)

    def _note(self, opening: Opening, before: MirrorLedger, now_ms: int) -> Succession:
        mirrored = before.head().size
        with self._database.transaction() as transaction:
            school = Registry(self._database).go_on(transaction, before.origin, opening.origin)
            row = _row(opening, school, before.origin, mirrored, now_ms, seen_ms=None)
            transaction.run(f"INSERT INTO succession VALUES ({PLACES})", row)  # noqa: S608
        return Succession(*row)


def _row(opening: Opening, school: str, before: str, mirrored: int, now_ms: int, seen_ms: int | None) -> Row:
    """In the order of the table's columns, which is that of the fields of ``Succession``."""
    closed = opening.previous
    begun = (opening.origin, school, opening.reason.value, now_ms, before, mirrored)
    return (*begun, closed.origin, closed.size, opening.first, opening.count, PENDING, seen_ms)


def _opening(batch: Batch) -> Opening:
    body = batch.items[0].body if batch.items else None
    opening = None if body is None else Opening.read(body.read())
    if opening is None or opening.origin != batch.origin:
        raise OpeningError()
    return opening


def _was_put_back(opening: Opening, before: MirrorLedger, way: list[tuple[Told, SigningPeriod]]) -> bool:
    if opening.peer is not None:
        return _has(before, opening.peer)
    closed = opening.previous
    if closed.origin != before.origin:
        return is_later(before.origin, than=closed.origin)
    changes = [before.keys.newest.change, *(period.change for told, period in way if told.origin == closed.origin)]
    return max(changes) >= closed.size or any(told.origin != closed.origin for told, _ in way)


def _has(mirror: MirrorLedger, head: NamedHead) -> bool:
    """Whether the mirror has had this head. It may have grown since: another batch was on its way."""
    if head.origin != mirror.origin or not 0 < head.size <= mirror.head().size:
        return False
    return mirror.root_at(head.size) == head.root
