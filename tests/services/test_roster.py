"""Importing the school's people: all of a good file, nothing of a broken one."""

import pytest

from appliance.ledger.entry import EntryType
from appliance.school.oneroster import RosterError
from appliance.services.opening import OpenBox
from appliance.services.roster import ImportRoster
from appliance.store.cards import CardStore
from appliance.store.people import PeopleStore
from tests.school.small import RosterFile


@pytest.fixture
def take_over(box: OpenBox) -> ImportRoster:
    return ImportRoster(box, PeopleStore(box.database), CardStore(box.database))


def test_the_counts_say_what_is_now_there(take_over: ImportRoster, box: OpenBox) -> None:
    file = RosterFile().pack()
    assert take_over.run(file) == {"classes": 2, "pupil": 3, "guardian": 4, "staff": 1}
    head = box.ledger.head().size
    assert box.ledger.entry(head - 1).type == EntryType.ROSTER_IMPORTED.number
    body = box.ledger.body(head - 1)
    assert body is not None
    assert body.read() == {"counts": {"classes": 2, "pupil": 3, "guardian": 4, "staff": 1}}
    assert box.database.rows("SELECT file FROM roster") == [(file,)]


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"no archive",
        RosterFile().pack()[:-30],
        RosterFile().set("users.csv", "hana", "enabledUser", "perhaps").pack(),
        RosterFile().set("enrollments.csv", "e-hana", "userSourcedId", "ghost").pack(),
    ],
    ids=["empty", "other", "cut", "cell", "reference"],
)
def test_a_broken_file_changes_nothing(take_over: ImportRoster, box: OpenBox, file: bytes) -> None:
    take_over.run(RosterFile().pack())
    before = (box.ledger.head(), box.database.rows("SELECT * FROM person ORDER BY id"))
    with pytest.raises(RosterError):
        take_over.run(file)
    assert (box.ledger.head(), box.database.rows("SELECT * FROM person ORDER BY id")) == before
    assert box.database.row("SELECT count(*) FROM roster") == (1,)
