"""The people of one school: pupils, guardians, staff, who belongs to whom, and the rules that need no database.

A person is known by the ``sourcedId`` of the roster: opaque, never a number of a card or of the tax office.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from enum import Enum, unique
from functools import cached_property
from typing import Self, TypeVar

from appliance.errors import RefusedError
from appliance.school.organisation import Board, Course, More, School, SchoolYear
from appliance.school.organisation import SchoolClass as SchoolClass  # callers find the words of a roster in one place
from appliance.school.organisation import SchoolCode as SchoolCode

T = TypeVar("T")


class UnknownPersonError(RefusedError):
    """No such person in the roster."""

    code = "school.unknown_person"


@unique
class Kind(Enum):
    PUPIL = "pupil"
    GUARDIAN = "guardian"
    STAFF = "staff"


@unique
class RoleName(Enum):
    """The roles of OneRoster 1.2 that Japan uses; ``parent`` and ``relative`` are not among them."""

    AIDE = "aide"
    COUNSELOR = "counselor"
    DISTRICT_ADMINISTRATOR = "districtAdministrator"
    GUARDIAN = "guardian"
    PRINCIPAL = "principal"
    PROCTOR = "proctor"
    SITE_ADMINISTRATOR = "siteAdministrator"
    STUDENT = "student"
    SYSTEM_ADMINISTRATOR = "systemAdministrator"
    TEACHER = "teacher"

    @property
    def kind(self) -> Kind:
        return {RoleName.STUDENT: Kind.PUPIL, RoleName.GUARDIAN: Kind.GUARDIAN}.get(self, Kind.STAFF)


@unique
class Basis(Enum):
    """Why somebody is a guardian (School Education Act, article 16, and Civil Code, articles 818, 819 and 838)."""

    PARENTAL = "parental"
    MINOR_GUARDIAN = "minor_guardian"
    FOSTER = "foster"
    INSTITUTION = "institution"
    IN_FACT = "in_fact"
    UNSTATED = "unstated"


@dataclass(frozen=True, slots=True)
class Name:
    """One way to write a name; any part may be empty, and families without a middle name have none."""

    family: str = ""
    given: str = ""
    middle: str = ""

    def filled_from(self, other: Self) -> Self:
        """The same name with empty parts taken from another writing of it. The middle name goes with the given one:
        who states a given name alone is called by it alone."""
        middle = self.middle if self.given else self.middle or other.middle
        return type(self)(self.family or other.family, self.given or other.given, middle)

    def __str__(self) -> str:
        return " ".join(part for part in (self.family, self.given, self.middle) if part)


@dataclass(frozen=True, slots=True)
class Person:
    """``official`` is the registered name and stays in the box; ``name`` is the one to say and to hand out.

    ``master_id`` is a UUID v4 or empty. ``protected``: a protective measure (支援措置) covers this person, see
    ``disclosure.py``. ``home_class`` is the id of a class.
    """

    id: str
    kind: Kind
    official: Name
    kana: Name = Name()
    preferred: Name = Name()
    preferred_kana: Name = Name()
    master_id: str = ""
    username: str = ""
    enabled: bool = True
    grades: tuple[str, ...] = ()
    home_class: str = ""
    protected: bool = False
    address: str = ""
    more: More = ()

    @property
    def name(self) -> Name:
        return self.preferred.filled_from(self.official)

    @property
    def name_kana(self) -> Name:
        return self.preferred_kana.filled_from(self.kana)


@dataclass(frozen=True, slots=True)
class Role:
    """What a person is at an organisation, from ``since`` to ``until`` inclusive; None is "not limited"."""

    id: str
    person: str
    name: RoleName
    org: str
    primary: bool = True
    since: date | None = None
    until: date | None = None
    more: More = ()


@unique
class Seat(Enum):
    """As what a person is enrolled in a class."""

    STUDENT = "student"
    TEACHER = "teacher"
    ADMINISTRATOR = "administrator"
    GUARDIAN = "guardian"


@dataclass(frozen=True, slots=True)
class Enrolment:
    """A person in a class. ``number`` is the pupil's number there (出席番号), ``public`` the flag of the profile."""

    id: str
    person: str
    school_class: str
    school: str
    seat: Seat
    number: int | None = None
    public: bool | None = None
    primary: bool | None = None
    since: date | None = None
    until: date | None = None
    more: More = ()

    def in_force(self, day: date) -> bool:
        return _covers(self.since, self.until, day)


@dataclass(frozen=True, slots=True)
class Guardianship:
    """A guardian of a pupil, from ``since`` to ``until`` inclusive; None is "not limited".

    ``barred``: a protective measure or a court keeps this very guardian from the pupil. The box then behaves towards
    the guardian as if the pupil were not at this school.
    """

    guardian: str
    pupil: str
    basis: Basis = Basis.UNSTATED
    since: date | None = None
    until: date | None = None
    barred: bool = False

    def in_force(self, day: date) -> bool:
        return _covers(self.since, self.until, day)

    def entitles(self, day: date) -> bool:
        """Whether the guardian may see and act for the pupil on this day."""
        return self.in_force(day) and not self.barred


@dataclass(frozen=True, slots=True)
class Demographics:
    """``sex`` is male, female, unspecified, other or empty."""

    person: str
    birth: date | None = None
    sex: str = ""
    more: More = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """An account at another application (``userProfiles``), without its password."""

    id: str
    person: str
    more: More = ()


@dataclass(frozen=True)
class Roster:
    """Everything one roster file says of one school, in the order of the file. References are known to resolve."""

    school: School
    board: Board | None = None
    years: tuple[SchoolYear, ...] = ()
    courses: tuple[Course, ...] = ()
    classes: tuple[SchoolClass, ...] = ()
    people: tuple[Person, ...] = ()
    roles: tuple[Role, ...] = ()
    enrolments: tuple[Enrolment, ...] = ()
    guardianships: tuple[Guardianship, ...] = ()
    demographics: tuple[Demographics, ...] = ()
    profiles: tuple[Profile, ...] = ()
    source_name: str = ""
    source_code: str = ""

    def person(self, person_id: str) -> Person:
        """Raises ``UnknownPersonError``."""
        found = self._people.get(person_id)
        if found is None:
            raise UnknownPersonError(id=person_id)
        return found

    def __contains__(self, person_id: str) -> bool:
        return person_id in self._people

    def of_kind(self, kind: Kind) -> tuple[Person, ...]:
        return tuple(one for one in self.people if one.kind is kind)

    def guardians_of(self, pupil_id: str, day: date) -> tuple[Person, ...]:
        """Who may act for the pupil on that day; barred guardians are not among them."""
        return self._once(one.guardian for one in self._of_pupil.get(pupil_id, []) if one.entitles(day))

    def pupils_of(self, guardian_id: str, day: date) -> tuple[Person, ...]:
        """For whom the guardian may act on that day; pupils whom the guardian is barred from are not among them."""
        return self._once(one.pupil for one in self._of_guardian.get(guardian_id, []) if one.entitles(day))

    def is_guardian_of(self, guardian_id: str, pupil_id: str, day: date) -> bool:
        return any(one.guardian == guardian_id and one.entitles(day) for one in self._of_pupil.get(pupil_id, []))

    def siblings_of(self, pupil_id: str, day: date) -> tuple[Person, ...]:
        """The other pupils who share a guardian on that day, in the order of the roster.

        A barred guardian makes no siblings: that would lead from one household to the other.
        """
        shared = {
            one.id for guardian in self.guardians_of(pupil_id, day) for one in self.pupils_of(guardian.id, day)
        } - {pupil_id}
        return tuple(one for one in self.people if one.id in shared)

    def class_of(self, person_id: str, day: date) -> SchoolClass | None:
        """The home-room class: the one the person's row names, else that of an enrolment in force."""
        person = self.person(person_id)
        if person.home_class:
            return self._classes[person.home_class]
        for one in self._enrolled.get(person_id, []):
            if one.in_force(day) and self._classes[one.school_class].homeroom:
                return self._classes[one.school_class]
        return None

    def pupils_in(self, class_id: str, day: date) -> tuple[Person, ...]:
        """The pupils enrolled in a class on that day, by their number there."""
        found = [
            one
            for one in self.enrolments
            if one.school_class == class_id and one.seat is Seat.STUDENT and one.in_force(day)
        ]
        found.sort(key=lambda one: (one.number is None, one.number or 0))
        return self._once(one.person for one in found)

    @cached_property
    def _people(self) -> dict[str, Person]:
        return {one.id: one for one in self.people}

    @cached_property
    def _classes(self) -> dict[str, SchoolClass]:
        return {one.id: one for one in self.classes}

    @cached_property
    def _of_pupil(self) -> dict[str, list[Guardianship]]:
        return _grouped(self.guardianships, lambda one: one.pupil)

    @cached_property
    def _of_guardian(self) -> dict[str, list[Guardianship]]:
        return _grouped(self.guardianships, lambda one: one.guardian)

    @cached_property
    def _enrolled(self) -> dict[str, list[Enrolment]]:
        return _grouped(self.enrolments, lambda one: one.person)

    def _once(self, ids: Iterable[str]) -> tuple[Person, ...]:
        return tuple(self.person(one) for one in dict.fromkeys(ids))


def _covers(since: date | None, until: date | None, day: date) -> bool:
    return (since is None or since <= day) and (until is None or day <= until)


def _grouped(items: Iterable[T], key: Callable[[T], str]) -> dict[str, list[T]]:
    groups: dict[str, list[T]] = {}
    for item in items:
        groups.setdefault(key(item), []).append(item)
    return groups
