"""One CSV file of a roster: UTF-8 without BOM, every value in double quotes, CRLF (RFC 4180, made strict).

Python's ``csv`` would take unquoted values, lone quotes and any line end, and cannot say where it is; these files are
refused with line and column instead, because the same tolerance elsewhere is how leading zeros get lost.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from appliance.school.oneroster import RosterError

BOM = b"\xef\xbb\xbf"
MAX_ROWS = 100_000
MAX_COLUMNS = 200
MAX_VALUE_CHARACTERS = 4_096
QUOTED = re.compile(r'"((?:[^"]|"")*+)"')
UNWANTED = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


class EncodingError(RosterError):
    """Not UTF-8 without BOM; ``found`` is bom or not_utf8."""

    code = "roster.encoding"


class LineFormError(RosterError):
    """Not CSV as agreed. ``expected`` is quotes, comma_or_line_end, crlf, text (a control character was there)
    or one of three limits (rows, columns, length); ``line`` counts from 1, ``position`` is the value's number in its
    line."""

    code = "roster.csv"


@dataclass(frozen=True, slots=True)
class Record:
    """The values of one record and the line on which it begins (1 is the header)."""

    line: int
    values: tuple[str, ...]


def read_lines(file: str, data: bytes) -> list[Record]:
    """The records of a file, the header first. Raises ``EncodingError`` or ``LineFormError``."""
    if data.startswith(BOM):
        raise EncodingError(file=file, line=1, found="bom")
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise EncodingError(file=file, line=data.count(b"\n", 0, error.start) + 1, found="not_utf8") from None
    records: list[Record] = []
    at, line = 0, 1
    while at < len(text):
        if len(records) > MAX_ROWS:
            raise LineFormError(file=file, line=line, position=1, expected="rows")
        record, at = _read_record(file, text, at, line)
        records.append(record)
        line += 1 + sum(value.count("\n") for value in record.values)
    return records


def write_lines(rows: Iterable[Sequence[str]]) -> bytes:
    """The same form, as bytes. A quote inside a value is doubled."""
    return "".join(
        ",".join(f'"{value.replace(chr(34), chr(34) * 2)}"' for value in row) + "\r\n" for row in rows
    ).encode()


def _read_record(file: str, text: str, at: int, line: int) -> tuple[Record, int]:
    values: list[str] = []
    while True:
        found = QUOTED.match(text, at)
        fault = "quotes" if found is None else _fault(found[1])
        if found is None or fault:
            raise LineFormError(file=file, line=line, position=len(values) + 1, expected=fault)
        if len(values) == MAX_COLUMNS:
            raise LineFormError(file=file, line=line, position=len(values) + 1, expected="columns")
        values.append(found[1].replace('""', '"'))
        at = found.end()
        if text.startswith(",", at):
            at += 1
        elif text.startswith("\r\n", at):
            return Record(line, tuple(values)), at + 2
        elif at == len(text):  # the last line may end without one
            return Record(line, tuple(values)), at
        else:
            expected = "crlf" if text[at] in "\r\n" else "comma_or_line_end"
            raise LineFormError(file=file, line=line, position=len(values), expected=expected)


def _fault(value: str) -> str:
    if len(value) > MAX_VALUE_CHARACTERS:
        return "length"
    return "text" if UNWANTED.search(value) else ""
