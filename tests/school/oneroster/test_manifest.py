"""The manifest: the variant, the files, and what must be there."""

import pytest

from appliance.school.oneroster.columns import ALL_FILES
from appliance.school.oneroster.lines import write_lines
from appliance.school.oneroster.manifest import (
    DeltaError,
    FileMissingError,
    FileUnwantedError,
    ManifestError,
    VariantError,
)
from appliance.school.roster import read_roster
from tests.school.small import RosterFile

MANIFEST = "manifest.csv"


def test_every_file_of_the_standard_has_its_line() -> None:
    names = [row[0] for row in RosterFile().table(MANIFEST)]
    assert [name[5:] for name in names if name.startswith("file.")] == list(ALL_FILES)


@pytest.mark.parametrize("version", ["1.2", "1.2.1", "1.1", ""])
def test_another_variant_is_named(version: str) -> None:
    with pytest.raises(VariantError) as caught:
        RosterFile().set(MANIFEST, "oneroster.version", "value", version).read()
    assert caught.value.fields == {"file": MANIFEST, "line": 3, "found": version, "expected": "1.2_JP"}


def test_changes_only_are_refused() -> None:
    with pytest.raises(DeltaError) as caught:
        RosterFile().set(MANIFEST, "file.users", "value", "delta").read()
    assert caught.value.fields["file"] == "users.csv"


def test_a_file_without_a_place_here_is_refused() -> None:
    with pytest.raises(FileUnwantedError) as caught:
        RosterFile().set(MANIFEST, "file.results", "value", "bulk").read()
    assert caught.value.fields["file"] == "results.csv"


@pytest.mark.parametrize("name", ["users", "roles", "orgs", "classes", "demographics"])
def test_a_file_that_is_announced_and_missing_is_named(name: str) -> None:
    file = RosterFile()
    del file.members[f"{name}.csv"]
    with pytest.raises(FileMissingError) as caught:
        file.read()
    assert caught.value.fields == {"file": f"{name}.csv"}


def test_no_roster_can_do_without_users_but_without_demographics() -> None:
    with pytest.raises(FileMissingError):
        RosterFile().set(MANIFEST, "file.users", "value", "absent").read()
    file = RosterFile().set(MANIFEST, "file.demographics", "value", "absent")
    del file.members["demographics.csv"]
    assert file.read().demographics == ()


def test_without_a_manifest_nothing_is_read() -> None:
    file = RosterFile()
    del file.members[MANIFEST]
    with pytest.raises(FileMissingError) as caught:
        read_roster(file.pack())
    assert caught.value.fields == {"file": MANIFEST}


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [("manifest.version", "2.0", "1.0"), ("file.users", "BULK", "bulk | delta | absent")],
)
def test_a_wrong_value_is_refused_with_what_was_expected(name: str, value: str, expected: str) -> None:
    with pytest.raises(ManifestError) as caught:
        RosterFile().set(MANIFEST, name, "value", value).read()
    assert (caught.value.fields["property"], caught.value.fields["expected"]) == (name, expected)


def test_lines_that_are_missing_twice_unknown_or_of_three_values_are_refused() -> None:
    for line, expected in [
        (["file.users", "bulk"], "once"),
        (["file.pets", "bulk"], "known property"),
        (["file.users", "bulk", "x"], "propertyName,value"),
    ]:
        file = RosterFile()
        file.members[MANIFEST] += write_lines([line])
        with pytest.raises(ManifestError) as caught:
            file.read()
        assert caught.value.fields["expected"] == expected
    with pytest.raises(ManifestError) as caught:
        RosterFile().change(MANIFEST, lambda table: table.pop(5)).read()
    assert (caught.value.fields["property"], caught.value.fields["expected"]) == ("file.classes", "present")
    with pytest.raises(ManifestError):
        RosterFile().change(MANIFEST, lambda table: table.pop(0)).read()
