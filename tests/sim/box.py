"""A founded box in a directory, as pytest fixtures: a real database and ledger, a clock that a test sets."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.ledger.checkpoint import cosign, open_checkpoint
from appliance.ledger.evidence import EvidenceOpener
from appliance.ledger.keys import SigningKey
from appliance.school.roster import write_roster
from appliance.services.check_in import CheckIn
from appliance.services.link_codes import LinkCodes
from appliance.services.opening import OpenBox, found_box
from appliance.services.roster import ImportRoster
from appliance.store.cards import CardStore
from appliance.store.evidence import EvidenceStore
from appliance.store.people import PeopleStore
from appliance.store.visits import VisitStore
from appliance.trust.policy import card_policy
from tests.school.small import CODE, make_small
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.clock import ManualClock
from tests.trust.material import anchors_of

DATABASE_KEY = b"k" * 32
SCHOOL_NAME = "架空小学校"


@pytest.fixture
def clock() -> ManualClock:
    """Begins at the real time, so that freshly made certificates are in force."""
    return ManualClock(int(time.time() * 1000))


@pytest.fixture
def device_key() -> SigningKey:
    return SigningKey.make()


@pytest.fixture
def box(tmp_path: Path, device_key: SigningKey, clock: ManualClock) -> Iterator[OpenBox]:
    """A box of the small school, without its people."""
    box = found_box(tmp_path / "state", DATABASE_KEY, device_key, clock, str(CODE), SCHOOL_NAME)
    yield box
    box.database.close()


@pytest.fixture
def people(box: OpenBox) -> PeopleStore:
    """The people of the small school (``tests/school/small.py``), imported into the box."""
    people = PeopleStore(box.database)
    ImportRoster(box, people, CardStore(box.database)).run(write_roster(make_small()))
    return people


@pytest.fixture
def cards(box: OpenBox) -> CardStore:
    return CardStore(box.database)


@pytest.fixture
def link_codes(box: OpenBox, cards: CardStore, people: PeopleStore) -> LinkCodes:
    return LinkCodes(box, cards, people)


@dataclass
class Verifier:
    """The hub's verifier as a box knows it; ``enrolled`` is whether the box has its key."""

    opener: EvidenceOpener
    enrolled: bool = True

    def key(self) -> bytes | None:
        return self.opener.public_bytes() if self.enrolled else None


@pytest.fixture
def verifier() -> Verifier:
    return Verifier(EvidenceOpener.make())


MakeCheckIn = Callable[[], CheckIn]


@pytest.fixture
def make_check_in(
    box: OpenBox, cards: CardStore, people: PeopleStore, hierarchy: Hierarchy, verifier: Verifier
) -> MakeCheckIn:
    """Makes one as the kiosk does when it starts."""

    def make() -> CheckIn:
        return CheckIn(
            box,
            cards,
            VisitStore(box.database),
            EvidenceStore(box.database),
            anchors_of(hierarchy),
            card_policy(allow_test_cards=True),
            verifier.key,
        )

    return make


@pytest.fixture
def check_in(make_check_in: MakeCheckIn) -> CheckIn:
    return make_check_in()


def confirm(box: OpenBox, size: int, hub: SigningKey, signer: str = "hub.example") -> None:
    """The hub's confirmation of so many entries arrives at the box."""
    opened = open_checkpoint(
        box.ledger.checkpoint_at(size), box.ledger.root_at(size), box.school.origin, box.ledger.public_key
    )
    box.ledger.confirm(opened.cose, cosign(opened, signer, box.clock.now_ms() // 1000, hub), hub.public)
