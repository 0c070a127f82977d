"""Records to rows: the header against the table of columns, then every cell against its column.

A ``Row`` that comes out of here has no missing, misshapen or dangling cell; what spans several rows is for ``rules``.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

from appliance.school.oneroster import RosterError
from appliance.school.oneroster.columns import EXTENSION, OWN, Column, Form, Variant
from appliance.school.oneroster.lines import Record
from appliance.school.organisation import More

MAX_ID_SHOWN = 64
FORMS = {
    Form.BOOLEAN: re.compile(r"true|false"),
    Form.YEAR: re.compile(r"[12][0-9]{3}"),
    Form.NUMBER: re.compile(r"0|[1-9][0-9]{0,3}"),
    Form.GRADE: re.compile(r"P[1-6]|[JHE][1-3]"),
    Form.UUID: re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", re.IGNORECASE),
    Form.EMPTY: re.compile(r""),
}
DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
HALF_WIDTH_KANA = re.compile(r"[\uff61-\uff9f]")


class ColumnsError(RosterError):
    """The header is not the one of the variant; ``column`` is missing, unexpected, twice or out of_order, as
    ``reason`` says, or a record has another number of values than the header (``count``)."""

    code = "roster.columns"


class ValueFormError(RosterError):
    """A cell that is empty or not of its column's form; ``expected`` says the form, the cell itself is not quoted."""

    code = "roster.value"


class HalfWidthKanaError(RosterError):
    """Half-width katakana in a column for readings: applications sort and print it wrong."""

    code = "roster.half_width_kana"


class DanglingError(RosterError):
    """A cell names a row of the file ``target`` that is not there; ``missing`` is the id."""

    code = "roster.reference"


class TwiceError(RosterError):
    """A value that must be unique in its file stands there a second time; ``first`` is the line of the first one."""

    code = "roster.twice"


@dataclass(frozen=True, slots=True)
class Row:
    """One row: its cells by column. Secrets and empty cells are not in it."""

    file: str
    line: int
    cells: Mapping[str, str]

    @property
    def id(self) -> str:
        return self.cells["sourcedId"]

    def text(self, column: str) -> str:
        """The cell, or "" if it is empty."""
        return self.cells.get(column, "")

    def items(self, column: str) -> tuple[str, ...]:
        """The items of a list; none if the cell is empty."""
        return split(self.text(column))

    def day(self, column: str) -> date | None:
        return date.fromisoformat(self.cells[column]) if column in self.cells else None

    def flag(self, column: str) -> bool | None:
        return self.cells[column] == "true" if column in self.cells else None

    def number(self, column: str) -> int | None:
        return int(self.cells[column]) if column in self.cells else None

    def more(self, taken: Iterable[str]) -> More:
        """The cells of the columns that nobody took, in order of name."""
        known = {*taken, "sourcedId"}
        return tuple(sorted((name, cell) for name, cell in self.cells.items() if name not in known))


def split(cell: str) -> tuple[str, ...]:
    return tuple(cell.split(",")) if cell else ()


def read_rows(variant: Variant, file: str, records: list[Record]) -> list[Row]:
    """The rows of one file. Raises ``ColumnsError``, ``ValueFormError``, ``HalfWidthKanaError`` or ``TwiceError``."""
    columns = _header(variant, file, records)
    rows = [_row(file, columns, record) for record in records[1:]]
    for column in columns:
        if column.unique:
            _check_unique(column.name, rows)
    return rows


def check_references(variant: Variant, files: Mapping[str, list[Row]]) -> None:
    """Raises ``DanglingError`` for the first cell that names a row which is not there."""
    ids = {file: {row.id for row in rows} for file, rows in files.items()}
    for file, rows in files.items():
        referring = [column for column in (*variant.files[file], *OWN.get(file, ())) if column.refers]
        for row in rows:
            for column in referring:
                for one in row.items(column.name) if column.many else split_one(row.text(column.name)):
                    if one not in ids.get(column.refers, set()):
                        raise DanglingError(
                            file=f"{file}.csv",
                            line=row.line,
                            column=column.name,
                            missing=one[:MAX_ID_SHOWN],
                            target=f"{column.refers}.csv",
                        )


def split_one(cell: str) -> tuple[str, ...]:
    return (cell,) if cell else ()


def _header(variant: Variant, file: str, records: list[Record]) -> list[Column]:
    fixed, own = variant.files[file], {column.name: column for column in OWN.get(file, ())}

    def refuse(column: str, reason: str) -> ColumnsError:
        return ColumnsError(file=f"{file}.csv", line=1, column=column[:MAX_ID_SHOWN], reason=reason)

    names = records[0].values if records else ()
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise refuse(name, "twice")
        seen.add(name)
    for place, column in enumerate(fixed):
        if column.name not in seen:
            raise refuse(column.name, "missing")
        if names[place] != column.name:
            known = names[place] in {one.name for one in fixed} or names[place].startswith(EXTENSION)
            raise refuse(names[place], "order" if known else "unexpected")
    for name in names[len(fixed) :]:
        if not name.startswith(EXTENSION) or name == EXTENSION:
            raise refuse(name, "unexpected")
    return [*fixed, *(own.get(name, Column(name)) for name in names[len(fixed) :])]


def _row(file: str, columns: list[Column], record: Record) -> Row:
    if len(record.values) != len(columns):
        raise ColumnsError(
            file=f"{file}.csv", line=record.line, column="", reason="count", found=len(record.values), want=len(columns)
        )
    cells = {}
    for column, cell in zip(columns, record.values, strict=True):
        _check_cell(file, record.line, column, cell)
        if cell and not column.secret:
            cells[column.name] = cell
    return Row(file, record.line, cells)


def _check_cell(file: str, line: int, column: Column, cell: str) -> None:
    if not cell:
        if column.required:
            raise ValueFormError(file=f"{file}.csv", line=line, column=column.name, expected="not empty")
        return
    if column.secret:
        return
    if column.form is Form.KANA and HALF_WIDTH_KANA.search(cell):
        raise HalfWidthKanaError(file=f"{file}.csv", line=line, column=column.name)
    # In our own parallel lists an item may be empty; in the lists of the profile it would be a slip.
    loose = column.many and column in OWN.get(file, ())
    for item in split(cell) if column.many else (cell,):
        if not (loose and not item) and not _fits(column, item):
            expected = " | ".join(column.one_of) or column.form.value
            raise ValueFormError(file=f"{file}.csv", line=line, column=column.name, expected=expected)


def _fits(column: Column, item: str) -> bool:
    return item in column.one_of if column.one_of else _has_form(column.form, item)


def _has_form(form: Form, item: str) -> bool:
    if form is Form.DATE:
        return bool(DATE.fullmatch(item)) and _is_day(item)
    if form in FORMS:
        return bool(FORMS[form].fullmatch(item))
    # A blank at an end cannot be seen on screen, and makes two of one id.
    return bool(item) and item == item.strip()


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _check_unique(column: str, rows: Iterable[Row]) -> None:
    seen: dict[str, int] = {}
    for row in rows:
        cell = row.text(column)
        if cell and cell in seen:
            raise TwiceError(file=f"{row.file}.csv", line=row.line, column=column, first=seen[cell])
        seen[cell] = row.line
