"""The people of the latest roster, for finding them by name, reading and class."""

import unicodedata
from dataclasses import dataclass
from datetime import date

from appliance.school.people import Guardianship, Roster
from appliance.store.database import Database, Row, Transaction


@dataclass(frozen=True, slots=True)
class ListedPerson:
    """``class_title`` and ``number`` (出席番号) are empty and None for who is no pupil. ``present`` is False for who
    is no longer in the latest roster."""

    id: str
    kind: str
    name: str
    kana: str
    class_title: str
    number: int | None
    protected: bool
    present: bool


PERSON = "SELECT person.id, kind, name, kana, class, number, protected, present FROM person"
ORDER = " ORDER BY class = '', class, number, kana, person.id"
KATAKANA = {hiragana: hiragana + 0x60 for hiragana in range(0x3041, 0x3097)}


class PeopleStore:
    """Reading them, and replacing them by those of a newer roster."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def replace(self, transaction: Transaction, roster: Roster, file: bytes, day: date, now_ms: int) -> None:
        """Takes a roster as the current one. Who is missing in it stays known, as no longer present."""
        transaction.run("INSERT INTO roster (imported_ms, file) VALUES (?, ?)", (now_ms, file))
        transaction.run("UPDATE person SET present = 0")
        transaction.run("DELETE FROM guardianship")
        numbers = {one.person: one.number for one in roster.enrolments if one.number is not None and one.in_force(day)}
        rows = []
        for person in roster.people:
            home = roster.class_of(person.id, day)
            title = home.title if home is not None else ""
            name, kana = str(person.name), str(person.name_kana)
            number = numbers.get(person.id)
            rows.append((person.id, person.kind.value, name, kana, title, number, int(person.protected)))
        transaction.run_many(
            "INSERT INTO person VALUES (?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT (id) DO UPDATE SET kind = excluded.kind,"
            " name = excluded.name, kana = excluded.kana, class = excluded.class, number = excluded.number,"
            " protected = excluded.protected, present = 1",
            rows,
        )
        transaction.run_many(
            "INSERT INTO guardianship VALUES (?, ?, ?, ?, ?)", [_guardianship(one) for one in roster.guardianships]
        )

    def person(self, person_id: str) -> ListedPerson | None:
        found = self._database.row(f"{PERSON} WHERE person.id = ?", (person_id,))
        return None if found is None else _listed(found)

    def count(self, kind: str) -> int:
        found = self._database.row("SELECT count(*) FROM person WHERE kind = ? AND present = 1", (kind,))
        return int(found[0]) if found else 0

    def classes(self) -> list[str]:
        """Titles of the classes that have pupils."""
        return [
            str(row[0])
            for row in self._database.rows(
                "SELECT DISTINCT class FROM person WHERE class <> '' AND present = 1 ORDER BY class"
            )
        ]

    def pupils_in(self, class_title: str) -> list[ListedPerson]:
        where = f"{PERSON} WHERE kind = 'pupil' AND present = 1 AND class = ?{ORDER}"
        return [_listed(row) for row in self._database.rows(where, (class_title,))]

    def search(self, text: str, limit: int = 100) -> list[ListedPerson]:
        """Pupils and guardians whose name or reading holds every word of the text, spaces aside.

        A reading may be typed in hiragana, or in katakana of either width.
        """
        words = text.split()
        if not words:
            return []
        name, kana = (f"replace(replace({column}, ' ', ''), '　', '')" for column in ("name", "kana"))
        found = f"({name} LIKE ? ESCAPE '\\' OR {kana} LIKE ? ESCAPE '\\')"
        condition = " AND ".join([found] * len(words))
        patterns = [f"%{_escaped(one)}%" for word in words for one in (word, _katakana(word))]
        sql = f"{PERSON} WHERE kind IN ('pupil', 'guardian') AND present = 1 AND {condition}{ORDER} LIMIT ?"
        return [_listed(row) for row in self._database.rows(sql, [*patterns, limit])]

    def guardians_of(self, pupil: str, day: date) -> list[ListedPerson]:
        """Who may act for the pupil on that day."""
        return self._related("guardianship.guardian = person.id AND guardianship.pupil = ?", pupil, day)

    def pupils_of(self, guardian: str, day: date) -> list[ListedPerson]:
        return self._related("guardianship.pupil = person.id AND guardianship.guardian = ?", guardian, day)

    def _related(self, join: str, person_id: str, day: date) -> list[ListedPerson]:
        sql = (
            f"{PERSON.replace('SELECT', 'SELECT DISTINCT', 1)} JOIN guardianship ON {join} WHERE present = 1"
            f" AND barred = 0 AND since <= ? AND (until = '' OR until >= ?){ORDER}"
        )
        rows = self._database.rows(sql, (person_id, day.isoformat(), day.isoformat()))
        return [_listed(row) for row in rows]


def _listed(row: Row) -> ListedPerson:
    person_id, kind, name, kana, class_title, number, protected, present = row
    return ListedPerson(person_id, kind, name, kana, class_title, number, bool(protected), bool(present))


def _guardianship(one: Guardianship) -> tuple[str | int, ...]:
    since = one.since.isoformat() if one.since else ""
    return one.guardian, one.pupil, since, one.until.isoformat() if one.until else "", int(one.barred)


def _katakana(word: str) -> str:
    return unicodedata.normalize("NFKC", word).translate(KATAKANA)


def _escaped(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
