"""Real pcscd with the virtual reader: what the fakes elsewhere only pretend."""

import hashlib
import time
from collections.abc import Callable, Iterator

import pytest
from smartcard import scard

from appliance.card.connection import (
    CardAbsentError,
    CardMuteError,
    CardProtocolError,
    CardRemovedError,
    ReaderAbsentError,
    ReaderServiceError,
)
from appliance.card.desk import Desk, DeskClient
from appliance.card.files import ReaderTraits
from appliance.card.pcsc import PcscReaders
from appliance.card.readers import CardBusyError
from appliance.card.service import CardState
from tests.card.table import signed
from tests.card.thief import NOTHING, Thief, stolen
from tests.sim.card import faults
from tests.sim.card.card import VirtualCard
from tests.sim.card.vpcd import VirtualReader
from tests.sim.fixtures import MakeCard
from tests.sim.pcscd import PrivatePcscd

pytestmark = pytest.mark.scenario
DIGEST = hashlib.sha256(b"statement").digest()
FIRST, SECOND = "Virtual PCD 00 00", "Virtual PCD 00 01"


@pytest.fixture
def card(make_card: MakeCard) -> VirtualCard:
    return make_card()


@pytest.fixture
def desk(pcscd: PrivatePcscd) -> Iterator[Desk]:
    with Desk(PcscReaders()) as one:
        eventually(lambda: one.status().state is CardState.EMPTY)
        yield one


def eventually(true: Callable[[], bool], timeout_s: float = 15.0) -> None:
    end = time.monotonic() + timeout_s
    while not true():
        assert time.monotonic() < end, "it did not come true in time"
        time.sleep(0.02)


def sign_with(client: DeskClient) -> bytes:
    client.read()
    return signed(client, bytearray(b"1234"), DIGEST)


def put(reader: VirtualReader, card: VirtualCard, desk: Desk) -> None:
    before = desk.status().insertion
    reader.insert(card)
    eventually(lambda: desk.status().state is CardState.PRESENT and desk.status().insertion > before)


def test_a_visit_on_the_real_reader(desk: Desk, reader: VirtualReader, card: VirtualCard) -> None:
    put(reader, card, desk)
    client = desk.client()
    assert client.read().reader == FIRST
    assert len(signed(client, bytearray(b"1234"), DIGEST)) == 256
    tally = client.tally()
    assert (tally.exchanges, tally.bytes, tally.tries_left) == (5, 1811, 3)
    client.leave()
    assert card.forbidden_selected == []


def test_our_own_time_is_short(desk: Desk, reader: VirtualReader, card: VirtualCard) -> None:
    put(reader, card, desk)
    client, own_ms = desk.client(), []
    for _ in range(9):
        started = time.perf_counter()
        client.read()
        signed(client, bytearray(b"1234"), DIGEST)
        own_ms.append((time.perf_counter() - started) * 1000 - client.tally().card_ms)
        client.leave()
    assert sorted(own_ms)[4] <= 20


def test_nobody_else_reaches_the_card_during_a_session_or_signs_after_it(
    desk: Desk, reader: VirtualReader, card: VirtualCard
) -> None:
    put(reader, card, desk)
    client = desk.client()
    client.read()
    signed(client, bytearray(b"1234"), DIGEST)
    assert stolen(FIRST) == {"connected": f"{scard.SCARD_E_SHARING_VIOLATION & 0xFFFFFFFF:08X}"}
    client.leave()
    assert stolen(FIRST) == NOTHING


def test_a_card_that_another_program_holds_is_busy(reader: VirtualReader, card: VirtualCard, desk: Desk) -> None:
    put(reader, card, desk)
    other = PcscReaders().open()
    with pytest.raises(CardBusyError):
        desk.client().read()
    other.close()
    assert desk.client().read().exchanges == 2


@pytest.mark.parametrize("removed_at", range(1, 6))
def test_removed_at_every_exchange(desk: Desk, reader: VirtualReader, card: VirtualCard, removed_at: int) -> None:
    desk._readers_traits[FIRST] = ReaderTraits(extended_le=True)
    put(reader, card, desk)
    card.removed_at = removed_at
    client = desk.client()
    with pytest.raises(CardRemovedError):
        sign_with(client)
    assert card.pin_tries == 3
    eventually(lambda: desk.status().state is CardState.EMPTY)
    put(reader, card, desk)
    assert client.read().exchanges == 2
    assert len(signed(client, bytearray(b"1234"), DIGEST)) == 256


def test_a_second_card_during_a_session(desk: Desk, reader: VirtualReader, make_card: MakeCard) -> None:
    first, second = make_card(), make_card()
    put(reader, first, desk)
    client = desk.client()
    client.read()
    put(reader, second, desk)
    with pytest.raises(CardRemovedError):
        signed(client, bytearray(b"1234"), DIGEST)
    assert second.exchanges == []
    assert client.read().exchanges == 2


def test_an_answer_without_status_word(desk: Desk, reader: VirtualReader, card: VirtualCard) -> None:
    put(reader, card, desk)
    card.faults[1] = faults.cut(1)
    with pytest.raises((CardProtocolError, CardMuteError)):
        desk.client().read()
    assert desk.client().read().exchanges == 2


def test_the_power_is_taken_also_from_under_others(reader: VirtualReader, card: VirtualCard) -> None:
    reader.insert(card)
    assert reader.wait_until_seen(5)
    with Thief(FIRST) as other:
        assert other.says("00A4040C0AD392F000260100000001", "0020009804" + b"1234".hex()) == ["9000", "9000"]
        assert card.verified
        assert PcscReaders().power_off()
        eventually(lambda: not card.verified)  # the driver does not wait for the card to lose its power
    assert stolen(FIRST) == NOTHING


def test_the_power_is_not_taken_from_who_has_the_card_alone(reader: VirtualReader, card: VirtualCard) -> None:
    reader.insert(card)
    assert reader.wait_until_seen(5)
    other = PcscReaders().open()
    assert not PcscReaders().power_off()
    other.close()
    assert PcscReaders().power_off()
    eventually(lambda: not card.powered)


def test_an_empty_reader_has_no_power_to_take(reader: VirtualReader) -> None:
    assert PcscReaders().power_off()
    assert PcscReaders("Some Other Reader").power_off()


def test_a_slow_card_is_waited_for(desk: Desk, reader: VirtualReader, card: VirtualCard) -> None:
    card.delay_ms = {0xB0: 700.0, 0x2A: 700.0}
    put(reader, card, desk)
    client = desk.client()
    assert client.read().ms >= 700
    assert len(signed(client, bytearray(b"1234"), DIGEST)) == 256


def test_without_a_card(desk: Desk) -> None:
    with pytest.raises(CardAbsentError):
        desk.client().read()


def test_a_reader_of_another_name_is_absent(pcscd: PrivatePcscd) -> None:
    with Desk(PcscReaders("Some Other Reader")) as desk:
        assert desk.status().state is CardState.READER_ABSENT
        with pytest.raises(ReaderAbsentError):
            desk.client().read()


def test_the_configured_reader_wins(
    reader: VirtualReader, second_reader: VirtualReader, make_card: MakeCard, pcscd: PrivatePcscd
) -> None:
    with Desk(PcscReaders(SECOND)) as desk:
        assert desk.status().reader == SECOND
        reader.insert(make_card())
        put(second_reader, make_card(), desk)
        assert desk.client().read().reader == SECOND


def test_without_a_configured_reader_the_one_with_a_card_wins(
    desk: Desk, second_reader: VirtualReader, card: VirtualCard
) -> None:
    put(second_reader, card, desk)
    client = desk.client()
    assert client.read().reader == SECOND
    client.leave()


def test_the_service_killed_and_back(pcscd: PrivatePcscd, desk: Desk, reader: VirtualReader, card: VirtualCard) -> None:
    put(reader, card, desk)
    client = desk.client()
    client.read()
    pcscd.kill()
    pin = bytearray(b"1234")
    with pytest.raises((ReaderServiceError, CardRemovedError)):
        signed(client, pin, DIGEST)
    assert pin == bytes(4)
    assert card.pin_tries == 3
    eventually(lambda: desk.status().state is CardState.SERVICE_ABSENT)
    with pytest.raises(ReaderServiceError):
        client.read()
    pcscd.start()
    eventually(lambda: desk.status().state is not CardState.SERVICE_ABSENT)
    put(reader, card, desk)
    assert client.read().exchanges == 2
    assert len(signed(client, bytearray(b"1234"), DIGEST)) == 256


def test_the_loss_of_the_service_is_told_at_once(pcscd: PrivatePcscd, desk: Desk) -> None:
    pcscd.kill()
    eventually(lambda: desk.status().state is CardState.SERVICE_ABSENT, timeout_s=0.8)
    pcscd.start()
    eventually(lambda: desk.status().state is CardState.EMPTY, timeout_s=2.0)


def test_started_before_the_service(pcscd: PrivatePcscd, reader: VirtualReader, card: VirtualCard) -> None:
    pcscd.stop()
    with Desk(PcscReaders()) as desk:
        assert desk.status().state is CardState.SERVICE_ABSENT
        pcscd.start()
        eventually(lambda: desk.status().state is CardState.EMPTY)
        put(reader, card, desk)
        assert desk.client().read().exchanges == 2


def test_looking_ends_at_once_when_the_desk_closes(pcscd: PrivatePcscd) -> None:
    desk = Desk(PcscReaders())
    desk.start()
    time.sleep(0.2)
    before = time.monotonic()
    desk.close()
    assert time.monotonic() - before < 0.7
