"""A card of unknown past loses its power once, before anybody hears of it."""

import pytest

from appliance.card.clearing import Clearing
from appliance.card.desk import Desk
from appliance.card.readers import Sighting
from appliance.card.service import CardState
from tests.card.table import READER, Table
from tests.sim.card.card import VirtualCard
from tests.sim.card.files import Secret
from tests.sim.fixtures import MakeCard

SELECT, VERIFY = bytes.fromhex("00A4040C0AD392F000260100000001"), bytes.fromhex("0020009804") + b"1234"
OPEN, CLOSED = frozenset({Secret.PIN}), frozenset[Secret]()
AWAY = Sighting(CardState.SERVICE_ABSENT, "", 0)


class Watch:
    """What a clearing is fed with, and what it said."""

    def __init__(self, table: Table, begun: bool = True) -> None:
        self.said: list[str] = []
        self.table = table
        self.clearing = Clearing(table, lambda event, **fields: self.said.append(event))
        if begun:
            self.clearing.begin()

    def look(self, in_session: bool = False) -> None:
        self.clearing.look(self.table.wait(0), in_session)


@pytest.fixture
def card(make_card: MakeCard) -> VirtualCard:
    return make_card()


@pytest.fixture
def table(card: VirtualCard) -> Table:
    """A card lies there that somebody left open."""
    table = Table()
    table.put(card)
    leave_open(card)
    return table


def leave_open(card: VirtualCard) -> None:
    card.transmit(SELECT)
    card.transmit(VERIFY)
    assert card.verified == OPEN


def test_the_first_card_forgets_and_later_ones_are_left_alone(table: Table, card: VirtualCard) -> None:
    watch = Watch(table)
    watch.look()
    assert (card.verified, watch.said) == (CLOSED, ["card.cleared"])
    leave_open(card)
    watch.look()
    assert (card.verified, watch.said) == (OPEN, ["card.cleared"])


def test_who_only_looks_once_disturbs_nobody(table: Table, card: VirtualCard) -> None:
    watch = Watch(table, begun=False)
    watch.clearing.look(AWAY, in_session=False)
    watch.look()
    assert (card.verified, watch.said) == (OPEN, [])


def test_a_card_put_on_an_empty_reader_has_no_past(table: Table, card: VirtualCard) -> None:
    watch = Watch(table)
    table.take()
    watch.look()
    table.put(card)
    leave_open(card)
    watch.look()
    assert watch.said == []


def test_a_reader_that_comes_late_has_its_card_cleared_too(table: Table, card: VirtualCard) -> None:
    watch = Watch(table)
    watch.clearing.look(Sighting(CardState.READER_ABSENT, "", 0), in_session=False)
    watch.look()
    assert (card.verified, watch.said) == (CLOSED, ["card.cleared"])


def test_after_an_absence_of_the_service_nothing_is_known_again(table: Table, card: VirtualCard) -> None:
    watch = Watch(table)
    watch.look()
    watch.clearing.look(AWAY, in_session=False)
    leave_open(card)
    watch.look()
    assert (card.verified, watch.said) == (CLOSED, ["card.cleared", "card.cleared"])


def test_a_card_that_another_program_holds_is_cleared_when_it_lets_go(table: Table, card: VirtualCard) -> None:
    watch, table.held = Watch(table), True
    watch.look()
    watch.look()
    assert (card.verified, watch.said) == (OPEN, ["card.not_cleared"])
    table.held = False
    watch.look()
    assert (card.verified, watch.said) == (CLOSED, ["card.not_cleared", "card.cleared"])


def test_our_own_session_is_not_cut_off(table: Table, card: VirtualCard) -> None:
    watch = Watch(table)
    watch.look(in_session=True)
    assert (card.verified, watch.said) == (OPEN, [])


def test_a_service_that_goes_away_meanwhile_is_met_at_the_next_look(table: Table, card: VirtualCard) -> None:
    watch, table.service_lost = Watch(table), True
    watch.look()
    assert (card.verified, watch.said) == (OPEN, [])
    table.service_lost = False
    watch.look()
    assert (card.verified, watch.said) == (CLOSED, ["card.cleared"])


def test_a_desk_clears_before_it_tells_of_the_card(table: Table, card: VirtualCard) -> None:
    said: list[str] = []
    with Desk(table, lambda event, **fields: said.append(event)) as desk:
        assert desk.status().reader == READER
        assert card.verified == CLOSED
    assert said == ["card.cleared", "card.seen"]
