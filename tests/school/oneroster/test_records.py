"""Rows and records name the same columns, so that what is read is written again where it stood."""

from datetime import date

import pytest

from appliance.school.oneroster import records
from appliance.school.oneroster.columns import JAPAN_K12, OWN
from appliance.school.oneroster.rows import Row
from appliance.school.people import Basis, Guardianship, Kind, Role, RoleName
from tests.school.small import make_small

SMALL = make_small()


def row(file: str, cells: records.Cells) -> Row:
    return Row(file, 2, {name: cell for name, cell in cells.items() if cell})


def test_every_written_cell_has_its_column() -> None:
    assert SMALL.board is not None
    written = {
        "academicSessions": records.write_year(SMALL.years[0]),
        "orgs": records.write_board(SMALL.board) | records.write_school(SMALL.school),
        "courses": records.write_course(SMALL.courses[0]),
        "classes": records.write_class(SMALL.classes[0]),
        "users": records.write_person(SMALL.people[1], SMALL.guardianships[:3]),
        "roles": records.write_role(SMALL.roles[0]),
        "enrollments": records.write_enrolment(SMALL.enrolments[0]),
        "demographics": records.write_demographics(SMALL.demographics[0]),
        "userProfiles": records.write_profile(SMALL.profiles[0]),
    }
    assert written.keys() == JAPAN_K12.files.keys()
    for file, cells in written.items():
        assert set(cells) <= {column.name for column in (*JAPAN_K12.files[file], *OWN.get(file, ()))}


def test_plain_lists_hold_the_guardians_without_an_end_and_not_barred() -> None:
    those = (
        Guardianship("a", "p", Basis.PARENTAL),
        Guardianship("b", "p", until=date(2030, 1, 1)),
        Guardianship("c", "p", barred=True),
        Guardianship("d", "p", Basis.FOSTER, since=date(2026, 1, 1)),
    )
    cells = records.write_person(SMALL.people[1], those)
    assert cells["agentSourcedIds"] == "a,d"
    assert cells["metadata.madoguchi.guardians"] == "a,b,c,d"
    assert cells["metadata.madoguchi.guardianBasis"] == "parental,,,foster"
    assert cells["metadata.madoguchi.guardianUntil"] == ",2030-01-01,,"
    assert cells["metadata.madoguchi.guardianBarred"] == ",,true,"
    back = row("users", cells | {"sourcedId": "p"})
    assert tuple(records.read_guardianships(back)) == those


def test_plain_guardians_need_no_column_of_our_own() -> None:
    cells = records.write_person(SMALL.people[1], (Guardianship("a", "hana"), Guardianship("b", "hana")))
    assert cells["agentSourcedIds"] == "a,b"
    assert not any(cells.get(column.name) for column in OWN["users"] if "guardian" in column.name)


def test_unnamed_columns_come_back_in_order_of_name() -> None:
    cells = {"sourcedId": "r", "userSourcedId": "p", "role": "student", "roleType": "secondary", "orgSourcedId": "s"}
    extra = {"userProfileSourcedId": "u", "metadata.x": "1"}
    role = records.read_role(row("roles", cells | extra))
    assert role == Role(
        "r", "p", RoleName.STUDENT, "s", primary=False, more=(("metadata.x", "1"), ("userProfileSourcedId", "u"))
    )
    assert {name: cell for name, cell in records.write_role(role).items() if cell} == cells | extra


def test_a_person_reads_back_whole() -> None:
    for person in SMALL.people:
        cells = records.write_person(person, ())
        assert records.read_person(row("users", cells), person.kind) == person
    assert records.read_person(row("users", records.write_person(SMALL.people[0], ())), Kind.STAFF).enabled


def test_what_a_list_cannot_carry_is_a_fault_of_the_program() -> None:
    course = SMALL.courses[0]
    for bad in ("国語,算数", ""):
        with pytest.raises(ValueError, match="comma"):
            records.write_course(type(course)("c", "t", subjects=(bad,)))
