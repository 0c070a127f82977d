"""What is learned of a card is kept for one insertion and not longer."""

from appliance.card.desk import Desk
from appliance.card.files import ReaderTraits
from tests.card.table import READER, Table, signed
from tests.card.test_desk import eventually
from tests.sim.card.card import VirtualCard
from tests.sim.card.files import Kind
from tests.sim.fixtures import MakeCard


def token_reads(card: VirtualCard) -> int:
    return sum(one.command.startswith("00B086") for one in card.exchanges)


def put(desk: Desk, table: Table, card: VirtualCard) -> None:
    before = desk.status().insertion
    table.put(card)
    eventually(lambda: desk.status().insertion == before + 1)


def test_a_telephone_is_asked_once_what_it_is(make_card: MakeCard) -> None:
    card, table = make_card(kind=Kind.ANDROID), Table()
    with Desk(table) as desk:
        put(desk, table, card)
        client = desk.client()
        assert [client.read().kind for _ in range(3)] == ["android"] * 3
        assert token_reads(card) == 1
        client.leave()
        assert client.read().kind == "android"
        assert token_reads(card) == 1


def test_the_same_telephone_put_anew_is_asked_again(make_card: MakeCard) -> None:
    card, table = make_card(kind=Kind.ANDROID), Table()
    with Desk(table) as desk:
        for times in (1, 2):
            put(desk, table, card)
            assert desk.client().read().kind == "android"
            assert token_reads(card) == times
            table.take()
            eventually(lambda: desk._owner is None)


def test_the_next_card_is_not_taken_for_the_one_before(make_card: MakeCard) -> None:
    telephone, card, table = make_card(kind=Kind.ANDROID), make_card(), Table()
    with Desk(table) as desk:
        put(desk, table, telephone)
        assert desk.client().read().certificate is None
        table.take()
        eventually(lambda: desk._owner is None)
        put(desk, table, card)
        client = desk.client()
        read = client.read()
        assert (read.kind, read.certificate) == ("card", card.contents.authentication)
        assert signed(client, bytearray(b"1234"), bytes(32))
        assert desk._readers_traits == {READER: ReaderTraits(extended_le=True)}


def test_nothing_is_kept_where_nobody_watches_the_reader(make_card: MakeCard) -> None:
    card, table = make_card(kind=Kind.ANDROID), Table()
    table.put(card)
    desk = Desk(table)
    for times in (1, 2):
        client = desk.client()
        client.read()
        client.leave()
        assert token_reads(card) == times
    desk.close()
