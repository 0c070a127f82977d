"""The school as an organisation: its code, its board, its years, courses and classes.

All of it is what a roster file says (``roster.py`` reads and writes it). ``more`` holds the columns of a row that have
no field of their own, as (name, value) in order of name, so that they can be handed on.
"""

from dataclasses import dataclass
from datetime import date
from enum import Enum, unique

from appliance.errors import RefusedError

More = tuple[tuple[str, str], ...]


class SchoolCodeError(RefusedError):
    """Not the form of a school code; ``reason`` names the part: length, type, prefecture, founder or number."""

    code = "school.code_form"


@unique
class SchoolType(Enum):
    """The first two characters of a school code, for the kinds of schools that a box serves."""

    ELEMENTARY = "B1"
    JUNIOR_HIGH = "C1"
    COMPULSORY = "C2"
    HIGH = "D1"
    SECONDARY = "D2"
    SPECIAL_NEEDS = "E1"


@dataclass(frozen=True, slots=True, order=True)
class SchoolCode:
    """The ministry's code of a school, 13 characters: type 2, prefecture 2 (01-47), founder 1 (1 national, 2 public,
    3 private), number 7, check digit 1.

    Only the form is checked. The rule of the check digit is not published with the list of codes, so a mistyped
    number is found by comparing with the code that the box was set up with, not here.
    """

    text: str

    def __post_init__(self) -> None:
        text = self.text
        if len(text) != 13 or not text.isascii():
            raise SchoolCodeError(reason="length")
        if text[:2] not in {one.value for one in SchoolType}:
            raise SchoolCodeError(reason="type")
        if not text[2:].isdigit():
            raise SchoolCodeError(reason="number")
        if not 1 <= int(text[2:4]) <= 47:
            raise SchoolCodeError(reason="prefecture")
        if text[4] not in "123":
            raise SchoolCodeError(reason="founder")

    @property
    def type(self) -> SchoolType:
        return SchoolType(self.text[:2])

    @property
    def prefecture(self) -> int:
        return int(self.text[2:4])

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True, slots=True)
class Board:
    """The founder's board of education (``orgs`` of type district); ``code`` has 6 digits or is empty."""

    id: str
    name: str
    code: str = ""
    more: More = ()


@dataclass(frozen=True, slots=True)
class School:
    id: str
    code: SchoolCode
    name: str
    board: str = ""
    more: More = ()


@dataclass(frozen=True, slots=True)
class SchoolYear:
    """``year`` begins on the first of April of that year and ends on the last of March of the next."""

    id: str
    year: int
    parent: str = ""
    more: More = ()

    @property
    def title(self) -> str:
        return f"{self.year}年度"

    @property
    def first_day(self) -> date:
        return date(self.year, 4, 1)

    @property
    def last_day(self) -> date:
        return date(self.year + 1, 3, 31)


@dataclass(frozen=True, slots=True)
class Course:
    id: str
    title: str
    school_year: str = ""
    org: str = ""
    grades: tuple[str, ...] = ()
    subjects: tuple[str, ...] = ()
    subject_codes: tuple[str, ...] = ()
    more: More = ()


@dataclass(frozen=True, slots=True)
class SchoolClass:
    """``homeroom`` is False for a class that only meets for a subject. ``grades`` as P1-P6, J1-J3, H1-H3, E1-E3."""

    id: str
    title: str
    course: str
    school: str
    terms: tuple[str, ...]
    grades: tuple[str, ...] = ()
    homeroom: bool = True
    special_needs: bool | None = None
    subjects: tuple[str, ...] = ()
    subject_codes: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()
    more: More = ()
