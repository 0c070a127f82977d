"""Who may see what of a person: the one rule by which a screen shows a name or behaves as if nobody were there.

Deny by default. A refusal has one form for every reason, ``None``: a person who is protected (支援措置), a person whom
the viewer has nothing to do with and a person who does not exist look alike, so the box neither confirms nor denies.

1. A person sees the own row whole.
2. A guardian sees the pupils of today's guardianships whole, unless barred from them.
3. A guardian sees the names of the other guardians of these pupils, unless they are protected.
4. Staff see everybody; of a protected person the address stays masked, and the page can say why.
5. Everybody in the roster sees the names of unprotected staff.
6. Nobody else sees anything.

Not decided here: what a role of staff may open (that is the staff site's guard), and the content of documents.
"""

from dataclasses import dataclass
from datetime import date

from appliance.school.people import Kind, Name, Person, Roster

MASK = "＊＊＊"


@dataclass(frozen=True, slots=True)
class Disclosed:
    """What may be shown. ``address`` is empty if there is none or it is not for the viewer, ``MASK`` if masked."""

    person_id: str
    name: Name
    kana: Name
    address: str
    protected: bool


def disclose(roster: Roster, subject_id: str, viewer_id: str, day: date) -> Disclosed | None:
    """What the viewer may see of the subject on that day, or None; never an error that would tell the two apart."""
    if subject_id not in roster or viewer_id not in roster:
        return None
    subject, viewer = roster.person(subject_id), roster.person(viewer_id)
    if subject_id == viewer_id:
        return _whole(subject)
    if viewer.kind is Kind.STAFF:
        return _masked(subject) if subject.protected else _whole(subject)
    if viewer.kind is Kind.GUARDIAN and roster.is_guardian_of(viewer_id, subject_id, day):
        return _whole(subject)
    if subject.protected:
        return None
    if subject.kind is Kind.STAFF or (viewer.kind is Kind.GUARDIAN and _share_a_pupil(roster, subject, viewer, day)):
        return _name_only(subject)
    return None


def _share_a_pupil(roster: Roster, one: Person, other: Person, day: date) -> bool:
    pupils = {pupil.id for pupil in roster.pupils_of(one.id, day)}
    return any(pupil.id in pupils for pupil in roster.pupils_of(other.id, day))


def _whole(person: Person) -> Disclosed:
    return Disclosed(person.id, person.name, person.name_kana, person.address, person.protected)


def _masked(person: Person) -> Disclosed:
    return Disclosed(person.id, person.name, person.name_kana, MASK, protected=True)


def _name_only(person: Person) -> Disclosed:
    return Disclosed(person.id, person.name, person.name_kana, "", protected=False)
