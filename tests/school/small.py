"""A school of eight people for tests that change one thing, and a roster file whose cells a test can set."""

from collections.abc import Callable
from datetime import date
from typing import Self

from appliance.school.oneroster.archive import pack, unpack
from appliance.school.oneroster.lines import read_lines, write_lines
from appliance.school.organisation import Board, Course, School, SchoolClass, SchoolCode, SchoolYear
from appliance.school.people import (
    Basis,
    Demographics,
    Enrolment,
    Guardianship,
    Kind,
    Name,
    Person,
    Profile,
    Role,
    RoleName,
    Roster,
    Seat,
)
from appliance.school.roster import read_roster, write_roster

DAY = date(2026, 11, 21)
CODE = SchoolCode("B113299900018")


def make_small() -> Roster:
    """Hana and Ren are children of Mother; Father's guardianship of both ended in September 2026; Ren and the baby
    of another class share no guardian but Barred, who is kept from Ren; Teacher teaches class 1."""
    people = (
        _person("teacher", Kind.STAFF, "架空", "先生", address="先生の家"),
        _person("hana", Kind.PUPIL, "見本", "花", grades=("P1",), home_class="class-1", address="母の家"),
        _person("ren", Kind.PUPIL, "見本", "蓮", grades=("P2",), address="母の家"),
        _person("aoi", Kind.PUPIL, "例示", "葵", grades=("P2",)),
        _person("mother", Kind.GUARDIAN, "見本", "母", address="母の家"),
        _person("father", Kind.GUARDIAN, "例示", "父"),
        _person("barred", Kind.GUARDIAN, "例示", "某", address="某の家"),
        _person("aunt", Kind.GUARDIAN, "見本", "叔母", address="叔母の家"),
    )
    roles = tuple(Role(f"role-{one.id}", one.id, _ROLES[one.kind], "school", since=date(2026, 4, 1)) for one in people)
    return Roster(
        school=School("school", CODE, "架空小学校", "board"),
        board=Board("board", "架空市教育委員会", "132999"),
        years=(SchoolYear("y2026", 2026),),
        courses=(Course("course", "小学校", "y2026", "school", ("P1", "P2"), ("国語", "算数"), ("0100", "0300")),),
        classes=(
            SchoolClass("class-1", "1年1組", "course", "school", ("y2026",), ("P1",), special_needs=False),
            SchoolClass("class-2", "2年1組", "course", "school", ("y2026",), ("P2",), periods=("1", "2")),
            SchoolClass("class-art", "図工", "course", "school", ("y2026",), ("P2",), homeroom=False),
        ),
        people=people,
        roles=roles,
        enrolments=(
            Enrolment("e-teacher", "teacher", "class-1", "school", Seat.TEACHER, primary=True),
            Enrolment("e-hana", "hana", "class-1", "school", Seat.STUDENT, 1, public=True, primary=False),
            Enrolment("e-ren-art", "ren", "class-art", "school", Seat.STUDENT, 9, primary=False),
            Enrolment("e-ren", "ren", "class-2", "school", Seat.STUDENT, 2, primary=False, since=date(2026, 4, 1)),
            Enrolment("e-aoi", "aoi", "class-2", "school", Seat.STUDENT, 1, primary=False, until=date(2026, 10, 31)),
        ),
        guardianships=(
            Guardianship("mother", "hana", Basis.PARENTAL),
            Guardianship("father", "hana", Basis.PARENTAL, until=date(2026, 9, 30)),
            Guardianship("aunt", "hana", Basis.IN_FACT, since=date(2026, 10, 1)),
            Guardianship("mother", "ren", Basis.PARENTAL),
            Guardianship("father", "ren", Basis.PARENTAL, until=date(2026, 9, 30)),
            Guardianship("barred", "ren", Basis.UNSTATED, since=date(2026, 1, 1), barred=True),
            Guardianship("barred", "aoi"),
        ),
        demographics=(Demographics("hana", date(2019, 5, 5), "female"), Demographics("ren")),
        profiles=(
            Profile(
                "profile",
                "hana",
                (("credentialType", "oauth"), ("profileType", "app"), ("username", "h"), ("vendorId", "v")),
            ),
        ),
        source_name="made for tests",
    )


class RosterFile:
    """The small school's roster file, open for mischief: lines count from 1 as an editor shows them."""

    def __init__(self, data: bytes | None = None) -> None:
        self.members = unpack(write_roster(make_small()) if data is None else data)

    def table(self, file: str) -> list[list[str]]:
        return [list(record.values) for record in read_lines(file, self.members[file])]

    def change(self, file: str, edit: Callable[[list[list[str]]], object]) -> Self:
        """Lets ``edit`` change the table of a file in place."""
        table = self.table(file)
        edit(table)
        self.members[file] = write_lines(table)
        return self

    def set(self, file: str, row: str, column: str, cell: str) -> Self:
        """Sets a cell of the row with this first value; a column that is not there is added at the end."""

        def edit(table: list[list[str]]) -> None:
            if column not in table[0]:
                for values in table:
                    values.append(column if values is table[0] else "")
            next(values for values in table if values[0] == row)[table[0].index(column)] = cell

        return self.change(file, edit)

    def line_of(self, file: str, row: str) -> int:
        return [values[0] for values in self.table(file)].index(row) + 1

    def pack(self) -> bytes:
        return pack(self.members)

    def read(self) -> Roster:
        return read_roster(self.pack())


_ROLES = {Kind.PUPIL: RoleName.STUDENT, Kind.GUARDIAN: RoleName.GUARDIAN, Kind.STAFF: RoleName.TEACHER}


def _person(
    person_id: str,
    kind: Kind,
    family: str,
    given: str,
    grades: tuple[str, ...] = (),
    home_class: str = "",
    address: str = "",
) -> Person:
    return Person(
        person_id, kind, Name(family, given), username=person_id, grades=grades, home_class=home_class, address=address
    )
