"""Who may see what: everything not said here is refused, and every refusal looks the same."""

from dataclasses import replace

import pytest

from appliance.school.disclosure import MASK, Disclosed, disclose
from appliance.school.people import Roster
from tests.school.small import DAY, make_small

PLAIN = make_small()


def protect(*ids: str) -> Roster:
    return replace(PLAIN, people=tuple(replace(one, protected=one.id in ids) for one in PLAIN.people))


def seen(roster: Roster, subject: str, viewer: str) -> Disclosed | None:
    return disclose(roster, subject, viewer, DAY)


@pytest.mark.parametrize("person", [one.id for one in PLAIN.people])
def test_everybody_sees_the_own_row(person: str) -> None:
    for roster in (PLAIN, protect(person)):
        shown = seen(roster, person, person)
        assert shown is not None
        assert shown.address == PLAIN.person(person).address


def test_a_guardian_sees_the_own_pupils_whole_even_protected() -> None:
    for roster in (PLAIN, protect("ren", "mother")):
        shown = seen(roster, "ren", "mother")
        assert shown is not None
        assert (str(shown.name), shown.address) == ("見本 蓮", "母の家")


@pytest.mark.parametrize("viewer", ["barred", "father", "aunt", "hana", "nobody", ""])
def test_who_has_nothing_to_do_with_a_pupil_gets_what_a_wrong_id_gets(viewer: str) -> None:
    for roster in (PLAIN, protect("ren")):
        assert seen(roster, "ren", viewer) is None
        assert seen(roster, "no such pupil", viewer) is None


def test_guardians_of_one_pupil_see_each_others_names_and_no_address() -> None:
    shown = seen(PLAIN, "aunt", "mother")
    assert shown == Disclosed("aunt", PLAIN.person("aunt").name, PLAIN.person("aunt").name_kana, "", protected=False)
    assert seen(PLAIN, "mother", "barred") is None
    assert seen(PLAIN, "mother", "father") is None


def test_a_protected_guardian_is_not_shown_to_other_guardians() -> None:
    assert seen(protect("mother"), "mother", "aunt") is None
    assert seen(protect("mother"), "aunt", "mother") is not None


def test_staff_see_everybody_and_no_protected_address() -> None:
    plain, masked = seen(PLAIN, "hana", "teacher"), seen(protect("hana"), "hana", "teacher")
    assert plain is not None
    assert masked is not None
    assert (plain.address, plain.protected) == ("母の家", False)
    assert (masked.address, masked.protected, masked.name) == (MASK, True, plain.name)


def test_a_mask_does_not_say_whether_there_is_an_address() -> None:
    shown = seen(protect("aoi"), "aoi", "teacher")
    assert shown is not None
    assert shown.address == MASK


def test_the_names_of_staff_are_known_unless_protected() -> None:
    for viewer in ("hana", "mother", "barred"):
        shown = seen(PLAIN, "teacher", viewer)
        assert shown is not None
        assert shown.address == ""
        assert seen(protect("teacher"), "teacher", viewer) is None


def test_pupils_see_nobody_but_themselves_and_staff() -> None:
    allowed = {one.id for one in PLAIN.people if seen(PLAIN, one.id, "hana")}
    assert allowed == {"hana", "teacher"}
