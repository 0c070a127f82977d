"""A school's roster as a file: OneRoster 1.2 CSV in a ZIP, as "Japan K-12/Schools Profile v1.0" (``1.2_JP``).

``read_roster`` takes over all of a file or nothing. Reading checks, in this order: the ZIP, the manifest, every header,
every cell, every reference, the rules between rows; the first breach is raised with file, line and column. Passwords
in a file are read past. Columns without a field of their own, ``metadata.*`` extensions included, are kept in ``more``;
an extension column without any value is not.

Our own extension columns of ``users.csv`` say what OneRoster has no words for (``oneroster.columns.OWN``):
a protected person, an address, and each guardian's basis, period and bar. They hold the most sensitive facts a school
has, so a file with them is for the school itself and not for applications.
"""

from collections.abc import Callable, Iterable
from datetime import date
from typing import TypeVar

from appliance.school.oneroster import records
from appliance.school.oneroster.archive import MemberError, pack, unpack
from appliance.school.oneroster.columns import EXTENSION, JAPAN_K12, OWN, Variant
from appliance.school.oneroster.lines import read_lines, write_lines
from appliance.school.oneroster.manifest import FILE, FileMissingError, manifest_rows, read_manifest
from appliance.school.oneroster.rows import Row, check_references, read_rows
from appliance.school.oneroster.rules import check_rows
from appliance.school.people import Guardianship, Kind, Roster

T = TypeVar("T")


def read_roster(data: bytes, variant: Variant = JAPAN_K12) -> Roster:
    """The roster in these bytes of a ZIP. Raises a ``RosterError`` (codes ``roster.*``)."""
    files = unpack(data)
    if FILE not in files:
        raise FileMissingError(file=FILE)
    manifest = read_manifest(variant, read_lines(FILE, files[FILE]), files)
    wanted = {FILE, *(f"{name}.csv" for name in manifest.files)}
    for name in files:
        if name not in wanted:
            raise MemberError(file=name[:80], reason="unknown")
    rows = {name: read_rows(variant, name, read_lines(f"{name}.csv", files[f"{name}.csv"])) for name in manifest.files}
    check_references(variant, rows)
    kinds = check_rows(rows)
    return _roster(rows, kinds, manifest.source_name, manifest.source_code)


def write_roster(roster: Roster, variant: Variant = JAPAN_K12) -> bytes:
    """The ZIP of a roster; the same roster gives the same bytes. Optional files without a row are absent.

    ``read_roster`` gives back an equal roster if the roster keeps the rules that reading checks; this is not checked
    here. Raises ``ValueError`` for what the format cannot carry: a comma inside an item of a list, a column in
    ``more`` that is neither in the variant nor an extension.
    """
    cells = _cells(roster)
    present = {name: rows for name, rows in cells.items() if rows or name not in variant.optional}
    manifest = manifest_rows(variant, present, roster.source_name, roster.source_code)
    files = {FILE: write_lines(manifest)}
    for name, rows in present.items():
        files[f"{name}.csv"] = _file(variant, name, rows)
    return pack(files)


def file_name(roster: Roster, day: date) -> str:
    """``RO_YYYYMMDD_CODE.zip`` with the day on which the roster was written."""
    return f"RO_{day:%Y%m%d}_{roster.school.code}.zip"


def _roster(rows: dict[str, list[Row]], kinds: dict[str, Kind], source_name: str, source_code: str) -> Roster:
    def each(file: str, read: Callable[[Row], T]) -> tuple[T, ...]:
        return tuple(read(row) for row in rows.get(file, []))

    orgs = {row.text("type"): row for row in rows["orgs"]}
    pupils = [row for row in rows["users"] if kinds[row.id] is Kind.PUPIL]
    return Roster(
        school=records.read_school(orgs["school"]),
        board=records.read_board(orgs["district"]) if "district" in orgs else None,
        years=each("academicSessions", records.read_year),
        courses=each("courses", records.read_course),
        classes=each("classes", records.read_class),
        people=tuple(records.read_person(row, kinds[row.id]) for row in rows["users"]),
        roles=each("roles", records.read_role),
        enrolments=each("enrollments", records.read_enrolment),
        guardianships=tuple(one for row in pupils for one in records.read_guardianships(row)),
        demographics=each("demographics", records.read_demographics),
        profiles=each("userProfiles", records.read_profile),
        source_name=source_name,
        source_code=source_code,
    )


def _cells(roster: Roster) -> dict[str, list[records.Cells]]:
    of_pupil: dict[str, list[Guardianship]] = {}
    for one in roster.guardianships:
        of_pupil.setdefault(one.pupil, []).append(one)
    board = [] if roster.board is None else [records.write_board(roster.board)]
    return {
        "academicSessions": [records.write_year(one) for one in roster.years],
        "orgs": [*board, records.write_school(roster.school)],
        "courses": [records.write_course(one) for one in roster.courses],
        "classes": [records.write_class(one) for one in roster.classes],
        "users": [records.write_person(one, tuple(of_pupil.get(one.id, ()))) for one in roster.people],
        "roles": [records.write_role(one) for one in roster.roles],
        "enrollments": [records.write_enrolment(one) for one in roster.enrolments],
        "demographics": [records.write_demographics(one) for one in roster.demographics],
        "userProfiles": [records.write_profile(one) for one in roster.profiles],
    }


def _file(variant: Variant, name: str, rows: Iterable[records.Cells]) -> bytes:
    fixed = [column.name for column in variant.files[name]]
    own = [column.name for column in OWN.get(name, ())]
    filled = {column for row in rows for column, cell in row.items() if cell} - set(fixed)
    if not all(column.startswith(EXTENSION) for column in filled):
        raise ValueError(f"{name} has a column that is neither in the variant nor an extension")
    header = [*fixed, *(column for column in own if column in filled), *sorted(filled - set(own))]
    return write_lines([header, *([row.get(column, "") for column in header] for row in rows)])
