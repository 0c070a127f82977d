"""Which columns each file has, as data: OneRoster 1.2 CSV in the "Japan K-12/Schools Profile v1.0" (``1.2_JP``).

A further variant is a further ``Variant`` with its own tables. Our own extension columns are ``OWN``; an extension
column that nobody here knows is kept and handed on.
"""

from dataclasses import dataclass, field
from enum import Enum, unique


@unique
class Form(Enum):
    """What one cell (or one item of a list) looks like; the value is what an error says was expected."""

    TEXT = "text without blanks at its ends"
    KANA = "full-width kana"
    BOOLEAN = "true | false"
    DATE = "YYYY-MM-DD"
    YEAR = "YYYY"
    NUMBER = "0-9999"
    GRADE = "P1-P6 J1-J3 H1-H3 E1-E3"
    UUID = "UUID v4"
    EMPTY = "empty"


@dataclass(frozen=True, slots=True)
class Column:
    """``many``: a comma-separated list in one cell. ``refers`` names the file whose ``sourcedId`` it must be.
    ``unique``: no two rows share the value. ``secret``: read past and never kept."""

    name: str
    required: bool = False
    form: Form = Form.TEXT
    many: bool = False
    refers: str = ""
    one_of: tuple[str, ...] = ()
    unique: bool = False
    secret: bool = False


def _bulk(*columns: Column) -> tuple[Column, ...]:
    # In a bulk file the row itself has no state: both columns after the id are empty.
    return (
        Column("sourcedId", required=True, unique=True),
        Column("status", form=Form.EMPTY),
        Column("dateLastModified", form=Form.EMPTY),
        *columns,
    )


def _plain(*names: str) -> tuple[Column, ...]:
    return tuple(Column(name) for name in names)


ROLES = (
    "aide",
    "counselor",
    "districtAdministrator",
    "guardian",
    "principal",
    "proctor",
    "siteAdministrator",
    "student",
    "systemAdministrator",
    "teacher",
)
SUBJECTS = (Column("subjects", many=True), Column("subjectCodes", many=True))
GRADES = Column("grades", form=Form.GRADE, many=True)
PERIOD = (Column("beginDate", form=Form.DATE), Column("endDate", form=Form.DATE))

ACADEMIC_SESSIONS = _bulk(
    Column("title", required=True),
    Column("type", required=True, one_of=("schoolYear",)),
    Column("startDate", required=True, form=Form.DATE),
    Column("endDate", required=True, form=Form.DATE),
    Column("parentSourcedId", refers="academicSessions"),
    Column("schoolYear", required=True, form=Form.YEAR),
)
ORGS = _bulk(
    Column("name", required=True),
    Column("type", required=True, one_of=("district", "school")),
    Column("identifier"),
    Column("parentSourcedId", refers="orgs"),
)
COURSES = _bulk(
    Column("schoolYearSourcedId", refers="academicSessions"),
    Column("title", required=True),
    Column("courseCode"),
    GRADES,
    Column("orgSourcedId", required=True, refers="orgs"),
    *SUBJECTS,
)
CLASSES = _bulk(
    Column("title", required=True),
    GRADES,
    Column("courseSourcedId", required=True, refers="courses"),
    Column("classCode"),
    Column("classType", required=True, one_of=("homeroom", "scheduled")),
    Column("location"),
    Column("schoolSourcedId", required=True, refers="orgs"),
    Column("termSourcedIds", required=True, many=True, refers="academicSessions"),
    *SUBJECTS,
    Column("periods", many=True),
    Column("metadata.jp.specialNeeds", form=Form.BOOLEAN),
)
USERS = _bulk(
    Column("enabledUser", required=True, form=Form.BOOLEAN),
    Column("username", required=True),
    Column("userIds"),
    Column("givenName", required=True),
    Column("familyName", required=True),
    *_plain("middleName", "identifier", "email", "sms", "phone"),
    Column("agentSourcedIds", many=True, refers="users"),
    GRADES,
    Column("password", secret=True),
    Column("userMasterIdentifier", form=Form.UUID, unique=True),
    *_plain("preferredGivenName", "preferredMiddleName", "preferredFamilyName"),
    Column("primaryOrgSourcedId", refers="orgs"),
    Column("pronouns"),
    Column("metadata.jp.kanaGivenName", form=Form.KANA),
    Column("metadata.jp.kanaFamilyName", form=Form.KANA),
    Column("metadata.jp.kanaMiddleName", form=Form.KANA),
    Column("metadata.jp.homeClass", refers="classes"),
    Column("metadata.jp.kanaPreferredFamilyName", form=Form.KANA),
    Column("metadata.jp.kanaPreferredGivenName", form=Form.KANA),
    Column("metadata.jp.kanaPreferredMiddleName", form=Form.KANA),
)
ROLE_ROWS = _bulk(
    Column("userSourcedId", required=True, refers="users"),
    Column("roleType", required=True, one_of=("primary", "secondary")),
    Column("role", required=True, one_of=ROLES),
    *PERIOD,
    Column("orgSourcedId", required=True, refers="orgs"),
    Column("userProfileSourcedId", refers="userProfiles"),
)
ENROLLMENTS = _bulk(
    Column("classSourcedId", required=True, refers="classes"),
    Column("schoolSourcedId", required=True, refers="orgs"),
    Column("userSourcedId", required=True, refers="users"),
    Column("role", required=True, one_of=("student", "teacher", "administrator", "guardian")),
    Column("primary", form=Form.BOOLEAN),
    *PERIOD,
    Column("metadata.jp.shussekiNo", form=Form.NUMBER),
    Column("metadata.jp.publicFlg", form=Form.BOOLEAN),
)
DEMOGRAPHICS = (
    Column("sourcedId", required=True, unique=True, refers="users"),
    Column("status", form=Form.EMPTY),
    Column("dateLastModified", form=Form.EMPTY),
    Column("birthDate", form=Form.DATE),
    Column("sex", one_of=("male", "female", "unspecified", "other")),
    *_plain(
        "americanIndianOrAlaskaNative",
        "asian",
        "blackOrAfricanAmerican",
        "nativeHawaiianOrOtherPacificIslander",
        "white",
        "demographicRaceTwoOrMoreRaces",
        "hispanicOrLatinoEthnicity",
        "countryOfBirthCode",
        "stateOfBirthAbbreviation",
        "cityOfBirth",
        "publicSchoolResidenceStatus",
    ),
)
USER_PROFILES = _bulk(
    Column("userSourcedId", required=True, refers="users"),
    Column("profileType", required=True),
    Column("vendorId", required=True),
    Column("applicationId"),
    Column("description"),
    Column("credentialType", required=True),
    Column("username", required=True),
    Column("password", secret=True),
)

OWN = {
    "users": (
        Column("metadata.madoguchi.protected", form=Form.BOOLEAN),
        Column("metadata.madoguchi.address"),
        Column("metadata.madoguchi.guardians", many=True, refers="users"),
        Column(
            "metadata.madoguchi.guardianBasis",
            many=True,
            one_of=("parental", "minor_guardian", "foster", "institution", "in_fact", "unstated"),
        ),
        Column("metadata.madoguchi.guardianSince", form=Form.DATE, many=True),
        Column("metadata.madoguchi.guardianUntil", form=Form.DATE, many=True),
        Column("metadata.madoguchi.guardianBarred", form=Form.BOOLEAN, many=True),
    ),
}
"""Extension columns of this product, by file: each may be there or not.

The guardian columns stand in a pupil's row and are lists of the same length, item for item, like ``subjects`` and
``subjectCodes``: who, on which basis, from when, until when, and whether a protective measure bars them. An item may be
empty; a list that is empty as a whole means that nothing is stated. ``agentSourcedIds`` beside them is what other
applications read, so it names only the guardians without an end and not barred. A roster without these columns is
complete too: then ``agentSourcedIds`` alone says who the guardians are.
"""

EXTENSION = "metadata."

ALL_FILES = (
    "academicSessions",
    "categories",
    "classes",
    "classResources",
    "courses",
    "courseResources",
    "demographics",
    "enrollments",
    "lineItemLearningObjectiveIds",
    "lineItems",
    "lineItemScoreScales",
    "orgs",
    "resources",
    "resultLearningObjectiveIds",
    "results",
    "resultScoreScales",
    "roles",
    "scoreScales",
    "userProfiles",
    "userResources",
    "users",
)
"""Every file that a OneRoster 1.2 manifest speaks of, in its order."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One way to write a roster. ``files`` are the files it may hold, in the order in which they are written."""

    version: str
    files: dict[str, tuple[Column, ...]]
    optional: frozenset[str] = field(default=frozenset({"demographics", "userProfiles"}))


JAPAN_K12 = Variant(
    version="1.2_JP",
    files={
        "academicSessions": ACADEMIC_SESSIONS,
        "orgs": ORGS,
        "courses": COURSES,
        "classes": CLASSES,
        "users": USERS,
        "roles": ROLE_ROWS,
        "enrollments": ENROLLMENTS,
        "demographics": DEMOGRAPHICS,
        "userProfiles": USER_PROFILES,
    },
)
