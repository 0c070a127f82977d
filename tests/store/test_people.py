"""The people of the latest roster: found by name, reading and class, and as of a day."""

from dataclasses import replace
from datetime import date

import pytest

from appliance.school.people import Guardianship, Kind, Name, Person, Roster
from appliance.store.database import Database
from appliance.store.faults import ConstraintError
from appliance.store.people import ListedPerson, PeopleStore
from tests.school.small import DAY, make_small

NOW_MS = 1_795_000_000_000


@pytest.fixture
def store(database: Database) -> PeopleStore:
    store = PeopleStore(database)
    replace_by(store, database, make_small())
    return store


def replace_by(store: PeopleStore, database: Database, roster: Roster, day: date = DAY) -> None:
    with database.transaction() as transaction:
        store.replace(transaction, roster, b"zip", day, NOW_MS)


def ids(found: list[ListedPerson]) -> list[str]:
    return [one.id for one in found]


def renamed(roster: Roster, person_id: str, **changes: object) -> Roster:
    people = tuple(
        replace(one, **changes) if one.id == person_id else one  # type: ignore[arg-type]  # the callers' keywords
        for one in roster.people
    )
    return replace(roster, people=people)


def test_a_pupil_is_listed_with_class_and_number(store: PeopleStore) -> None:
    assert store.person("ren") == ListedPerson("ren", "pupil", "見本 蓮", "", "2年1組", 2, False, True)
    assert store.person("mother") == ListedPerson("mother", "guardian", "見本 母", "", "", None, False, True)
    assert store.person("nobody") is None
    assert {kind: store.count(kind) for kind in ("pupil", "guardian", "staff")} == {
        "pupil": 3,
        "guardian": 4,
        "staff": 1,
    }


def test_classes_and_who_is_in_them(store: PeopleStore) -> None:
    assert store.classes() == ["1年1組", "2年1組"]
    assert ids(store.pupils_in("1年1組")) == ["hana"]
    assert ids(store.pupils_in("2年1組")) == ["ren"]  # aoi's seat there has ended
    assert store.pupils_in("9年9組") == []


def test_guardians_count_by_the_day(store: PeopleStore) -> None:
    assert set(ids(store.guardians_of("hana", date(2026, 9, 30)))) == {"mother", "father"}
    assert set(ids(store.guardians_of("hana", date(2026, 10, 1)))) == {"mother", "aunt"}
    assert set(ids(store.pupils_of("mother", DAY))) == {"hana", "ren"}
    assert store.pupils_of("father", DAY) == []


def test_who_is_barred_from_a_pupil_is_shown_no_tie(store: PeopleStore) -> None:
    assert "barred" not in ids(store.guardians_of("ren", DAY))
    assert ids(store.pupils_of("barred", DAY)) == ["aoi"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("見本", {"hana", "ren", "mother", "aunt"}),
        ("見本花", {"hana"}),
        ("見本 花", {"hana"}),
        ("見本　花", {"hana"}),
        ("花 見本", {"hana"}),
        ("叔母", {"aunt"}),
        ("先生", set()),
        ("", set()),
        (" 　", set()),
        ("%", set()),
        ("_", set()),
        ("\\", set()),
        ("'; DROP TABLE person --", set()),
    ],
)
def test_a_search_finds_pupils_and_guardians(store: PeopleStore, text: str, found: set[str]) -> None:
    assert set(ids(store.search(text))) == found
    assert store.count("pupil") == 3


def test_a_search_reads_the_reading(store: PeopleStore, database: Database) -> None:
    replace_by(store, database, renamed(make_small(), "hana", kana=Name("ミホン", "ハナ")))
    for text in ("ミホン", "ハナ", "ミホン ハナ", "ハナ　ミホ", "みほん", "はな", "みほんはな", "ミホンハナ", "ﾐﾎﾝ"):
        assert ids(store.search(text)) == ["hana"], text


def test_a_search_stops_at_its_limit(store: PeopleStore) -> None:
    assert len(store.search("見本", limit=2)) == 2


def test_signs_with_a_meaning_in_sql_are_letters(store: PeopleStore, database: Database) -> None:
    replace_by(store, database, renamed(make_small(), "hana", official=Name("100%_本", "花")))
    for text in ("%", "_", "0%_"):
        assert ids(store.search(text)) == ["hana"]


def test_who_left_stays_known_but_is_not_found(store: PeopleStore, database: Database) -> None:
    roster = make_small()
    gone = "mother"
    smaller = replace(
        roster,
        people=tuple(one for one in roster.people if one.id != gone),
        roles=tuple(one for one in roster.roles if one.person != gone),
        guardianships=tuple(one for one in roster.guardianships if one.guardian != gone),
    )
    replace_by(store, database, smaller)
    left = store.person(gone)
    assert left is not None
    assert not left.present
    assert gone not in ids(store.search("見本"))
    assert gone not in ids(store.guardians_of("hana", DAY))
    assert store.count("guardian") == 3
    replace_by(store, database, roster)
    back = store.person(gone)
    assert back is not None
    assert back.present
    assert database.row("SELECT count(*) FROM roster") == (3,)


def test_protection_and_the_preferred_name_are_carried_over(store: PeopleStore, database: Database) -> None:
    roster = renamed(make_small(), "ren", protected=True, preferred=Name("例示", "蓮"))
    replace_by(store, database, roster)
    ren = store.person("ren")
    assert ren is not None
    assert (ren.protected, ren.name) == (True, "例示 蓮")


def test_a_failed_replacement_keeps_the_old_roster(store: PeopleStore, database: Database) -> None:
    newcomer = Person("new", Kind.PUPIL, Name("新", "人"))
    broken = replace(make_small(), people=(newcomer,), guardianships=(Guardianship("ghost", "new"),))
    with pytest.raises(ConstraintError):
        replace_by(store, database, broken)
    assert store.person("new") is None
    assert store.count("pupil") == 3
    assert set(ids(store.guardians_of("hana", DAY))) == {"mother", "aunt"}
