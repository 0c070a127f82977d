"""A new card, and a conversation with it."""

import pytest

from tests.sim.card.card import VirtualCard
from tests.sim.card.talk import SELECT_JPKI, Talk
from tests.sim.fixtures import MakeCard


@pytest.fixture
def card(make_card: MakeCard) -> VirtualCard:
    return make_card()


@pytest.fixture
def talk(card: VirtualCard) -> Talk:
    """A conversation in which the JPKI application is already selected."""
    one = Talk(card)
    assert one.sw(SELECT_JPKI) == "9000"
    return one
