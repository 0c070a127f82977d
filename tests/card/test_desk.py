"""Who may use the card, and what watchers see."""

import hashlib
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from appliance.card import desk as desk_module
from appliance.card.connection import CardAbsentError, CardMuteError, CardRemovedError, ReaderAbsentError
from appliance.card.desk import Desk, SessionOverError
from appliance.card.events import EVENTS_KEPT
from appliance.card.key import LastTryError, PinFormError, WrongPinError
from appliance.card.readers import CardBusyError
from appliance.card.service import CardEvent, CardState
from appliance.errors import Field
from tests.card.table import READER, Table, signed
from tests.sim.card import faults
from tests.sim.card.card import VirtualCard
from tests.sim.fixtures import MakeCard

DIGEST = hashlib.sha256(b"statement").digest()


class Log:
    """What the desk told an observer."""

    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Field]]] = []

    def __call__(self, event: str, **fields: Field) -> None:
        self.events.append((event, fields))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.events]


@pytest.fixture
def table() -> Table:
    return Table()


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def desk(table: Table, log: Log) -> Iterator[Desk]:
    with Desk(table, log) as one:
        yield one


@pytest.fixture
def card(make_card: MakeCard) -> VirtualCard:
    return make_card()


def eventually(true: Callable[[], bool], timeout_s: float = 5.0) -> None:
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.005)


def test_watchers_see_the_state_now_and_every_change(desk: Desk, table: Table, card: VirtualCard) -> None:
    seen = desk.client().watch()
    assert next(seen) == CardEvent(CardState.EMPTY, READER, 0, readers=(READER,))
    table.put(card)
    assert next(seen) == CardEvent(CardState.PRESENT, READER, 1, readers=(READER,))
    table.take()
    assert next(seen) == CardEvent(CardState.EMPTY, READER, 1, readers=(READER,))
    table.unplug()
    assert next(seen) == CardEvent(CardState.READER_ABSENT, "", 1)
    table.plug()
    assert next(seen).state is CardState.EMPTY


def test_a_card_swapped_faster_than_anybody_looks_is_another_insertion(
    desk: Desk, table: Table, make_card: MakeCard
) -> None:
    table.put(make_card())
    seen = desk.client().watch()
    eventually(lambda: desk.status().insertion == 1)
    assert next(seen).insertion == 1
    table.put(make_card())
    assert next(seen) == CardEvent(CardState.PRESENT, READER, 2, readers=(READER,))


def test_two_watchers_see_the_same(desk: Desk, table: Table, card: VirtualCard) -> None:
    first, second = desk.client().watch(), desk.client().watch()
    assert next(first) == next(second)
    table.put(card)
    assert next(first) == next(second)


def test_a_visit(desk: Desk, table: Table, card: VirtualCard, log: Log) -> None:
    table.put(card)
    client = desk.client()
    read = client.read()
    assert (read.kind, read.reader, read.exchanges, len(read.certificate or b"")) == ("card", READER, 2, 1453)
    assert client.tries_left() == 3
    assert len(signed(client, bytearray(b"1234"), DIGEST)) == 256
    tally = client.tally()
    assert (tally.exchanges, tally.tries_left) == (6, 3)
    client.leave()
    assert client.tally() == tally
    assert not card.powered
    assert card.verified == frozenset()
    assert [name for name in log.names if name != "card.seen"][1:] == ["card.read", "card.signed", "card.left"]


def test_no_event_for_the_log_holds_anything_personal(desk: Desk, table: Table, card: VirtualCard, log: Log) -> None:
    table.put(card)
    client = desk.client()
    client.read()
    signed(client, bytearray(b"1234"), DIGEST)
    client.leave()
    for _, fields in log.events:
        assert set(fields) <= {"reader", "insertion", "exchanges", "bytes", "ms", "reason"}


def test_one_session_at_a_time(desk: Desk, table: Table, card: VirtualCard) -> None:
    table.put(card)
    first, second = desk.client(), desk.client()
    first.read()
    with pytest.raises(CardBusyError):
        second.read()
    signed(first, bytearray(b"1234"), DIGEST)
    first.leave()
    assert second.read().exchanges == 2
    second.leave()


def test_nobody_signs_in_the_session_of_another(desk: Desk, table: Table, card: VirtualCard) -> None:
    table.put(card)
    first, second = desk.client(), desk.client()
    first.read()
    pin = bytearray(b"1234")
    with pytest.raises(CardAbsentError):
        signed(second, pin, DIGEST)
    assert pin == bytes(4)
    second.leave()
    assert len(signed(first, bytearray(b"1234"), DIGEST)) == 256


def test_without_card_or_reader(desk: Desk, table: Table, card: VirtualCard) -> None:
    client = desk.client()
    with pytest.raises(CardAbsentError):
        client.read()
    table.unplug()
    with pytest.raises(ReaderAbsentError):
        client.read()
    table.plug()
    table.put(card)
    assert client.read().exchanges == 2


def test_a_wrong_pin_leaves_the_session_open(desk: Desk, table: Table, card: VirtualCard) -> None:
    table.put(card)
    client = desk.client()
    client.read()
    with pytest.raises(PinFormError):
        signed(client, bytearray(b"12"), DIGEST)
    for _ in range(2):
        with pytest.raises(WrongPinError):
            signed(client, bytearray(b"9999"), DIGEST)
    with pytest.raises(LastTryError):
        signed(client, bytearray(b"1234"), DIGEST)
    assert len(signed(client, bytearray(b"1234"), DIGEST, last_try=True)) == 256


def test_a_card_taken_away_ends_the_session(desk: Desk, table: Table, card: VirtualCard, log: Log) -> None:
    table.put(card)
    client = desk.client()
    client.read()
    table.take()
    eventually(lambda: "card.left" in log.names)
    pin = bytearray(b"1234")
    with pytest.raises(CardRemovedError):
        signed(client, pin, DIGEST)
    assert pin == bytes(4)
    with pytest.raises(CardRemovedError):
        client.tries_left()


def test_a_second_card_is_not_signed_with(desk: Desk, table: Table, make_card: MakeCard) -> None:
    first, second = make_card(), make_card()
    table.put(first)
    client = desk.client()
    client.read()
    table.put(second)
    with pytest.raises(CardRemovedError):
        signed(client, bytearray(b"1234"), DIGEST)
    assert second.exchanges == []
    assert client.read().exchanges == 2


def test_a_mute_card_ends_the_session(desk: Desk, table: Table, card: VirtualCard) -> None:
    table.put(card)
    client = desk.client()
    client.read()
    card.faults[3] = faults.silent()
    with pytest.raises(CardMuteError):
        signed(client, bytearray(b"1234"), DIGEST)
    assert not table.held


def test_a_progress_that_raises_gives_the_card_back(desk: Desk, table: Table, card: VirtualCard) -> None:
    table.put(card)

    def broken(_done: int, _expected: int) -> None:
        raise KeyError

    with pytest.raises(KeyError):
        desk.client().read(broken)
    assert not table.held
    assert desk.client().read().exchanges == 2


def test_a_session_that_nobody_uses_ends(
    desk: Desk, table: Table, card: VirtualCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "SESSION_IDLE_S", 0.05)
    table.put(card)
    client = desk.client()
    client.read()
    eventually(lambda: not table.held)
    with pytest.raises(SessionOverError):
        client.tries_left()


def test_reading_again_begins_anew(desk: Desk, table: Table, card: VirtualCard) -> None:
    table.put(card)
    client = desk.client()
    client.read()
    signed(client, bytearray(b"1234"), DIGEST)
    client.read()
    assert client.tally().exchanges == 2
    assert card.verified == frozenset()


def test_a_reader_that_loses_the_card_to_an_extended_read_is_asked_the_short_way(
    desk: Desk, table: Table, card: VirtualCard
) -> None:
    table.put(card)
    card.removed_at = 2
    back = threading.Timer(0.1, table.put, [card])
    back.start()
    client = desk.client()
    assert client.read().exchanges == 7
    client.leave()
    assert client.read().exchanges == 7
    back.join()


def test_a_card_that_does_not_come_back_was_removed(desk: Desk, table: Table, card: VirtualCard) -> None:
    table.put(card)
    card.removed_at = 2
    client = desk.client()
    with pytest.raises(CardRemovedError):
        client.read()
    with pytest.raises(CardRemovedError):
        client.tries_left()


def test_closing_the_desk_gives_the_card_back(table: Table, card: VirtualCard) -> None:
    table.put(card)
    with Desk(table) as desk:
        client = desk.client()
        client.read()
        watching = client.watch()
        assert next(watching).state is CardState.PRESENT
    assert not table.held
    assert not card.powered
    assert list(watching) == []


def test_a_slow_watcher_misses_the_oldest_events_only(desk: Desk, table: Table, card: VirtualCard) -> None:
    number, first = desk.next_event(0, 0) or (0, None)
    assert first is not None
    for turn in range(EVENTS_KEPT):
        (table.put(card) if turn % 2 == 0 else table.take())
        eventually(lambda turn=turn: (desk.status().state is CardState.PRESENT) == (turn % 2 == 0))  # type: ignore[misc] # mypy cannot type a lambda's default
    found = desk.next_event(number, 1.0)
    assert found is not None
    assert found[0] > number


def test_without_start_it_looks_when_asked(table: Table, card: VirtualCard) -> None:
    desk = Desk(table)
    assert desk.status().state is CardState.EMPTY
    table.put(card)
    assert desk.status().state is CardState.PRESENT
    assert not desk.alive
    desk.close()


def test_an_exchange_that_hangs_is_noticed(
    desk: Desk, table: Table, card: VirtualCard, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(desk_module, "STUCK_S", 0.05)
    card.delay_ms = {0xB0: 400.0}
    table.put(card)
    assert desk.alive
    reading = threading.Thread(target=desk.client().read)
    reading.start()
    eventually(lambda: not desk.alive)
    reading.join()
    assert desk.alive
