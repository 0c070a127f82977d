"""``manifest.csv``: which variant it is, which files there are, and who made them."""

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.school.oneroster import RosterError
from appliance.school.oneroster.columns import ALL_FILES, Variant
from appliance.school.oneroster.lines import Record

FILE = "manifest.csv"
HEADER = ("propertyName", "value")
STATES = ("bulk", "delta", "absent")
SOURCE_NAME, SOURCE_CODE = "source.systemName", "source.systemCode"
KNOWN = ("manifest.version", "oneroster.version", *(f"file.{name}" for name in ALL_FILES), SOURCE_NAME, SOURCE_CODE)


class ManifestError(RosterError):
    """A line of the manifest that is missing (``line`` 0), twice, unknown or not what was ``expected``."""

    code = "roster.manifest"


class VariantError(RosterError):
    """Another variant of OneRoster than the one this box takes: ``found`` against ``expected``."""

    code = "roster.variant"


class DeltaError(RosterError):
    """The file holds changes only; the box takes whole rosters, so that nothing is half known."""

    code = "roster.delta"


class FileUnwantedError(RosterError):
    """The manifest announces a file that a school's roster has no place for, such as results."""

    code = "roster.file_unwanted"


class FileMissingError(RosterError):
    """A file that the manifest announces, or that no roster can do without, is not in the ZIP."""

    code = "roster.file_missing"


@dataclass(frozen=True, slots=True)
class Manifest:
    """``files`` are the bulk files, without ``.csv``, in the variant's order."""

    files: tuple[str, ...]
    source_name: str
    source_code: str


def read_manifest(variant: Variant, records: list[Record], members: Iterable[str]) -> Manifest:
    """Checks the manifest against the variant and the names in the ZIP; raises one of the errors above."""
    stated = _properties(records)
    if stated["manifest.version"][0] != "1.0":
        raise ManifestError(file=FILE, line=stated["manifest.version"][1], property="manifest.version", expected="1.0")
    if stated["oneroster.version"][0] != variant.version:
        found, line = stated["oneroster.version"]
        raise VariantError(file=FILE, line=line, found=found[:20], expected=variant.version)
    files = [name for name in (*variant.files, *_others(variant)) if _is_bulk(stated, name)]
    for name in files:
        if name not in variant.files:
            raise FileUnwantedError(file=f"{name}.csv", line=stated[f"file.{name}"][1])
    present = set(members)
    for name in variant.files:
        if (name in files or name not in variant.optional) and (name not in files or f"{name}.csv" not in present):
            raise FileMissingError(file=f"{name}.csv")
    return Manifest(tuple(files), stated.get(SOURCE_NAME, ("", 0))[0], stated.get(SOURCE_CODE, ("", 0))[0])


def manifest_rows(variant: Variant, files: Iterable[str], source_name: str, source_code: str) -> list[tuple[str, str]]:
    """The lines of a manifest for these files, the header first."""
    present = set(files)
    return [
        HEADER,
        ("manifest.version", "1.0"),
        ("oneroster.version", variant.version),
        *((f"file.{name}", "bulk" if name in present else "absent") for name in ALL_FILES),
        (SOURCE_NAME, source_name),
        (SOURCE_CODE, source_code),
    ]


def _properties(records: list[Record]) -> dict[str, tuple[str, int]]:
    """Value and line of each property; all but the source are known to be there."""
    if not records or records[0].values != HEADER:
        raise ManifestError(file=FILE, line=1, property="", expected=",".join(HEADER))
    stated: dict[str, tuple[str, int]] = {}
    for record in records[1:]:
        if len(record.values) != len(HEADER):
            raise ManifestError(file=FILE, line=record.line, property="", expected=",".join(HEADER))
        name, value = record.values
        if name not in KNOWN or name in stated:
            expected = "once" if name in stated else "known property"
            raise ManifestError(file=FILE, line=record.line, property=name[:64], expected=expected)
        stated[name] = (value, record.line)
    for name in KNOWN:
        if name not in stated and name not in (SOURCE_NAME, SOURCE_CODE):
            raise ManifestError(file=FILE, line=0, property=name, expected="present")
    return stated


def _others(variant: Variant) -> list[str]:
    return [name for name in ALL_FILES if name not in variant.files]


def _is_bulk(stated: dict[str, tuple[str, int]], name: str) -> bool:
    state, line = stated[f"file.{name}"]
    if state not in STATES:
        raise ManifestError(file=FILE, line=line, property=f"file.{name}", expected=" | ".join(STATES))
    if state == "delta":
        raise DeltaError(file=f"{name}.csv", line=line)
    return state == "bulk"
