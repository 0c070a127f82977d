"""The whole file: what is written reads back equal, to the byte, and nothing but a roster gets in."""

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.school.oneroster import RosterError
from appliance.school.oneroster.archive import MemberError
from appliance.school.organisation import SchoolYear
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
    UnknownPersonError,
)
from appliance.school.roster import file_name, read_roster, write_roster
from tests.school.small import RosterFile, make_small

SMALL = make_small()
WHOLE = write_roster(SMALL)

# What a cell can hold: quotes, commas, line ends and characters outside the first plane, but no blank at an end.
cells = st.text(
    st.sampled_from('あ髙𠮷﨑葛󠄀azAZ09",-・ \n') | st.characters(codec="utf-8", categories=["L", "N"]),
    min_size=1,
    max_size=10,
).filter(lambda text: text == text.strip())
maybe = st.just("") | cells
kana = st.text("アイウエオガギグゲゴァィゥェォッャュョヴー・ ", max_size=8).map(str.strip)
names = st.builds(Name, cells, cells, maybe)
days = st.none() | st.dates(date(2000, 1, 1), date(2050, 1, 1))


def in_order(two: tuple[date | None, date | None]) -> tuple[date | None, date | None]:
    since, until = two
    return (until, since) if since and until and until < since else two


periods = st.tuples(days, days).map(in_order)
extras = st.dictionaries(st.sampled_from(["email", "metadata.a", "metadata.jp.x", "pronouns"]), cells, max_size=2).map(
    lambda found: tuple(sorted(found.items()))
)


@st.composite
def people(draw: st.DrawFn, kind: Kind, number: int) -> Person:
    return Person(
        id=f"{kind.value}-{number}",
        kind=kind,
        official=draw(names),
        kana=draw(st.builds(Name, kana, kana, kana)),
        preferred=draw(st.builds(Name, maybe, maybe, maybe)),
        preferred_kana=draw(st.builds(Name, kana, kana, kana)),
        master_id=draw(st.just("") | st.uuids(version=4).map(str)),
        username=draw(cells),
        enabled=draw(st.booleans()),
        grades=draw(st.sampled_from([(), ("P1",), ("P6", "J1")])),
        home_class=draw(st.sampled_from(["", "class-1"])),
        protected=draw(st.booleans()),
        address=draw(maybe),
        more=draw(extras),
    )


@st.composite
def rosters(draw: st.DrawFn) -> Roster:
    """Any roster that keeps the rules, around the small school's classes."""
    crowd = [draw(people(kind, number)) for kind in Kind for number in range(draw(st.integers(1, 3)))]
    ids = {kind: [one.id for one in crowd if one.kind is kind] for kind in Kind}
    guardianships = []
    for pupil in ids[Kind.PUPIL]:
        for guardian in draw(st.lists(st.sampled_from(ids[Kind.GUARDIAN]), unique=True, max_size=3)):
            since, until = draw(periods)
            basis, barred = draw(st.sampled_from(Basis)), draw(st.booleans())
            guardianships.append(Guardianship(guardian, pupil, basis, since, until, barred))
    staff_roles = [role for role in RoleName if role.kind is Kind.STAFF]
    fixed = {Kind.PUPIL: RoleName.STUDENT, Kind.GUARDIAN: RoleName.GUARDIAN}
    roles = [
        Role(f"r-{one.id}", one.id, fixed.get(one.kind) or draw(st.sampled_from(staff_roles)), "school", True, *period)
        for one in crowd
        for period in [draw(periods)]
    ]
    enrolments = [
        Enrolment(f"e-{one}", one, "class-2", "school", Seat.STUDENT, draw(st.none() | st.integers(0, 9999)),
                  draw(st.none() | st.booleans()), False, *draw(periods))
        for one in ids[Kind.PUPIL]
    ]  # fmt: skip
    return replace(
        SMALL,
        board=draw(st.sampled_from([SMALL.board])),
        years=tuple(
            SchoolYear(f"y{year}", year) for year in (2026, *draw(st.sets(st.integers(2000, 2025), max_size=2)))
        ),
        people=tuple(crowd),
        roles=tuple(roles),
        enrolments=tuple(enrolments),
        guardianships=tuple(guardianships),
        demographics=tuple(
            Demographics(one, draw(days), draw(st.sampled_from(["", "male", "female", "other"])))
            for one in ids[Kind.PUPIL]
        ),
        profiles=(),
        source_name=draw(maybe),
        source_code=draw(maybe),
    )


@settings(max_examples=100, deadline=None)
@given(rosters())
def test_any_roster_reads_back_equal_and_writes_the_same_bytes(roster: Roster) -> None:
    master_ids = [one.master_id for one in roster.people if one.master_id]
    assert len(set(master_ids)) == len(master_ids)
    data = write_roster(roster)
    assert read_roster(data) == roster
    assert write_roster(read_roster(data)) == data


def test_the_small_school_reads_back_with_every_kind_of_record() -> None:
    read = read_roster(write_roster(SMALL))
    assert read == SMALL
    assert read.profiles
    assert read.demographics
    assert all([read.years, read.courses, read.classes, read.enrolments, read.guardianships])


def test_without_a_board_and_without_optional_files() -> None:
    school = replace(SMALL.school, board="")
    bare = replace(SMALL, board=None, school=school, demographics=(), profiles=())
    file = RosterFile(write_roster(bare))
    assert file.read() == bare
    assert not {"demographics.csv", "userProfiles.csv"} & set(file.members)
    assert ["file.demographics", "absent"] in file.table("manifest.csv")


def test_the_bytes_are_as_the_profile_wants_them() -> None:
    for content in RosterFile().members.values():
        assert not content.startswith(b"\xef\xbb\xbf")
        assert content.endswith(b'"\r\n')
        assert content.count(b"\n") == content.count(b"\r\n")
        assert all(line.startswith(b'"') and line.endswith(b'"') for line in content.split(b"\r\n")[:-1])


def test_passwords_are_read_past() -> None:
    file = (
        RosterFile()
        .set("users.csv", "hana", "password", "sw0rdfish")
        .set("userProfiles.csv", "profile", "password", "sw0rdfish")
    )
    roster = file.read()
    assert roster == SMALL
    assert "sw0rdfish" not in repr(roster)
    assert b"sw0rdfish" not in b"".join(RosterFile(write_roster(roster)).members.values())


def test_columns_that_nobody_knows_are_handed_on() -> None:
    file = (
        RosterFile()
        .set("users.csv", "hana", "metadata.vendor.colour", "blue")
        .set("orgs.csv", "school", "metadata.z", "1")
    )
    file.set("users.csv", "hana", "email", "hana@example.invalid").set("users.csv", "hana", "metadata.empty", "")
    roster = file.read()
    assert roster.person("hana").more == (("email", "hana@example.invalid"), ("metadata.vendor.colour", "blue"))
    assert roster.school.more == (("metadata.z", "1"),)
    again = RosterFile(write_roster(roster))
    assert again.read() == roster
    assert again.table("users.csv")[0][-1] == "metadata.vendor.colour"


def test_a_column_that_the_format_does_not_have_is_a_fault_of_the_program() -> None:
    odd = replace(SMALL, school=replace(SMALL.school, more=(("colour", "blue"),)))
    with pytest.raises(ValueError, match="extension"):
        write_roster(odd)


def test_a_roster_of_another_maker_needs_only_the_plain_list_of_guardians() -> None:
    def drop_ours(table: list[list[str]]) -> None:
        keep = [at for at, name in enumerate(table[0]) if not name.startswith("metadata.madoguchi.")]
        table[:] = [[row[at] for at in keep] for row in table]

    roster = RosterFile().change("users.csv", drop_ours).read()
    assert Guardianship("mother", "hana", Basis.UNSTATED) in roster.guardianships
    assert not any(one.protected or one.address for one in roster.people)
    assert [one for one in roster.guardianships if one.guardian in {"father"}] == []


def test_a_stray_file_is_refused_by_name() -> None:
    file = RosterFile()
    file.members["readme.txt"] = b""
    with pytest.raises(MemberError) as caught:
        file.read()
    assert caught.value.fields == {"file": "readme.txt", "reason": "unknown"}


def test_the_file_name_carries_day_and_code() -> None:
    assert file_name(SMALL, date(2026, 4, 1)) == "RO_20260401_B113299900018.zip"


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_a_damaged_csv_is_refused_or_still_a_sound_roster(data: st.DataObject) -> None:
    file = RosterFile(WHOLE)
    name = data.draw(st.sampled_from(sorted(file.members)))
    content = bytearray(file.members[name])
    at = data.draw(st.integers(0, len(content) - 1))
    content[at : at + data.draw(st.integers(0, 3))] = data.draw(st.binary(max_size=3))
    file.members[name] = bytes(content)
    try:
        roster = file.read()
    except RosterError:
        return
    assert read_roster(write_roster(roster)) == roster
    for one in roster.guardianships:
        assert roster.person(one.pupil).kind is Kind.PUPIL
    with pytest.raises(UnknownPersonError):
        roster.person("nobody")
