"""Two readers, two cards: which one is taken is settled, and nobody signs with the other one."""

import hashlib
import time
from collections.abc import Iterator

import pytest

from appliance.card import desk as desk_module
from appliance.card.connection import CardAbsentError, CardRemovedError, ReaderAbsentError, ReaderServiceError
from appliance.card.desk import Desk, DeskClient
from appliance.card.service import CardState
from tests.card.table import Table, signed
from tests.card.test_desk import eventually
from tests.sim.card.card import VirtualCard
from tests.sim.fixtures import MakeCard

DIGEST = hashlib.sha256(b"statement").digest()
A, B = "Alpha Reader 00 00", "Beta Reader 01 00"


@pytest.fixture
def cards(make_card: MakeCard) -> tuple[VirtualCard, VirtualCard]:
    return make_card(), make_card()


@pytest.fixture
def table() -> Table:
    return Table(A, B)


@pytest.fixture
def desk(table: Table) -> Iterator[Desk]:
    with Desk(table) as one:
        yield one


def put(desk: Desk, table: Table, card: VirtualCard, reader: str) -> None:
    """Puts it where it counts, and waits until it was told of."""
    before = desk.status().insertion
    table.put(card, reader)
    eventually(lambda: desk.status().insertion == before + 1)


def sign(client: DeskClient) -> None:
    assert len(signed(client, bytearray(b"1234"), DIGEST)) == 256


def test_without_a_name_the_reader_with_a_card_counts(
    desk: Desk, table: Table, cards: tuple[VirtualCard, VirtualCard]
) -> None:
    assert desk.status().reader == A
    put(desk, table, cards[0], B)
    assert desk.status().reader == B
    client = desk.client()
    assert client.read().reader == B
    sign(client)


def test_both_readers_are_told_of_and_a_new_one_too(desk: Desk, table: Table) -> None:
    assert desk.status().readers == (A, B)
    table.unplug(B)
    eventually(lambda: desk.status().readers == (A,))
    assert (desk.status().reader, desk.status().state) == (A, CardState.EMPTY)
    table.plug(B)
    eventually(lambda: desk.status().readers == (A, B))


@pytest.mark.parametrize(("prefix", "other"), [("Beta", A), ("Alpha Reader", B)])
def test_with_a_name_the_other_reader_is_never_touched(
    prefix: str, other: str, cards: tuple[VirtualCard, VirtualCard]
) -> None:
    ours, theirs = cards
    table = Table(A, B, prefix=prefix)
    table.put(theirs, other)
    theirs.power_on()  # another program is using it
    with Desk(table) as desk:
        assert desk.status().state is CardState.EMPTY
        with pytest.raises(CardAbsentError):
            desk.client().read()
        put(desk, table, ours, A if other == B else B)
        client = desk.client()
        assert client.read().reader.startswith(prefix)
        sign(client)
        client.leave()
    assert theirs.exchanges == []
    assert theirs.powered


def test_with_a_name_and_that_reader_away_there_is_no_reader(cards: tuple[VirtualCard, VirtualCard]) -> None:
    table = Table(A, B, prefix="Beta")
    table.put(cards[0], A)
    table.unplug(B)
    with Desk(table) as desk:
        status = desk.status()
        assert (status.state, status.reader, status.readers) == (CardState.READER_ABSENT, "", (A,))
        with pytest.raises(ReaderAbsentError):
            desk.client().read()
    assert cards[0].exchanges == []


def test_of_two_cards_the_one_that_was_there_first_stays(
    desk: Desk, table: Table, cards: tuple[VirtualCard, VirtualCard]
) -> None:
    first, second = cards
    put(desk, table, first, B)
    table.put(second, A)
    for _ in range(3):
        client = desk.client()
        assert client.read().reader == B
        sign(client)
        client.leave()
    assert second.exchanges == []


def test_a_second_card_during_a_session_is_not_even_told_of(
    desk: Desk, table: Table, cards: tuple[VirtualCard, VirtualCard]
) -> None:
    first, second = cards
    put(desk, table, first, B)
    client = desk.client()
    client.read()
    before = desk.status()
    table.put(second, A)
    time.sleep(0.1)  # several looks
    assert desk.status() == before
    sign(client)
    client.leave()
    assert second.exchanges == []


def test_taking_the_first_card_away_does_not_sign_with_the_second(
    desk: Desk, table: Table, cards: tuple[VirtualCard, VirtualCard]
) -> None:
    first, second = cards
    put(desk, table, first, A)
    client = desk.client()
    client.read()
    table.put(second, B)
    table.take(A)
    pin = bytearray(b"1234")
    with pytest.raises(CardRemovedError):
        signed(client, pin, DIGEST)
    assert pin == bytes(4)
    assert second.exchanges == []
    assert (first.pin_tries, second.pin_tries) == (3, 3)
    # It is a new visit with a new card, and said to be one.
    eventually(lambda: (desk.status().reader, desk.status().insertion) == (B, 2))
    assert client.read().reader == B


def test_the_session_of_a_card_that_left_ends_although_another_lies_there(
    desk: Desk, table: Table, cards: tuple[VirtualCard, VirtualCard]
) -> None:
    put(desk, table, cards[0], A)
    client, next_one = desk.client(), desk.client()
    client.read()
    table.put(cards[1], B)
    table.take(A)
    eventually(lambda: desk._owner is None)
    with pytest.raises(CardRemovedError):
        client.tries_left()
    assert next_one.read().reader == B


def test_a_card_lost_for_a_moment_is_awaited_on_its_own_reader(
    desk: Desk, table: Table, cards: tuple[VirtualCard, VirtualCard], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "RETURN_S", 0.3)
    first, second = cards
    put(desk, table, first, A)
    table.put(second, B)
    first.removed_at = 2  # at the first extended READ, as readers that cannot take one do
    with pytest.raises(CardRemovedError):
        desk.client().read()
    assert second.exchanges == []


@pytest.mark.parametrize(
    ("lose", "error"),
    [("unplug", ReaderAbsentError), ("away", ReaderServiceError), ("take", CardRemovedError)],
)
def test_why_a_session_ended_is_told(
    desk: Desk, table: Table, cards: tuple[VirtualCard, VirtualCard], lose: str, error: type[Exception]
) -> None:
    table.unplug(B)
    put(desk, table, cards[0], A)
    client = desk.client()
    client.read()
    if lose == "away":
        table.away = True
    else:
        getattr(table, lose)(A)
    eventually(lambda: desk._owner is None)
    with pytest.raises(error):
        client.tries_left()
    assert cards[0].pin_tries == 3


def test_another_program_at_the_reader_is_told_of(
    desk: Desk, table: Table, cards: tuple[VirtualCard, VirtualCard]
) -> None:
    put(desk, table, cards[0], A)
    client = desk.client()
    client.read()
    time.sleep(0.1)
    assert not desk.status().held  # it is ourselves
    client.leave()
    table.held = True
    eventually(lambda: desk.status().held)
    assert desk.status().insertion == 1
    table.held = False
    eventually(lambda: not desk.status().held)


def test_an_old_look_does_not_end_a_new_session(table: Table, cards: tuple[VirtualCard, VirtualCard]) -> None:
    desk = Desk(table)
    empty, looked = desk.status(), time.monotonic()
    table.put(cards[0], A)
    client = desk.client()
    client.read()
    client.end_if_over(empty, looked)
    sign(client)
    client.end_if_over(empty, time.monotonic())
    with pytest.raises(CardRemovedError):
        client.tries_left()
    desk.close()
