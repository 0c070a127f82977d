"""Headers and cells: every breach is found at its file, line and column, and no cell is quoted back."""

import pytest

from appliance.school.oneroster import RosterError
from appliance.school.oneroster.columns import JAPAN_K12, OWN, Form
from appliance.school.oneroster.rows import (
    FORMS,
    ColumnsError,
    DanglingError,
    HalfWidthKanaError,
    TwiceError,
    ValueFormError,
)
from tests.school.small import RosterFile

UUID = "550d40dd-c255-4035-849c-4ca23685156b"


def refused(file: RosterFile) -> RosterError:
    with pytest.raises(RosterError) as caught:
        file.read()
    return caught.value


@pytest.mark.parametrize(
    ("file", "row", "column", "cell", "expected"),
    [
        ("users.csv", "hana", "givenName", "", "not empty"),
        ("users.csv", "hana", "enabledUser", "TRUE", "true | false"),
        ("users.csv", "hana", "status", "active", "empty"),
        ("users.csv", "hana", "grades", "P7", "P1-P6 J1-J3 H1-H3 E1-E3"),
        ("users.csv", "hana", "grades", "P1,,P2", "P1-P6 J1-J3 H1-H3 E1-E3"),
        ("users.csv", "hana", "userMasterIdentifier", "550d40dd-c255-1035-849c-4ca23685156b", "UUID v4"),
        ("users.csv", "hana", "familyName", "見本　", "text without blanks at its ends"),
        ("users.csv", "hana", "metadata.jp.kanaGivenName", " ハナ", "full-width kana"),
        ("users.csv", "hana", "metadata.madoguchi.protected", "yes", "true | false"),
        ("users.csv", "hana", "metadata.madoguchi.guardianSince", "2026/4/1,,", "YYYY-MM-DD"),
        ("enrollments.csv", "e-hana", "beginDate", "2026-02-30", "YYYY-MM-DD"),
        ("enrollments.csv", "e-hana", "beginDate", "20260401", "YYYY-MM-DD"),
        ("enrollments.csv", "e-hana", "metadata.jp.shussekiNo", "01", "0-9999"),
        ("academicSessions.csv", "y2026", "schoolYear", "26", "YYYY"),
        ("academicSessions.csv", "y2026", "type", "term", "schoolYear"),
        ("demographics.csv", "hana", "sex", "f", "male | female | unspecified | other"),
    ],
)
def test_a_cell_of_the_wrong_form(file: str, row: str, column: str, cell: str, expected: str) -> None:
    changed = RosterFile().set(file, row, column, cell)
    error = refused(changed)
    assert isinstance(error, ValueFormError)
    line = changed.line_of(file, row)
    assert error.fields == {"file": file, "line": line, "column": column, "expected": expected}


@pytest.mark.parametrize("role", ["parent", "relative", "ext:pta"])
def test_roles_that_japan_does_not_use(role: str) -> None:
    error = refused(RosterFile().set("roles.csv", "role-hana", "role", role))
    assert (error.code, error.fields["column"]) == ("roster.value", "role")


def test_half_width_katakana_has_its_own_sentence() -> None:
    error = refused(RosterFile().set("users.csv", "hana", "metadata.jp.kanaGivenName", "ﾊﾅ"))
    assert isinstance(error, HalfWidthKanaError)
    assert error.fields == {"file": "users.csv", "line": 3, "column": "metadata.jp.kanaGivenName"}


@pytest.mark.parametrize(
    ("file", "row", "column", "target"),
    [
        ("users.csv", "hana", "agentSourcedIds", "users.csv"),
        ("users.csv", "hana", "metadata.madoguchi.guardians", "users.csv"),
        ("users.csv", "hana", "metadata.jp.homeClass", "classes.csv"),
        ("users.csv", "hana", "primaryOrgSourcedId", "orgs.csv"),
        ("roles.csv", "role-hana", "userSourcedId", "users.csv"),
        ("roles.csv", "role-hana", "userProfileSourcedId", "userProfiles.csv"),
        ("enrollments.csv", "e-hana", "classSourcedId", "classes.csv"),
        ("classes.csv", "class-1", "courseSourcedId", "courses.csv"),
        ("classes.csv", "class-1", "termSourcedIds", "academicSessions.csv"),
        ("orgs.csv", "school", "parentSourcedId", "orgs.csv"),
        ("demographics.csv", "hana", "sourcedId", "users.csv"),
    ],
)
def test_a_dangling_reference_names_the_missing_id(file: str, row: str, column: str, target: str) -> None:
    line = RosterFile().line_of(file, row)
    error = refused(RosterFile().set(file, row, column, "gone"))
    assert isinstance(error, DanglingError)
    assert error.fields == {"file": file, "line": line, "column": column, "missing": "gone", "target": target}


def test_an_id_may_stand_once_and_a_master_id_may_belong_to_one_person() -> None:
    error = refused(RosterFile().change("users.csv", lambda table: table.append(table[2])))
    assert isinstance(error, TwiceError)
    assert error.fields == {"file": "users.csv", "line": 10, "column": "sourcedId", "first": 3}
    file = RosterFile().set("users.csv", "hana", "userMasterIdentifier", UUID)
    assert file.read().person("hana").master_id == UUID
    error = refused(file.set("users.csv", "ren", "userMasterIdentifier", UUID))
    assert (error.code, error.fields["first"]) == ("roster.twice", 3)


def test_a_missing_an_unknown_and_a_misplaced_column_are_told_apart() -> None:
    def rename(old: str, new: str) -> RosterError:
        def edit(table: list[list[str]]) -> None:
            table[0][table[0].index(old)] = new

        return refused(RosterFile().change("users.csv", edit))

    def drop(table: list[list[str]]) -> None:
        at = table[0].index("email")
        for row in table:
            del row[at]

    def swap(table: list[list[str]]) -> None:
        one, other = table[0].index("givenName"), table[0].index("familyName")
        for row in table:
            row[one], row[other] = row[other], row[one]

    found = [
        refused(RosterFile().change("users.csv", drop)),
        rename("email", "Email"),
        rename("metadata.madoguchi.address", "address"),
        rename("metadata.madoguchi.address", "email"),
        refused(RosterFile().change("users.csv", swap)),
        refused(RosterFile().change("users.csv", lambda table: table[3].pop())),
        refused(RosterFile().change("users.csv", lambda table: table.clear())),
    ]
    assert all(isinstance(error, ColumnsError) for error in found)
    assert [(error.fields["column"], error.fields["reason"], error.fields["line"]) for error in found] == [
        ("email", "missing", 1),
        ("email", "missing", 1),
        ("address", "unexpected", 1),
        ("email", "twice", 1),
        ("familyName", "order", 1),
        ("", "count", 4),
        ("sourcedId", "missing", 1),
    ]


def test_a_column_of_the_older_profile_is_unexpected() -> None:
    def older(table: list[list[str]]) -> None:
        table[0][table[0].index("metadata.jp.shussekiNo")] = "metadata.jp.ShussekiNo"

    error = refused(RosterFile().change("enrollments.csv", older))
    assert (error.fields["column"], error.fields["reason"]) == ("metadata.jp.shussekiNo", "missing")


def test_no_error_repeats_a_cell() -> None:
    secret = "某さんの秘密"
    for column in ("enabledUser", "grades", "userMasterIdentifier", "status", "metadata.jp.kanaGivenName"):
        error = refused(RosterFile().set("users.csv", "hana", column, f"ｱ{secret} "))
        assert secret not in f"{error} {error!r} {error.fields}"


def test_the_tables_are_sound() -> None:
    for file, columns in JAPAN_K12.files.items():
        names = [column.name for column in (*columns, *OWN.get(file, ()))]
        assert len(set(names)) == len(names)
        assert names[:3] == ["sourcedId", "status", "dateLastModified"]
        assert all(column.refers in {"", *JAPAN_K12.files} for column in columns)
    assert {form for form in Form if form not in FORMS} == {Form.TEXT, Form.KANA, Form.DATE}
