"""What one cell cannot show: one school, matching lists, kinds of people, families, periods.

``check_rows`` raises for the first breach, in the order of the list:

1. one school and at most one board; the school's code has the form of one
2. a school year has the title and the days of its year
3. classes and enrolments are at the school, not at the board
4. lists that belong together have the same length
5. a period does not end before it begins
6. every person has a role; a pupil is nothing but a pupil, a guardian nothing but a guardian
7. a seat in a class fits the kind of person; pupils are not ``primary``
8. only pupils have guardians, and only guardians are guardians; ``agentSourcedIds`` says nothing that the
   detailed list does not; no guardian has two periods that begin on the same day
"""

from collections.abc import Iterator, Mapping

from appliance.school.oneroster import RosterError
from appliance.school.oneroster.records import GUARDIAN_LISTS, GUARDIANS, read_guardianships, read_school, read_year
from appliance.school.oneroster.rows import Row
from appliance.school.organisation import SchoolCodeError
from appliance.school.people import Kind, RoleName, Seat

Rows = Mapping[str, list[Row]]

SEATS = {
    Seat.STUDENT: Kind.PUPIL,
    Seat.GUARDIAN: Kind.GUARDIAN,
    Seat.TEACHER: Kind.STAFF,
    Seat.ADMINISTRATOR: Kind.STAFF,
}
BOARD_CODE_DIGITS = 6


class OneSchoolError(RosterError):
    """The file holds none or several schools, or several boards: ``what`` and how many were ``found``."""

    code = "roster.one_school"


class OrgCodeError(RosterError):
    """The identifier of a school is no school code, or that of a board not 6 digits; ``reason`` as in
    ``school.code_form``."""

    code = "roster.org_code"


class SchoolYearError(RosterError):
    """A title or day that does not belong to the ``schoolYear`` of its row; ``expected`` says what would."""

    code = "roster.school_year"


class NotAtSchoolError(RosterError):
    """A class or enrolment that belongs to the board instead of the school."""

    code = "roster.not_at_school"


class ListLengthError(RosterError):
    """Two lists of one row that belong together item for item and differ in length."""

    code = "roster.list_length"


class PeriodError(RosterError):
    """An end before its beginning."""

    code = "roster.period"


class NoRoleError(RosterError):
    """A person of whom ``roles.csv`` says nothing."""

    code = "roster.no_role"


class KindError(RosterError):
    """Somebody is in a place for another kind of person: ``found`` against ``expected`` (pupil, guardian, staff)."""

    code = "roster.kind"


class GuardianListsError(RosterError):
    """``agentSourcedIds`` and our own list of guardians contradict each other, or one stands there twice."""

    code = "roster.guardian_lists"


def check_rows(rows: Rows) -> dict[str, Kind]:
    """Checks rules 1 to 8 and gives the kind of every user by id. References must have been checked before."""
    school = _check_orgs(rows["orgs"])  # 1
    for row in rows["academicSessions"]:  # 2
        _check_year(row)
    for file in ("classes", "enrollments"):  # 3
        for row in rows[file]:
            if row.text("schoolSourcedId") != school:
                raise NotAtSchoolError(**_at(row, "schoolSourcedId"))
    for row in (*rows["courses"], *rows["classes"], *rows["users"]):  # 4
        _check_lists(row)
    for row in (*rows["roles"], *rows["enrollments"]):  # 5
        begin, end = row.day("beginDate"), row.day("endDate")
        if begin and end and end < begin:
            raise PeriodError(**_at(row, "endDate"))
    kinds = _kinds(rows)  # 6
    for row in rows["enrollments"]:  # 7
        _check_seat(row, kinds[row.text("userSourcedId")])
    for row in rows["users"]:  # 8
        _check_family(row, kinds)
    return kinds


def _at(row: Row, column: str) -> dict[str, str | int]:
    return {"file": f"{row.file}.csv", "line": row.line, "column": column}


def _check_orgs(orgs: list[Row]) -> str:
    schools = [row for row in orgs if row.text("type") == "school"]
    if len(schools) != 1:
        raise OneSchoolError(file="orgs.csv", what="school", found=len(schools))
    if len(orgs) > 2:
        raise OneSchoolError(file="orgs.csv", what="district", found=len(orgs) - 1)
    for row in orgs:
        code = row.text("identifier")
        if row is schools[0]:
            try:
                read_school(row)
            except SchoolCodeError as error:
                raise OrgCodeError(**_at(row, "identifier"), reason=error.fields["reason"]) from error
            if row.text("parentSourcedId") == row.id:
                raise OneSchoolError(**_at(row, "parentSourcedId"), what="district", found=0)
        elif code and not (len(code) == BOARD_CODE_DIGITS and code.isascii() and code.isdigit()):
            raise OrgCodeError(**_at(row, "identifier"), reason="number")
        elif row.text("parentSourcedId"):
            raise OneSchoolError(**_at(row, "parentSourcedId"), what="district", found=2)
    return schools[0].id


def _check_year(row: Row) -> None:
    year = read_year(row)
    wanted = {"title": year.title, "startDate": f"{year.first_day}", "endDate": f"{year.last_day}"}
    for column, expected in wanted.items():
        if row.text(column) != expected:
            raise SchoolYearError(**_at(row, column), expected=expected)


def _check_lists(row: Row) -> None:
    pairs = [("subjects", "subjectCodes"), *((GUARDIANS, one) for one in GUARDIAN_LISTS)]
    for first, second in pairs:
        one, other = row.items(first), row.items(second)
        if other and len(one) != len(other):
            raise ListLengthError(**_at(row, second), other=first, want=len(one), found=len(other))


def _kinds(rows: Rows) -> dict[str, Kind]:
    kinds: dict[str, Kind] = {}
    for row in rows["roles"]:
        person, kind = row.text("userSourcedId"), RoleName(row.text("role")).kind
        if kinds.setdefault(person, kind) is not kind:
            raise KindError(**_at(row, "role"), found=kind.value, expected=kinds[person].value)
    for row in rows["users"]:
        if row.id not in kinds:
            raise NoRoleError(**_at(row, "sourcedId"))
    return kinds


def _check_seat(row: Row, kind: Kind) -> None:
    expected = SEATS[Seat(row.text("role"))]
    if expected is not kind:
        raise KindError(**_at(row, "role"), found=kind.value, expected=expected.value)
    if kind is Kind.PUPIL and row.flag("primary"):
        raise KindError(**_at(row, "primary"), found=kind.value, expected=Kind.STAFF.value)


def _check_family(row: Row, kinds: Mapping[str, Kind]) -> None:
    for column, person in _family(row):
        if kinds[row.id] is not Kind.PUPIL:
            raise KindError(**_at(row, column), found=kinds[row.id].value, expected=Kind.PUPIL.value)
        if kinds[person] is not Kind.GUARDIAN:
            raise KindError(**_at(row, column), found=kinds[person].value, expected=Kind.GUARDIAN.value)
    plain, guardians = row.items("agentSourcedIds"), row.items(GUARDIANS)
    if len(set(plain)) != len(plain) or (guardians and not set(plain) <= set(guardians)):
        raise GuardianListsError(**_at(row, "agentSourcedIds"))
    begun = set()
    for one in read_guardianships(row):
        if one.since and one.until and one.until < one.since:
            raise PeriodError(**_at(row, GUARDIAN_LISTS[2]))
        if (one.guardian, one.since) in begun:
            raise GuardianListsError(**_at(row, GUARDIANS))
        begun.add((one.guardian, one.since))


def _family(row: Row) -> Iterator[tuple[str, str]]:
    for column in ("agentSourcedIds", GUARDIANS):
        for person in row.items(column):
            yield column, person
