"""Rows to the records of ``school`` and back, one pair of functions for each file.

Each pair names the same columns; what it does not name goes into ``more`` and comes out of it again. Rows come checked
(``rows.py``), so nothing here can fail but the two codes in ``orgs``.
"""

from collections.abc import Iterable
from datetime import date

from appliance.school.oneroster.rows import Row
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
    Seat,
)

Cells = dict[str, str]

OFFICIAL = ("familyName", "givenName", "middleName")
PREFERRED = ("preferredFamilyName", "preferredGivenName", "preferredMiddleName")
KANA = ("metadata.jp.kanaFamilyName", "metadata.jp.kanaGivenName", "metadata.jp.kanaMiddleName")
PREFERRED_KANA = (
    "metadata.jp.kanaPreferredFamilyName",
    "metadata.jp.kanaPreferredGivenName",
    "metadata.jp.kanaPreferredMiddleName",
)
OWN = "metadata.madoguchi."
GUARDIAN_LISTS = tuple(f"{OWN}{one}" for one in ("guardianBasis", "guardianSince", "guardianUntil", "guardianBarred"))
GUARDIANS = f"{OWN}guardians"
USER_TAKEN = (
    *("enabledUser", "username", "grades", "agentSourcedIds", "userMasterIdentifier", "metadata.jp.homeClass"),
    *(*OFFICIAL, *PREFERRED, *KANA, *PREFERRED_KANA, f"{OWN}protected", f"{OWN}address", GUARDIANS, *GUARDIAN_LISTS),
)
YEAR_TAKEN = ("title", "type", "startDate", "endDate", "schoolYear", "parentSourcedId")
ORG_TAKEN = ("name", "type", "identifier", "parentSourcedId")
COURSE_TAKEN = ("title", "schoolYearSourcedId", "orgSourcedId", "grades", "subjects", "subjectCodes")
CLASS_TAKEN = (
    *("title", "grades", "courseSourcedId", "classType", "schoolSourcedId", "termSourcedIds", "subjects"),
    *("subjectCodes", "periods", "metadata.jp.specialNeeds"),
)
ROLE_TAKEN = ("userSourcedId", "roleType", "role", "beginDate", "endDate", "orgSourcedId")
ENROLMENT_TAKEN = (
    *("classSourcedId", "schoolSourcedId", "userSourcedId", "role", "primary", "beginDate", "endDate"),
    *("metadata.jp.shussekiNo", "metadata.jp.publicFlg"),
)


def read_year(row: Row) -> SchoolYear:
    """Title and both dates follow from the year (checked by ``rules``)."""
    return SchoolYear(row.id, int(row.text("schoolYear")), row.text("parentSourcedId"), row.more(YEAR_TAKEN))


def write_year(year: SchoolYear) -> Cells:
    return _cells(
        year.id,
        year.more,
        title=year.title,
        type="schoolYear",
        startDate=year.first_day,
        endDate=year.last_day,
        parentSourcedId=year.parent,
        schoolYear=f"{year.year}",
    )


def read_board(row: Row) -> Board:
    return Board(row.id, row.text("name"), row.text("identifier"), row.more(ORG_TAKEN))


def write_board(board: Board) -> Cells:
    return _cells(board.id, board.more, name=board.name, type="district", identifier=board.code)


def read_school(row: Row) -> School:
    """Raises ``SchoolCodeError``."""
    code = SchoolCode(row.text("identifier"))
    return School(row.id, code, row.text("name"), row.text("parentSourcedId"), row.more(ORG_TAKEN))


def write_school(school: School) -> Cells:
    return _cells(
        school.id,
        school.more,
        name=school.name,
        type="school",
        identifier=str(school.code),
        parentSourcedId=school.board,
    )


def read_course(row: Row) -> Course:
    return Course(
        row.id,
        row.text("title"),
        row.text("schoolYearSourcedId"),
        row.text("orgSourcedId"),
        row.items("grades"),
        row.items("subjects"),
        row.items("subjectCodes"),
        row.more(COURSE_TAKEN),
    )


def write_course(course: Course) -> Cells:
    return _cells(
        course.id,
        course.more,
        schoolYearSourcedId=course.school_year,
        title=course.title,
        grades=course.grades,
        orgSourcedId=course.org,
        subjects=course.subjects,
        subjectCodes=course.subject_codes,
    )


def read_class(row: Row) -> SchoolClass:
    return SchoolClass(
        id=row.id,
        title=row.text("title"),
        course=row.text("courseSourcedId"),
        school=row.text("schoolSourcedId"),
        terms=row.items("termSourcedIds"),
        grades=row.items("grades"),
        homeroom=row.text("classType") == "homeroom",
        special_needs=row.flag("metadata.jp.specialNeeds"),
        subjects=row.items("subjects"),
        subject_codes=row.items("subjectCodes"),
        periods=row.items("periods"),
        more=row.more(CLASS_TAKEN),
    )


def write_class(one: SchoolClass) -> Cells:
    return _cells(
        one.id,
        one.more,
        title=one.title,
        grades=one.grades,
        courseSourcedId=one.course,
        classType="homeroom" if one.homeroom else "scheduled",
        schoolSourcedId=one.school,
        termSourcedIds=one.terms,
        subjects=one.subjects,
        subjectCodes=one.subject_codes,
        periods=one.periods,
        **{"metadata.jp.specialNeeds": one.special_needs},
    )


def read_person(row: Row, kind: Kind) -> Person:
    """``kind`` follows from the person's roles."""

    def name(columns: tuple[str, str, str]) -> Name:
        return Name(*(row.text(column) for column in columns))

    return Person(
        id=row.id,
        kind=kind,
        official=name(OFFICIAL),
        kana=name(KANA),
        preferred=name(PREFERRED),
        preferred_kana=name(PREFERRED_KANA),
        master_id=row.text("userMasterIdentifier"),
        username=row.text("username"),
        enabled=row.flag("enabledUser") is True,
        grades=row.items("grades"),
        home_class=row.text("metadata.jp.homeClass"),
        protected=row.flag(f"{OWN}protected") is True,
        address=row.text(f"{OWN}address"),
        more=row.more(USER_TAKEN),
    )


def write_person(person: Person, guardianships: tuple[Guardianship, ...]) -> Cells:
    """``guardianships`` are those in which the person is the pupil."""
    names = {
        column: part
        for columns, name in (
            (OFFICIAL, person.official),
            (PREFERRED, person.preferred),
            (KANA, person.kana),
            (PREFERRED_KANA, person.preferred_kana),
        )
        for column, part in zip(columns, (name.family, name.given, name.middle), strict=True)
    }
    own = {
        "metadata.jp.homeClass": person.home_class,
        # An empty cell says "not protected" to us, and keeps the column out of a file that needs none.
        f"{OWN}protected": person.protected or None,
        f"{OWN}address": person.address,
    }
    return _cells(
        person.id,
        person.more,
        enabledUser=person.enabled,
        username=person.username,
        grades=person.grades,
        userMasterIdentifier=person.master_id,
        **(names | own),
    ) | _write_guardianships(guardianships)


def read_guardianships(row: Row) -> list[Guardianship]:
    """From a pupil's row: our own lists if they are filled, else ``agentSourcedIds`` alone."""
    guardians = row.items(GUARDIANS)
    if not guardians:
        return [Guardianship(one, row.id) for one in row.items("agentSourcedIds")]
    bases, since, until, barred = (row.items(name) or ("",) * len(guardians) for name in GUARDIAN_LISTS)
    return [
        Guardianship(
            guardian,
            row.id,
            Basis(bases[at]) if bases[at] else Basis.UNSTATED,
            date.fromisoformat(since[at]) if since[at] else None,
            date.fromisoformat(until[at]) if until[at] else None,
            barred[at] == "true",
        )
        for at, guardian in enumerate(guardians)
    ]


def _write_guardianships(those: tuple[Guardianship, ...]) -> Cells:
    plain = dict.fromkeys(one.guardian for one in those if one.until is None and not one.barred)
    cells = {"agentSourcedIds": ",".join(plain)}
    if all(one == Guardianship(one.guardian, one.pupil) for one in those):
        return cells
    lists = {
        GUARDIANS: [one.guardian for one in those],
        GUARDIAN_LISTS[0]: ["" if one.basis is Basis.UNSTATED else one.basis.value for one in those],
        GUARDIAN_LISTS[1]: [_text(one.since) for one in those],
        GUARDIAN_LISTS[2]: [_text(one.until) for one in those],
        GUARDIAN_LISTS[3]: [_text(one.barred or None) for one in those],
    }
    return cells | {name: ",".join(items) if any(items) else "" for name, items in lists.items()}


def read_role(row: Row) -> Role:
    return Role(
        id=row.id,
        person=row.text("userSourcedId"),
        name=RoleName(row.text("role")),
        org=row.text("orgSourcedId"),
        primary=row.text("roleType") == "primary",
        since=row.day("beginDate"),
        until=row.day("endDate"),
        more=row.more(ROLE_TAKEN),
    )


def write_role(role: Role) -> Cells:
    return _cells(
        role.id,
        role.more,
        userSourcedId=role.person,
        roleType="primary" if role.primary else "secondary",
        role=role.name.value,
        beginDate=role.since,
        endDate=role.until,
        orgSourcedId=role.org,
    )


def read_enrolment(row: Row) -> Enrolment:
    return Enrolment(
        id=row.id,
        person=row.text("userSourcedId"),
        school_class=row.text("classSourcedId"),
        school=row.text("schoolSourcedId"),
        seat=Seat(row.text("role")),
        number=row.number("metadata.jp.shussekiNo"),
        public=row.flag("metadata.jp.publicFlg"),
        primary=row.flag("primary"),
        since=row.day("beginDate"),
        until=row.day("endDate"),
        more=row.more(ENROLMENT_TAKEN),
    )


def write_enrolment(one: Enrolment) -> Cells:
    profile = {"metadata.jp.shussekiNo": one.number, "metadata.jp.publicFlg": one.public}
    return _cells(
        one.id,
        one.more,
        classSourcedId=one.school_class,
        schoolSourcedId=one.school,
        userSourcedId=one.person,
        role=one.seat.value,
        primary=one.primary,
        beginDate=one.since,
        endDate=one.until,
        **profile,
    )


def read_demographics(row: Row) -> Demographics:
    return Demographics(row.id, row.day("birthDate"), row.text("sex"), row.more(("birthDate", "sex")))


def write_demographics(one: Demographics) -> Cells:
    return _cells(one.person, one.more, birthDate=one.birth, sex=one.sex)


def read_profile(row: Row) -> Profile:
    return Profile(row.id, row.text("userSourcedId"), row.more(("userSourcedId",)))


def write_profile(one: Profile) -> Cells:
    return _cells(one.id, one.more, userSourcedId=one.person)


Cell = str | int | bool | date | None | Iterable[str]


def _cells(row_id: str, more: Iterable[tuple[str, str]], **cells: Cell) -> Cells:
    return {"sourcedId": row_id, **dict(more), **{name: _text(cell) for name, cell in cells.items()}}


def _text(cell: Cell) -> str:
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "true" if cell else "false"
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, str | int):
        return f"{cell}"
    items = tuple(cell)
    if not all(item and "," not in item for item in items):
        raise ValueError("an item of a list is empty or holds a comma, which the format cannot carry")
    return ",".join(items)
