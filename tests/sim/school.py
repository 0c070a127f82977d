"""A synthetic elementary school: 12 classes, 380 pupils, their guardians and the staff. Nobody in it exists.

The same seed gives the same roster and the same bytes of the file. Beside ordinary families there are those that a
school really has and a program easily gets wrong; ``make_stories`` says who they are. Addresses are in a prefecture
that does not exist; there is no telephone number and no mail address.

``python -m tests.sim.school --seed 1 --out DIR`` writes the OneRoster ZIP and says what is in it.
"""

import argparse
import json
import random
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from enum import Enum, unique
from pathlib import Path

from appliance.school.organisation import Board, Course, School, SchoolClass, SchoolCode, SchoolYear
from appliance.school.people import (
    Basis,
    Demographics,
    Enrolment,
    Guardianship,
    Kind,
    Name,
    Person,
    Role,
    RoleName,
    Roster,
    Seat,
)
from appliance.school.roster import file_name, write_roster
from tests.sim.names import BOYS, FAMILIES, GIRLS, MEN, VARIANTS, WOMEN

CODE = SchoolCode("B113299900018")
YEAR = 2026
PUPILS = 380
GRADES = range(1, 7)
ROOMS = range(1, 3)
SOURCE = "Synthetic school for tests; nobody in it exists"
WRITTEN = date(YEAR, 4, 1)

Reading = tuple[str, str]


@unique
class Story(Enum):
    """The families that are not ordinary, in words for a table."""

    PORTUGUESE = "long names in Latin letters, middle names, three children"
    VIETNAMESE = "several given names, parents with different family names"
    JOINT_CUSTODY = "divorced, both parents have custody, two homes"
    SOLE_CUSTODY = "divorced, the father's guardianship has ended"
    PROTECTED = "protected address, the father is barred"
    SINGLE_PARENT = "one parent"
    GRANDPARENT = "the grandmother is the guardian of minors"
    FOSTER = "a foster parent, another family name"
    NAMESAKES = "two pupils of one grade and one name, two families"


@dataclass(frozen=True)
class Family:
    pupils: tuple[str, ...]
    guardians: tuple[str, ...]


@dataclass
class _Town:
    """The school while it is being made; ``seats`` are the grades still to be filled, one for each pupil."""

    dice: random.Random
    seats: list[int]
    people: list[Person] = field(default_factory=list)
    roles: list[Role] = field(default_factory=list)
    guardianships: list[Guardianship] = field(default_factory=list)
    demographics: list[Demographics] = field(default_factory=list)
    enrolments: list[Enrolment] = field(default_factory=list)
    stories: dict[Story, Family] = field(default_factory=dict)
    homes: int = 0

    def new_id(self) -> str:
        """A UUID v4 whose last group has a letter: twelve plain digits could be taken for an individual number."""
        while True:
            made = str(uuid.UUID(int=self.dice.getrandbits(128), version=4))
            if not made[-12:].isdigit():
                return made

    def new_address(self) -> str:
        self.homes += 1
        block, house = divmod(self.homes, 40)
        return f"見本県架空市例示町{block + 1}丁目{house + 1}番"

    def add(self, role: RoleName, family: Reading, given: Reading, **fields: object) -> str:
        """A person with a role; ``fields`` are those of ``Person`` and win over what follows from the name."""
        number = sum(one.kind is role.kind for one in self.people) + 1
        person = Person(
            id=self.new_id(),
            kind=role.kind,
            official=Name(VARIANTS.get(family[0], family[0]), given[0]),
            kana=Name(family[1], given[1]),
            preferred=Name(family=family[0]) if family[0] in VARIANTS else Name(),
            master_id=self.new_id(),
            username=f"{role.kind.value}{number:04d}",
        )
        self.people.append(replace(person, **fields))  # type: ignore[arg-type]  # the callers' keywords are Person's
        self.roles.append(Role(f"role-{len(self.roles) + 1:04d}", person.id, role, f"school-{CODE}"))
        return person.id

    def add_pupil(self, family: Reading, given: Reading, girl: bool, grade: int | None = None, **fields: object) -> str:
        """A pupil in the given grade or any that has a seat left."""
        if grade is None:
            grade = self.dice.choice(self.seats)
        self.seats.remove(grade)
        pupil = self.add(RoleName.STUDENT, family, given, **({"grades": (f"P{grade}",)} | fields))
        birth = date(YEAR - 6 - grade, 4, 2) + timedelta(days=self.dice.randrange(365))
        self.demographics.append(Demographics(pupil, birth, "female" if girl else "male"))
        return pupil

    def add_guardian(self, family: Reading, given: Reading, **fields: object) -> str:
        return self.add(RoleName.GUARDIAN, family, given, **fields)

    def join(self, pupils: Sequence[str], guardian: str, basis: Basis = Basis.PARENTAL, **fields: object) -> None:
        for pupil in pupils:
            one = Guardianship(guardian, pupil, basis)
            self.guardianships.append(replace(one, **fields))  # type: ignore[arg-type]  # Guardianship's keywords

    def add_children(self, family: Reading, count: int, **fields: object) -> list[str]:
        """Brothers and sisters with different given names, in different grades while there are any."""
        girls = [self.dice.random() < 0.5 for _ in range(count)]
        boys, sisters = self.dice.sample(BOYS, count), self.dice.sample(GIRLS, count)
        children, grades = [], sorted(set(self.seats))
        for girl, boy, sister in zip(girls, boys, sisters, strict=True):
            grade = grades.pop(self.dice.randrange(len(grades))) if grades else None
            children.append(self.add_pupil(family, sister if girl else boy, girl, grade, **fields))
        return children

    def tell(self, story: Story, pupils: Sequence[str], *guardians: str) -> None:
        self.stories[story] = Family(tuple(pupils), guardians)


def make_school(seed: int = 1) -> Roster:
    """The roster of the school; the same seed gives an equal one."""
    return _make(seed)[0]


def make_stories(seed: int = 1) -> dict[Story, Family]:
    """Who the special families of ``make_school(seed)`` are, by ids."""
    return _make(seed)[1]


def _make(seed: int) -> tuple[Roster, dict[Story, Family]]:
    seats = [grade for grade in GRADES for _ in ROOMS for _ in range(PUPILS // 12)]
    seats += [1 + extra // 2 for extra in range(PUPILS - len(seats))]
    town = _Town(random.Random(seed), seats)
    _add_staff(town)
    _add_families_from_abroad(town)
    _add_families_apart(town)
    _add_other_guardians(town)
    _add_namesakes(town)
    while town.seats:
        _add_ordinary_family(town)
    _seat(town)
    return _roster(town), town.stories


def _add_staff(town: _Town) -> None:
    roles = [RoleName.PRINCIPAL, RoleName.SITE_ADMINISTRATOR, *[RoleName.TEACHER] * 17]
    roles += [RoleName.COUNSELOR, RoleName.AIDE, RoleName.AIDE, RoleName.SYSTEM_ADMINISTRATOR]
    for role in roles:
        town.add(role, town.dice.choice(FAMILIES), town.dice.choice(MEN + WOMEN))


def _add_families_from_abroad(town: _Town) -> None:
    home, children = town.new_address(), []
    family = ("OLIVEIRA DOS SANTOS", "オリベイラ ドス サントス")
    for given, middle, girl, grade in [
        (("MARIA", "マリア"), ("EDUARDA", "エドゥアルダ"), True, 1),
        (("JOAO", "ジョアン"), ("GABRIEL", "ガブリエル"), False, 3),
        (("ANA", "アナ"), ("BEATRIZ", "ベアトリス"), True, 6),
    ]:
        names = {
            "official": Name(family[0], given[0], middle[0]),
            "kana": Name(family[1], given[1], middle[1]),
            "preferred": Name("オリベイラ", given[1]),
            "preferred_kana": Name("オリベイラ", given[1]),
        }
        children.append(town.add_pupil(family, given, girl, grade, address=home, **names))
    father = town.add_guardian(family, ("CARLOS EDUARDO", "カルロス エドゥアルド"), address=home)
    maiden = ("FERREIRA DE OLIVEIRA", "フェレイラ デ オリベイラ")
    mother = town.add_guardian(maiden, ("FERNANDA CRISTINA", "フェルナンダ クリスチーナ"), address=home)
    town.join(children, father)
    town.join(children, mother)
    town.tell(Story.PORTUGUESE, children, father, mother)

    home = town.new_address()
    child = town.add_pupil(("NGUYEN", "グエン"), ("THI MINH ANH", "ティ ミン アイン"), True, 2, address=home)
    father = town.add_guardian(("NGUYEN", "グエン"), ("VAN HUNG", "ヴァン フン"), address=home)
    mother = town.add_guardian(("TRAN", "チャン"), ("THI LAN", "ティ ラン"), address=home)
    town.join([child], father)
    town.join([child], mother)
    town.tell(Story.VIETNAMESE, [child], father, mother)


def _add_families_apart(town: _Town) -> None:
    family, own = ("森田", "モリタ"), ("柴田", "シバタ")
    home = town.new_address()
    children = town.add_children(family, 2, address=home)
    father = town.add_guardian(family, town.dice.choice(MEN), address=home)
    mother = town.add_guardian(own, town.dice.choice(WOMEN), address=town.new_address())
    town.join(children, father, since=date(YEAR, 4, 1))
    town.join(children, mother, since=date(YEAR, 4, 1))
    town.tell(Story.JOINT_CUSTODY, children, father, mother)

    home = town.new_address()
    children = town.add_children(own, 1, address=home)
    mother = town.add_guardian(own, town.dice.choice(WOMEN), address=home)
    father = town.add_guardian(("酒井", "サカイ"), town.dice.choice(MEN), address=town.new_address())
    town.join(children, mother)
    town.join(children, father, until=date(YEAR - 2, 9, 30))
    town.tell(Story.SOLE_CUSTODY, children, mother, father)

    family, home = ("原田", "ハラダ"), town.new_address()
    children = town.add_children(family, 2, address=home, protected=True)
    mother = town.add_guardian(family, town.dice.choice(WOMEN), address=home, protected=True)
    father = town.add_guardian(("竹内", "タケウチ"), town.dice.choice(MEN), address=town.new_address())
    town.join(children, mother)
    town.join(children, father, since=date(YEAR - 1, 11, 10), barred=True)
    town.tell(Story.PROTECTED, children, mother, father)


def _add_other_guardians(town: _Town) -> None:
    for story, count, guardian_family, givens, basis in [
        (Story.SINGLE_PARENT, 1, ("小野", "オノ"), WOMEN, Basis.PARENTAL),
        (Story.GRANDPARENT, 2, ("中山", "ナカヤマ"), WOMEN, Basis.MINOR_GUARDIAN),
        (Story.FOSTER, 1, ("田村", "タムラ"), MEN, Basis.FOSTER),
    ]:
        home = town.new_address()
        family = ("上田", "ウエダ") if story is Story.FOSTER else guardian_family
        children = town.add_children(family, count, address=home)
        guardian = town.add_guardian(guardian_family, town.dice.choice(givens), address=home)
        town.join(children, guardian, basis)
        town.tell(story, children, guardian)


def _add_namesakes(town: _Town) -> None:
    family, children, guardians = ("鈴木", "スズキ"), [], []
    for _ in range(2):
        home = town.new_address()
        child = town.add_pupil(family, ("さくら", "サクラ"), True, 4, address=home)
        guardian = town.add_guardian(family, town.dice.choice(WOMEN), address=home)
        town.join([child], guardian)
        children.append(child)
        guardians.append(guardian)
    town.tell(Story.NAMESAKES, children, *guardians)


def _add_ordinary_family(town: _Town) -> None:
    family, home = town.dice.choice(FAMILIES), town.new_address()
    count = min(town.dice.choices((1, 2, 3), (55, 38, 7))[0], len(town.seats))
    children = town.add_children(family, count, address=home)
    alone = town.dice.random() < 0.12
    if not alone or town.dice.random() < 0.15:
        town.join(children, town.add_guardian(family, town.dice.choice(MEN), address=home))
        if alone:
            return
    town.join(children, town.add_guardian(family, town.dice.choice(WOMEN), address=home))


def _seat(town: _Town) -> None:
    """Puts pupils into classes and gives numbers in the order of their readings, as schools do."""
    teachers = [one.person for one in town.roles if one.name is RoleName.TEACHER]
    rooms: dict[str, list[str]] = {}
    for grade in GRADES:
        in_grade = [one.id for one in town.people if one.grades == (f"P{grade}",)]
        town.dice.shuffle(in_grade)
        for room in ROOMS:
            rooms[_class_id(grade, room)] = in_grade[room - 1 :: len(ROOMS)]
    place = {one.id: at for at, one in enumerate(town.people)}
    readings = {one.id: (one.name_kana.family, one.name_kana.given, one.id) for one in town.people}
    for school_class, pupils in rooms.items():
        _enrol(town, teachers.pop(0), school_class, Seat.TEACHER, None)
        for number, pupil in enumerate(sorted(pupils, key=readings.__getitem__), 1):
            _enrol(town, pupil, school_class, Seat.STUDENT, number)
            town.people[place[pupil]] = replace(town.people[place[pupil]], home_class=school_class)


def _enrol(town: _Town, person: str, school_class: str, seat: Seat, number: int | None) -> None:
    row = f"enrolment-{len(town.enrolments) + 1:04d}"
    primary = seat is Seat.TEACHER
    town.enrolments.append(Enrolment(row, person, school_class, f"school-{CODE}", seat, number, primary=primary))


def _roster(town: _Town) -> Roster:
    school = f"school-{CODE}"
    place = {one.id: at for at, one in enumerate(town.people)}
    return Roster(
        school=School(school, CODE, "架空市立見本小学校", "board"),
        board=Board("board", "架空市教育委員会", "132999"),
        years=(SchoolYear("year", YEAR),),
        courses=tuple(Course(f"course-{g}", f"小学校{g}年", "year", school, (f"P{g}",)) for g in GRADES),
        classes=tuple(
            SchoolClass(_class_id(g, r), f"{g}年{r}組", f"course-{g}", school, ("year",), (f"P{g}",))
            for g in GRADES
            for r in ROOMS
        ),
        people=tuple(town.people),
        roles=tuple(town.roles),
        enrolments=tuple(town.enrolments),
        guardianships=tuple(sorted(town.guardianships, key=lambda one: place[one.pupil])),
        demographics=tuple(town.demographics),
        source_name=SOURCE,
    )


def _class_id(grade: int, room: int) -> str:
    return f"class-{grade}-{room}"


def _summary(roster: Roster, path: Path, size: int) -> dict[str, object]:
    kinds = Counter(one.kind for one in roster.people)
    return {
        "file": str(path),
        "bytes": size,
        "school": str(roster.school.code),
        "classes": {one.title: len(roster.pupils_in(one.id, WRITTEN)) for one in roster.classes},
        "pupils": kinds[Kind.PUPIL],
        "guardians": kinds[Kind.GUARDIAN],
        "staff": kinds[Kind.STAFF],
        "with_siblings": sum(bool(roster.siblings_of(one.id, WRITTEN)) for one in roster.of_kind(Kind.PUPIL)),
        "protected": sum(one.protected for one in roster.people),
    }


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="tests.sim.school", description="Write the roster of a synthetic school.")
    parser.add_argument("--seed", type=int, default=1, help="another seed, another school (default: 1)")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="the directory for the ZIP")
    parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
    chosen = parser.parse_args(arguments)
    roster, stories = _make(chosen.seed)
    data = write_roster(roster)
    chosen.out.mkdir(parents=True, exist_ok=True)
    path = chosen.out / file_name(roster, WRITTEN)
    path.write_bytes(data)
    summary = _summary(roster, path, len(data))
    if chosen.json:
        told = {story.name.lower(): {"pupils": f.pupils, "guardians": f.guardians} for story, f in stories.items()}
        print(json.dumps(summary | {"stories": told}, ensure_ascii=False))
        return 0
    for label, value in summary.items():
        text = "  ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        print(f"{label.replace('_', ' '):14}{text}")
    for story, family in stories.items():
        print(f"{story.name.lower().replace('_', ' '):14}{story.value}: {roster.person(family.pupils[0]).name}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
