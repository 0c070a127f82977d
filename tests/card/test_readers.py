"""What every source of cards promises, by the two that there are."""

import pytest

from appliance.card.connection import CardAbsentError
from appliance.card.readers import CardBusyError, Readers, Sighting
from appliance.card.service import CardState
from tests.card.table import READER, Table
from tests.sim.fixtures import MakeCard


def test_the_same_card_put_anew_is_another_sighting(make_card: MakeCard) -> None:
    table, card = Table(), make_card()
    readers: Readers = table
    table.put(card)
    first = readers.wait(0)
    assert first == Sighting(CardState.PRESENT, READER, first.mark, readers=(READER,))
    table.take()
    table.put(card)
    assert readers.wait(0) != first


def test_a_card_has_one_owner_at_a_time(make_card: MakeCard) -> None:
    table = Table()
    readers: Readers = table
    with pytest.raises(CardAbsentError):
        readers.open()
    table.put(make_card())
    powered = readers.open()
    assert powered.reader == READER
    with pytest.raises(CardBusyError):
        readers.open()
    powered.close()
    readers.open().close()
