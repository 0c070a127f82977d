"""Who belongs to whom on which day, and how a person is called."""

from dataclasses import replace
from datetime import date

import pytest

from appliance.school.organisation import SchoolCode, SchoolCodeError, SchoolType, SchoolYear
from appliance.school.people import Guardianship, Kind, Name, Person, RoleName, UnknownPersonError
from tests.school.small import DAY, make_small

ROSTER = make_small()
BEFORE = date(2026, 9, 30)


def ids(people: tuple[Person, ...]) -> list[str]:
    return [one.id for one in people]


def test_a_school_code_is_taken_apart() -> None:
    code = SchoolCode("B113299900018")
    assert (code.type, code.prefecture, str(code)) == (SchoolType.ELEMENTARY, 13, "B113299900018")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "length"),
        ("B11329990001", "length"),
        ("B1132999000188", "length"),
        ("B11329990001８", "length"),
        ("F113299900018", "type"),
        ("b113299900018", "type"),
        ("B100299900018", "prefecture"),
        ("B148299900018", "prefecture"),
        ("B113499900018", "founder"),
        ("B1132999000-8", "number"),
    ],
)
def test_what_has_not_the_form_of_a_school_code_is_refused_with_the_part(text: str, reason: str) -> None:
    with pytest.raises(SchoolCodeError) as caught:
        SchoolCode(text)
    assert caught.value.fields == {"reason": reason}


def test_a_school_year_runs_from_april_to_march() -> None:
    year = SchoolYear("y", 2027)
    assert (year.title, year.first_day, year.last_day) == ("2027年度", date(2027, 4, 1), date(2028, 3, 31))


def test_guardians_are_those_of_the_day() -> None:
    assert ids(ROSTER.guardians_of("hana", BEFORE)) == ["mother", "father"]
    assert ids(ROSTER.guardians_of("hana", date(2026, 10, 1))) == ["mother", "aunt"]
    assert ids(ROSTER.pupils_of("mother", DAY)) == ["hana", "ren"]
    assert ids(ROSTER.pupils_of("father", BEFORE)) == ["hana", "ren"]
    assert ids(ROSTER.pupils_of("father", DAY)) == []
    assert ids(ROSTER.pupils_of("teacher", DAY)) == ids(ROSTER.guardians_of("nobody", DAY)) == []


def test_a_barred_guardian_is_no_guardian_of_this_pupil_but_of_others() -> None:
    assert ids(ROSTER.guardians_of("ren", DAY)) == ["mother"]
    assert ids(ROSTER.pupils_of("barred", DAY)) == ["aoi"]
    assert not ROSTER.is_guardian_of("barred", "ren", DAY)
    assert ROSTER.is_guardian_of("barred", "aoi", DAY)
    assert not ROSTER.is_guardian_of("father", "hana", DAY)


def test_brothers_and_sisters_share_a_guardian_and_never_a_barred_one() -> None:
    assert ids(ROSTER.siblings_of("hana", DAY)) == ["ren"]
    assert ids(ROSTER.siblings_of("ren", DAY)) == ["hana"]
    assert ids(ROSTER.siblings_of("aoi", DAY)) == []


@pytest.mark.parametrize(
    ("since", "until", "day", "in_force"),
    [
        (None, None, DAY, True),
        (DAY, None, DAY, True),
        (None, DAY, DAY, True),
        (date(2026, 11, 22), None, DAY, False),
        (None, date(2026, 11, 20), DAY, False),
    ],
)
def test_a_period_includes_its_first_and_last_day(
    since: date | None, until: date | None, day: date, in_force: bool
) -> None:
    one = Guardianship("g", "p", since=since, until=until)
    assert one.in_force(day) is in_force
    assert one.entitles(day) is in_force
    assert not replace(one, barred=True).entitles(day)


def test_two_periods_of_one_guardian_count_once() -> None:
    again = replace(ROSTER, guardianships=(*ROSTER.guardianships, Guardianship("mother", "hana", since=BEFORE)))
    assert ids(again.guardians_of("hana", DAY)).count("mother") == 1
    assert ids(again.pupils_of("mother", DAY)) == ["hana", "ren"]


def test_the_home_class_is_the_stated_one_or_the_home_room_of_an_enrolment() -> None:
    classes = [ROSTER.class_of(one, day) for one, day in (("hana", DAY), ("ren", DAY), ("aoi", DAY), ("aoi", BEFORE))]
    assert [one.id if one else None for one in classes] == ["class-1", "class-2", None, "class-2"]
    assert ROSTER.class_of("mother", DAY) is None


def test_pupils_of_a_class_by_number_and_day() -> None:
    assert ids(ROSTER.pupils_in("class-2", BEFORE)) == ["aoi", "ren"]
    assert ids(ROSTER.pupils_in("class-2", DAY)) == ["ren"]
    assert ids(ROSTER.pupils_in("class-1", DAY)) == ["hana"]


def test_people_are_found_by_id_and_kind() -> None:
    assert "hana" in ROSTER
    assert "nobody" not in ROSTER
    assert ids(ROSTER.of_kind(Kind.STAFF)) == ["teacher"]
    with pytest.raises(UnknownPersonError):
        ROSTER.person("nobody")
    with pytest.raises(UnknownPersonError):
        ROSTER.class_of("nobody", DAY)


def test_the_name_in_use_is_the_preferred_one_part_by_part() -> None:
    person = Person("p", Kind.PUPIL, Name("髙橋", "蓮"), Name("タカハシ", "レン"), preferred=Name(family="高橋"))
    assert str(person.name) == "高橋 蓮"
    assert str(person.name_kana) == "タカハシ レン"
    assert str(person.official) == "髙橋 蓮"


def test_a_middle_name_goes_with_the_given_name() -> None:
    official = Name("OLIVEIRA", "MARIA", "EDUARDA")
    assert str(Name("オリベイラ", "マリア").filled_from(official)) == "オリベイラ マリア"
    assert str(Name("オリベイラ").filled_from(official)) == "オリベイラ MARIA EDUARDA"
    assert str(Name().filled_from(official)) == "OLIVEIRA MARIA EDUARDA"


def test_every_role_belongs_to_one_kind() -> None:
    assert [role for role in RoleName if role.kind is Kind.PUPIL] == [RoleName.STUDENT]
    assert [role for role in RoleName if role.kind is Kind.GUARDIAN] == [RoleName.GUARDIAN]
