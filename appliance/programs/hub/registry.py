"""The schools of this hub, and what it last heard of each. Nothing personal is here."""

from dataclasses import dataclass

from appliance.errors import RefusedError
from appliance.store.database import Database, Row, Transaction
from appliance.store.tree import Tree
from appliance.sync.wire import State

FORGOTTEN = "size = NULL, cosigned = NULL, refused_code = NULL, refused_ms = NULL"


class UnknownSchoolError(RefusedError):
    """A code that was never admitted."""

    code = "hub.unknown_school"


@dataclass(frozen=True, slots=True)
class AdmittedSchool:
    """``box_origin`` is the ledger of its box, ``feed_origin`` the ledger that this hub writes for it."""

    code: str
    name: str
    box_origin: str
    feed_origin: str


@dataclass(frozen=True, slots=True)
class Succession:
    """A generation of a box's ledger that took the place of ``before``, of which ``mirrored`` entries are here.

    ``closed`` and ``closed_size`` are the ledger as the box had it: its older copy. ``carried`` of its entries, from
    ``first`` on, come over, and ``branch`` says whether they are all that this hub did not have of it: ``pending``,
    ``complete`` or ``incomplete``. Times are milliseconds since 1970; ``seen_ms`` is None until a person has seen it.
    """

    origin: str
    school: str
    reason: str
    at_ms: int
    before: str
    mirrored: int
    closed: str
    closed_size: int
    first: int
    carried: int
    branch: str
    seen_ms: int | None


@dataclass(frozen=True, slots=True)
class SchoolState:
    """One line of the overview. ``mirrored`` entries are confirmed here, and ``root`` is the tree's
    root over them (32 bytes); ``size`` and ``cosigned`` are what the box
    says of its ledger, None before its first word; times are milliseconds since 1970. ``earlier`` are the ledgers of
    its box before this one, by name, with how many entries of each are here; ``forks`` the successions that
    no person has seen."""

    code: str
    name: str
    mirrored: int
    root: bytes
    online: bool
    size: int | None
    cosigned: int | None
    seen_ms: int | None
    refused_code: str | None
    refused_ms: int | None
    certificate_until_ms: int
    earlier: tuple[tuple[str, int], ...] = ()
    forks: tuple[Succession, ...] = ()

    @property
    def pending(self) -> int | None:
        """Entries of the box that are not confirmed; None before the box's first word."""
        return None if self.size is None or self.cosigned is None else self.size - self.cosigned


class Registry:
    """Reading and writing them; one row for each school, none for its people."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._trees: dict[int, Tree] = {}

    def school(self, code: str) -> AdmittedSchool:
        """Raises ``UnknownSchoolError``."""
        found = self._database.row("SELECT code, name, box_origin, feed_origin FROM school WHERE code = ?", (code,))
        if found is None:
            raise UnknownSchoolError(school=code)
        return AdmittedSchool(*found)

    def origin_of(self, code: str) -> str | None:
        """The ledger of the school's box; None for a school that was never admitted."""
        found = self._database.row("SELECT box_origin FROM school WHERE code = ?", (code,))
        return None if found is None else str(found[0])

    def codes(self) -> list[str]:
        return [code for (code,) in self._database.rows("SELECT code FROM school ORDER BY code")]

    def add(self, transaction: Transaction, school: AdmittedSchool, now_ms: int, until_ms: int) -> None:
        """Adds a school, or renews the certificate of one that is there; with another ledger of its box, what was heard
        of the one before counts no more."""
        transaction.run(
            f"UPDATE contact SET {FORGOTTEN} WHERE school IN"  # noqa: S608
            " (SELECT code FROM school WHERE code = ? AND box_origin <> ?)",
            (school.code, school.box_origin),
        )
        transaction.run(
            "INSERT INTO school VALUES (?, ?, ?, ?, ?, ?)"
            " ON CONFLICT (code) DO UPDATE"
            " SET name = excluded.name, box_origin = excluded.box_origin,"
            " certificate_until_ms = excluded.certificate_until_ms",
            (school.code, school.name, school.box_origin, school.feed_origin, now_ms, until_ms),
        )
        transaction.run("INSERT OR IGNORE INTO contact (school) VALUES (?)", (school.code,))

    def go_on(self, transaction: Transaction, before: str, origin: str) -> str:
        """The box whose ledger was ``before`` goes on in ``origin``; the school's code."""
        transaction.run("UPDATE school SET box_origin = ? WHERE box_origin = ?", (origin, before))
        found = transaction.row("SELECT code FROM school WHERE box_origin = ?", (origin,))
        if found is None:
            raise UnknownSchoolError(school=before)
        code = str(found[0])
        transaction.run(f"UPDATE contact SET {FORGOTTEN} WHERE school = ?", (code,))  # noqa: S608
        return code

    def successions(self, code: str, *, unseen: bool = False) -> list[Succession]:
        """Those of a school, the latest first; with ``unseen`` only what no person has seen."""
        more = " AND seen_ms IS NULL" if unseen else ""
        sql = f"SELECT * FROM succession WHERE school = ?{more} ORDER BY at_ms DESC, origin DESC"  # noqa: S608
        return [Succession(*row) for row in self._database.rows(sql, (code,))]

    def see(self, code: str, now_ms: int) -> list[Succession]:
        """A person has seen what there is of a school; what was new. Raises ``UnknownSchoolError``."""
        self.school(code)
        new = self.successions(code, unseen=True)
        with self._database.transaction() as transaction:
            for one in new:
                transaction.run("UPDATE succession SET seen_ms = ? WHERE origin = ?", (now_ms, one.origin))
        return new

    def note_state(self, code: str, state: State, now_ms: int) -> None:
        """What an online box says of itself."""
        with self._database.transaction() as transaction:
            transaction.run(
                "UPDATE contact SET online = 1, size = ?, cosigned = ?, seen_ms = ? WHERE school = ?",
                (state.size, state.cosigned, now_ms, code),
            )

    def note_offline(self, code: str) -> None:
        with self._database.transaction() as transaction:
            transaction.run("UPDATE contact SET online = 0 WHERE school = ?", (code,))

    def note_all_offline(self) -> None:
        """What the hub knew of who is there counts no more: it was away itself."""
        with self._database.transaction() as transaction:
            transaction.run("UPDATE contact SET online = 0 WHERE online")

    def note_seen(self, code: str, now_ms: int) -> None:
        with self._database.transaction() as transaction:
            transaction.run("UPDATE contact SET seen_ms = ? WHERE school = ?", (now_ms, code))

    def note_refusal(self, code: str, refused_code: str, now_ms: int) -> None:
        with self._database.transaction() as transaction:
            transaction.run(
                "UPDATE contact SET refused_code = ?, refused_ms = ?, seen_ms = ? WHERE school = ?",
                (refused_code, now_ms, now_ms, code),
            )

    def overview(self) -> list[SchoolState]:
        rows = self._database.rows(
            "SELECT code, name, ledger.id, online, contact.size, contact.cosigned, seen_ms, refused_code,"
            " refused_ms, certificate_until_ms FROM school JOIN contact ON contact.school = school.code"
            " JOIN ledger ON ledger.origin = school.box_origin ORDER BY code"
        )
        return [self._state(*row) for row in rows]

    def _state(
        self,
        code: str,
        name: str,
        ledger: int,
        online: int,
        size: int | None,
        cosigned: int | None,
        seen_ms: int | None,
        refused_code: str | None,
        refused_ms: int | None,
        until_ms: int,
    ) -> SchoolState:
        tree = self._tree(ledger)
        mirrored = tree.size()
        return SchoolState(
            code=code,
            name=name,
            mirrored=mirrored,
            root=tree.frontier(mirrored).root(),
            online=bool(online),
            size=size,
            cosigned=cosigned,
            seen_ms=seen_ms,
            refused_code=refused_code,
            refused_ms=refused_ms,
            certificate_until_ms=until_ms,
            earlier=tuple((origin, self._tree(number).size()) for number, origin in self._earlier(code, ledger)),
            forks=tuple(self.successions(code, unseen=True)),
        )

    def _tree(self, ledger: int) -> Tree:
        return self._trees.setdefault(ledger, Tree(self._database, ledger))

    def _earlier(self, code: str, ledger: int) -> list[Row]:
        sql = "SELECT id, origin FROM ledger WHERE origin GLOB ? AND id < ? ORDER BY id"
        return self._database.rows(sql, (f"madoguchi/1/{code}/box/*", ledger))
