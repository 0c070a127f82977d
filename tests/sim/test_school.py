"""The synthetic school: as large as promised, the same each time, and with every family that is easily got wrong."""

import json
import re
from datetime import date
from pathlib import Path

import pytest

from appliance.school.disclosure import disclose
from appliance.school.people import Basis, Kind, Person, RoleName, Seat
from appliance.school.roster import read_roster, write_roster
from tests.sim import names
from tests.sim.school import CODE, Family, Story, main, make_school, make_stories

DAY = date(2026, 11, 21)
ROSTER = make_school(1)
STORIES = make_stories(1)
KANA = re.compile(r"[ァ-ヶー ]+")


def ids(people: tuple[Person, ...]) -> set[str]:
    return {one.id for one in people}


def test_twelve_classes_of_two_a_grade_and_380_pupils() -> None:
    sizes = [len(ROSTER.pupils_in(one.id, DAY)) for one in ROSTER.classes]
    assert (len(sizes), sum(sizes)) == (12, 380)
    assert {31, 32} == set(sizes)
    assert [one.grades for one in ROSTER.classes] == [(f"P{grade}",) for grade in range(1, 7) for _ in range(2)]
    assert len(ROSTER.of_kind(Kind.PUPIL)) == 380


def test_the_same_seed_gives_the_same_bytes_and_another_one_does_not() -> None:
    data = write_roster(ROSTER)
    assert write_roster(make_school(1)) == data
    assert write_roster(make_school(2)) != data
    assert read_roster(data) == ROSTER


@pytest.mark.parametrize("seed", [2, 3, 4])
def test_any_seed_gives_a_file_that_reads_back(seed: int) -> None:
    roster = make_school(seed)
    assert read_roster(write_roster(roster)) == roster
    assert len(roster.of_kind(Kind.PUPIL)) == 380
    assert make_stories(seed).keys() == set(Story)


def test_it_says_that_it_is_synthetic_and_names_no_real_place() -> None:
    assert "nobody in it exists" in ROSTER.source_name
    assert all(one.address.startswith("見本県架空市") for one in ROSTER.people if one.address)
    assert not any(one.more for one in ROSTER.people)  # no mail, no telephone


def test_nothing_in_it_looks_like_an_individual_number() -> None:
    # A school code ends in twelve digits too, behind a letter; whatever else has twelve is not to be there at all.
    assert re.findall(r"(?<![0-9A-Z])[0-9]{12}(?![0-9])", repr(ROSTER)) == []


def test_every_pupil_has_a_class_a_number_a_birthday_and_a_guardian() -> None:
    born = {one.person: one.birth for one in ROSTER.demographics}
    for pupil in ROSTER.of_kind(Kind.PUPIL):
        home = ROSTER.class_of(pupil.id, DAY)
        assert home is not None
        assert home.grades == pupil.grades
        assert ROSTER.guardians_of(pupil.id, DAY)
        birth, grade = born[pupil.id], int(pupil.grades[0][1:])
        assert birth is not None
        assert date(2020 - grade, 4, 2) <= birth <= date(2021 - grade, 4, 1)
    numbers = [(one.school_class, one.number) for one in ROSTER.enrolments if one.seat is Seat.STUDENT]
    assert len(set(numbers)) == 380


def test_most_children_have_two_guardians_and_many_have_brothers_or_sisters() -> None:
    pupils = ROSTER.of_kind(Kind.PUPIL)
    two = sum(len(ROSTER.guardians_of(one.id, DAY)) == 2 for one in pupils)
    siblings = sum(bool(ROSTER.siblings_of(one.id, DAY)) for one in pupils)
    assert 0.7 < two / 380 < 0.98
    assert 0.3 < siblings / 380 < 0.8


def test_a_class_has_its_teacher_and_the_school_its_staff() -> None:
    taught = {one.school_class for one in ROSTER.enrolments if one.seat is Seat.TEACHER}
    assert taught == {one.id for one in ROSTER.classes}
    roles = [one.name for one in ROSTER.roles]
    assert roles.count(RoleName.PRINCIPAL) == 1
    assert RoleName.AIDE in roles


def test_readings_are_full_width_katakana_and_there_for_everybody() -> None:
    for one in ROSTER.people:
        assert KANA.fullmatch(one.name_kana.family)
        assert KANA.fullmatch(one.name_kana.given)
    lists = (names.FAMILIES, names.BOYS, names.GIRLS, names.MEN, names.WOMEN)
    assert all(KANA.fullmatch(kana) for pairs in lists for _, kana in pairs)
    assert all(len({kanji for kanji, _ in pairs}) == len(pairs) for pairs in lists)


def family(story: Story) -> Family:
    return STORIES[story]


def test_brothers_and_sisters_of_a_family_from_abroad() -> None:
    found = family(Story.PORTUGUESE)
    eldest = ROSTER.person(found.pupils[2])
    assert (eldest.official.middle, str(eldest.name)) == ("BEATRIZ", "オリベイラ アナ")
    assert ids(ROSTER.siblings_of(eldest.id, DAY)) == set(found.pupils[:2])
    vietnamese = family(Story.VIETNAMESE)
    assert len({ROSTER.person(one).name.family for one in vietnamese.guardians}) == 2


def test_divorced_parents() -> None:
    joint = family(Story.JOINT_CUSTODY)
    guardians = ROSTER.guardians_of(joint.pupils[0], DAY)
    assert ids(guardians) == set(joint.guardians)
    assert len({one.name.family for one in guardians}) == len({one.address for one in guardians}) == 2
    sole = family(Story.SOLE_CUSTODY)
    assert ids(ROSTER.guardians_of(sole.pupils[0], DAY)) == {sole.guardians[0]}
    assert ids(ROSTER.guardians_of(sole.pupils[0], date(2024, 9, 30))) == set(sole.guardians)


def test_the_protected_family_does_not_exist_for_the_barred_father() -> None:
    found = family(Story.PROTECTED)
    mother, father = found.guardians
    for one in (*found.pupils, mother):
        assert ROSTER.person(one).protected
        assert disclose(ROSTER, one, father, DAY) is None
        assert disclose(ROSTER, one, mother, DAY) is not None
    assert ROSTER.pupils_of(father, DAY) == ()
    theirs = [row for row in ROSTER.guardianships if row.guardian == father]
    assert all(one.barred for one in theirs)


def test_other_guardians() -> None:
    for story, basis in ((Story.GRANDPARENT, Basis.MINOR_GUARDIAN), (Story.FOSTER, Basis.FOSTER)):
        found = family(story)
        rows = [one for one in ROSTER.guardianships if one.guardian == found.guardians[0]]
        assert {one.basis for one in rows} == {basis}
    single = family(Story.SINGLE_PARENT)
    assert len(ROSTER.guardians_of(single.pupils[0], DAY)) == 1
    one, other = (ROSTER.person(pupil) for pupil in family(Story.NAMESAKES).pupils)
    assert (one.name, one.grades) == (other.name, other.grades)
    assert one.id != other.id


def test_the_command_writes_the_file_and_says_what_is_in_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--seed", "1", "--out", str(tmp_path / "new"), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    path = tmp_path / "new" / f"RO_20260401_{CODE}.zip"
    assert told["file"] == str(path)
    assert read_roster(path.read_bytes()) == ROSTER
    assert (told["pupils"], told["bytes"]) == (380, path.stat().st_size)
    assert told["stories"]["protected"]["guardians"] == list(family(Story.PROTECTED).guardians)
    assert main(["--out", str(tmp_path)]) == 0
    table = capsys.readouterr().out
    assert "380" in table
    assert "1年1組 32" in table
