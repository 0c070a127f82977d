"""A box whose clock is near the real one, so that freshly made certificates are in force."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import pytest

from appliance.card.connection import Meter, conversation
from appliance.card.jpki import JpkiSession
from appliance.ledger.evidence import EvidenceOpener
from appliance.school.statement import Statement
from appliance.services.check_in import CheckIn, KnownCard, Linking
from appliance.services.link_codes import LinkCodes
from appliance.services.opening import OpenBox
from appliance.store.cards import CardStore
from appliance.store.evidence import EvidenceStore
from appliance.store.people import PeopleStore
from appliance.store.visits import VisitStore
from appliance.trust.policy import card_policy
from tests.card.table import Wire
from tests.sim.card.card import VirtualCard
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.clock import ManualClock
from tests.trust.material import anchors_of

LINES = ("今日 11月21日 10:00、架空小学校に 来ました。", "カードの署名と いっしょに のこします。")
STAFF = "admin"


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(int(time.time() * 1000))


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


@dataclass
class Visitor:
    """A person with a card at the reader, who does what the kiosk's screens ask."""

    check_in: CheckIn
    card: VirtualCard

    def __post_init__(self) -> None:
        self.session = JpkiSession(conversation(Wire(self.card), Meter()))

    def show_card(self) -> KnownCard:
        return self.check_in.recognise(self.session.read_certificate())

    def sign(self, statement: Statement, pin: bytes = b"1234") -> bytes:
        return self.session.sign(bytearray(pin), statement.digest())

    def visit(self, linking: Linking | None = None) -> int:
        """The whole visit; the index of its entry."""
        card, statement = self.show_card(), self.check_in.statement(LINES, "ja")
        return self.check_in.record(card, linking, statement, self.sign(statement))
