"""Somebody with a card, who does what the kiosk's screens ask."""

from dataclasses import dataclass

from appliance.card.connection import Meter, conversation
from appliance.card.jpki import JpkiSession
from appliance.school.statement import Statement
from appliance.services.check_in import CheckIn, KnownCard, Linking
from tests.card.table import Wire
from tests.sim.card.card import VirtualCard

LINES = ("今日 11月21日 10:00、架空小学校に 来ました。", "カードの署名と いっしょに のこします。")
STAFF = "admin"


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
        self.session.open(bytearray(pin))
        return self.session.sign(statement.digest())

    def visit(self, linking: Linking | None = None) -> int:
        """The whole visit; the index of its entry."""
        card, statement = self.show_card(), self.check_in.statement(LINES, "ja")
        return self.check_in.record(card, linking, statement, self.sign(statement))
