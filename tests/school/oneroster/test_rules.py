"""The rules between rows, one breach each."""

import pytest

from appliance.school.oneroster import RosterError
from tests.school.small import RosterFile

OWN = "metadata.madoguchi."


def refused(file: RosterFile) -> tuple[str, dict[str, object]]:
    with pytest.raises(RosterError) as caught:
        file.read()
    return caught.value.code, dict(caught.value.fields)


def place(fields: dict[str, object]) -> tuple[object, object, object]:
    return fields["file"], fields["line"], fields["column"]


def add_org(file: RosterFile, org: str, kind: str, identifier: str = "") -> RosterFile:
    return file.change("orgs.csv", lambda table: table.append([org, "", "", "名", kind, identifier, ""]))


def test_one_school_and_one_board() -> None:
    code, fields = refused(add_org(RosterFile(), "other", "school", "B113299900027"))
    assert (code, fields["what"], fields["found"]) == ("roster.one_school", "school", 2)
    code, fields = refused(add_org(RosterFile(), "other", "district"))
    assert (code, fields["what"], fields["found"]) == ("roster.one_school", "district", 2)
    code, fields = refused(RosterFile().set("orgs.csv", "school", "type", "district"))
    assert (code, fields["found"]) == ("roster.one_school", 0)
    code, fields = refused(RosterFile().set("orgs.csv", "board", "parentSourcedId", "school"))
    assert (code, place(fields)) == ("roster.one_school", ("orgs.csv", 2, "parentSourcedId"))
    assert refused(RosterFile().set("orgs.csv", "school", "parentSourcedId", "school"))[0] == "roster.one_school"


@pytest.mark.parametrize(
    ("org", "identifier", "reason"),
    [("school", "", "length"), ("school", "A113299900018", "type"), ("board", "13299", "number")],
)
def test_codes_of_school_and_board(org: str, identifier: str, reason: str) -> None:
    code, fields = refused(RosterFile().set("orgs.csv", org, "identifier", identifier))
    assert (code, fields["reason"], fields["column"]) == ("roster.org_code", reason, "identifier")


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("title", "令和8年度", "2026年度"),
        ("startDate", "2026-04-02", "2026-04-01"),
        ("endDate", "2026-03-31", "2027-03-31"),
        ("schoolYear", "2027", "2027年度"),
    ],
)
def test_a_school_year_agrees_with_itself(column: str, cell: str, expected: str) -> None:
    code, fields = refused(RosterFile().set("academicSessions.csv", "y2026", column, cell))
    assert (code, fields["expected"]) == ("roster.school_year", expected)


def test_classes_and_enrolments_are_at_the_school() -> None:
    for file, row in (("classes.csv", "class-1"), ("enrollments.csv", "e-hana")):
        code, fields = refused(RosterFile().set(file, row, "schoolSourcedId", "board"))
        assert (code, fields["column"]) == ("roster.not_at_school", "schoolSourcedId")


def test_lists_that_belong_together() -> None:
    code, fields = refused(RosterFile().set("courses.csv", "course", "subjectCodes", "0100"))
    assert (code, fields["want"], fields["found"]) == ("roster.list_length", 2, 1)
    for name in ("guardianBasis", "guardianSince", "guardianUntil", "guardianBarred"):
        code, fields = refused(RosterFile().set("users.csv", "hana", f"{OWN}{name}", ","))
        assert (code, fields["column"], fields["want"]) == ("roster.list_length", f"{OWN}{name}", 3)
    assert refused(RosterFile().set("users.csv", "aoi", f"{OWN}guardianBasis", "foster"))[0] == "roster.list_length"


def test_a_period_does_not_end_before_it_begins() -> None:
    code, fields = refused(RosterFile().set("roles.csv", "role-hana", "endDate", "2026-03-31"))
    assert (code, fields["column"]) == ("roster.period", "endDate")
    code, fields = refused(RosterFile().set("users.csv", "hana", f"{OWN}guardianSince", ",2026-10-01,2026-10-01"))
    assert (code, fields["column"]) == ("roster.period", f"{OWN}guardianUntil")


def test_everybody_has_a_role_of_one_kind() -> None:
    file = RosterFile().change("roles.csv", lambda table: table.pop())
    code, fields = refused(file)
    assert (code, fields["line"]) == ("roster.no_role", 9)

    def second(role: str) -> RosterFile:
        return RosterFile().change(
            "roles.csv",
            lambda table: table.append(["role-2", "", "", "mother", "secondary", role, "", "", "school", ""]),
        )

    code, fields = refused(second("teacher"))
    assert (code, fields["found"], fields["expected"]) == ("roster.kind", "staff", "guardian")
    assert len(second("guardian").read().roles) == 9


def test_a_seat_fits_the_kind_of_person() -> None:
    code, fields = refused(RosterFile().set("enrollments.csv", "e-hana", "role", "teacher"))
    assert (code, fields["found"], fields["expected"]) == ("roster.kind", "pupil", "staff")
    code, fields = refused(RosterFile().set("enrollments.csv", "e-hana", "primary", "true"))
    assert (code, fields["column"]) == ("roster.kind", "primary")


def test_only_pupils_have_guardians_and_only_guardians_are_guardians() -> None:
    code, fields = refused(RosterFile().set("users.csv", "aoi", "agentSourcedIds", "teacher"))
    assert (code, fields["found"], fields["expected"]) == ("roster.kind", "staff", "guardian")
    code, fields = refused(RosterFile().set("users.csv", "mother", "agentSourcedIds", "aunt"))
    assert (code, fields["found"], fields["expected"]) == ("roster.kind", "guardian", "pupil")
    code, fields = refused(RosterFile().set("users.csv", "mother", f"{OWN}guardians", "aunt"))
    assert (code, fields["column"]) == ("roster.kind", f"{OWN}guardians")


def test_the_two_lists_of_guardians_agree() -> None:
    assert refused(RosterFile().set("users.csv", "hana", "agentSourcedIds", "barred"))[0] == "roster.guardian_lists"
    assert (
        refused(RosterFile().set("users.csv", "aoi", "agentSourcedIds", "barred,barred"))[0] == "roster.guardian_lists"
    )
    same = RosterFile().set("users.csv", "hana", f"{OWN}guardians", "mother,father,mother")
    same.set("users.csv", "hana", f"{OWN}guardianSince", "").set("users.csv", "hana", "agentSourcedIds", "mother")
    assert refused(same)[0] == "roster.guardian_lists"
