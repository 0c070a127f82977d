"""A reader with a cable, under the real pcscd: unplugged and plugged in again, alone and beside another one."""

import hashlib
import threading
import time
from collections.abc import Iterator

import pytest

from appliance.card.connection import CardMuteError, CardRemovedError, ReaderAbsentError, ReaderServiceError
from appliance.card.desk import Desk, DeskClient
from appliance.card.pcsc import PcscReaders
from appliance.card.service import CardEvent, CardState
from tests.card.holders import pins_sent
from tests.card.recovery import recovered
from tests.card.table import signed
from tests.card.test_desk import eventually
from tests.card.thief import Thief
from tests.sim.card.card import VirtualCard
from tests.sim.fixtures import MakeCard
from tests.sim.usb import UsbPcscd, UsbReader

pytestmark = pytest.mark.scenario
DIGEST = hashlib.sha256(b"statement").digest()
ALPHA, BETA = "Alpha Reader 00 00", "Beta Reader 01 00"
GONE = (ReaderAbsentError, CardRemovedError)


@pytest.fixture
def alpha(usb: UsbPcscd) -> UsbReader:
    return usb.readers[0]


@pytest.fixture
def beta(usb: UsbPcscd) -> UsbReader:
    return usb.readers[1]


@pytest.fixture
def desk(alpha: UsbReader, beta: UsbReader) -> Iterator[Desk]:
    """The one reader that is there is alpha."""
    beta.unplug()
    with Desk(PcscReaders()) as one:
        eventually(lambda: one.status().state is CardState.EMPTY)
        yield one


@pytest.fixture
def card(make_card: MakeCard) -> VirtualCard:
    return make_card()


def put(reader: UsbReader, card: VirtualCard, desk: Desk) -> None:
    before = desk.status().insertion
    reader.insert(card)
    eventually(lambda: desk.status().state is CardState.PRESENT and desk.status().insertion > before)


def visit(client: DeskClient) -> bool:
    client.read()
    done = len(signed(client, bytearray(b"1234"), DIGEST)) == 256
    client.leave()
    return done


def plug_back(desk: Desk, reader: UsbReader, card: VirtualCard) -> None:
    """From the cable in the socket to the next signature, with the card that lies there."""
    before = desk.status().insertion
    reader.plug()
    recovered(lambda: desk.status().insertion > before, "the reader that is back")
    recovered(lambda: visit(desk.client()), "the next visit")
    assert card.pin_tries == 3


def test_unplugged_while_nothing_happens(desk: Desk, alpha: UsbReader, card: VirtualCard) -> None:
    alpha.unplug()
    recovered(lambda: desk.status() == CardEvent(CardState.READER_ABSENT, "", 0), "the reader that is away")
    with pytest.raises(ReaderAbsentError):
        desk.client().read()
    alpha.plug()
    recovered(lambda: desk.status() == CardEvent(CardState.EMPTY, ALPHA, 0, readers=(ALPHA,)), "the reader back")
    put(alpha, card, desk)
    assert visit(desk.client())


def test_unplugged_with_a_card_on_it(desk: Desk, alpha: UsbReader, card: VirtualCard) -> None:
    put(alpha, card, desk)
    alpha.unplug()
    recovered(lambda: desk.status().state is CardState.READER_ABSENT, "the reader that is away")
    plug_back(desk, alpha, card)


def test_unplugged_while_the_person_reads_the_statement(desk: Desk, alpha: UsbReader, card: VirtualCard) -> None:
    put(alpha, card, desk)
    client = desk.client()
    client.read()
    alpha.unplug()
    recovered(lambda: desk._owner is None, "the session whose reader is away")
    pin = bytearray(b"1234")
    with pytest.raises(GONE):
        signed(client, pin, DIGEST)
    assert pin == bytes(4)
    plug_back(desk, alpha, card)


@pytest.mark.parametrize(
    ("exchange", "instruction", "pins"), [(2, 0xB0, 0), (4, 0x20, 1), (5, 0x2A, 1)], ids=["READ", "VERIFY", "SIGN"]
)
def test_unplugged_in_the_middle_of_an_exchange(
    desk: Desk, alpha: UsbReader, card: VirtualCard, exchange: int, instruction: int, pins: int
) -> None:
    card.delay_ms = {instruction: 600.0}
    put(alpha, card, desk)
    failures: list[Exception] = []

    def go() -> None:
        try:
            visit(desk.client())
        except Exception as error:  # noqa: BLE001 - what it is, is looked at below
            failures.append(error)

    talking = threading.Thread(target=go)
    talking.start()
    eventually(lambda: card.count == exchange)
    alpha.unplug()
    talking.join(10)
    assert [type(one) for one in failures] in ([ReaderAbsentError], [CardRemovedError], [CardMuteError])
    assert pins_sent(card) == pins  # and never a second time
    card.delay_ms = {}
    plug_back(desk, alpha, card)


def test_a_second_reader_may_come_and_go_during_a_session(
    desk: Desk, alpha: UsbReader, beta: UsbReader, card: VirtualCard, make_card: MakeCard
) -> None:
    other = make_card()
    put(alpha, card, desk)
    client = desk.client()
    client.read()
    beta.plug()
    recovered(lambda: desk.status().readers == (ALPHA, BETA), "the second reader")
    beta.insert(other)
    assert beta.wait_until_seen(5)
    time.sleep(0.2)
    assert (desk.status().reader, desk.status().insertion) == (ALPHA, 1)
    assert len(signed(client, bytearray(b"1234"), DIGEST)) == 256
    beta.unplug()
    recovered(lambda: desk.status().readers == (ALPHA,), "the second reader away")
    assert client.tries_left() == 3
    client.leave()
    assert other.exchanges == []


def test_of_two_cards_the_first_stays_and_the_second_never_signs_for_it(
    desk: Desk, alpha: UsbReader, beta: UsbReader, card: VirtualCard, make_card: MakeCard
) -> None:
    second = make_card()
    beta.plug()
    put(beta, card, desk)
    client = desk.client()
    assert client.read().reader == BETA
    alpha.insert(second)
    assert alpha.wait_until_seen(5)
    assert len(signed(client, bytearray(b"1234"), DIGEST)) == 256
    client.leave()
    assert client.read().reader == BETA
    beta.remove()
    with pytest.raises(CardRemovedError):
        signed(client, bytearray(b"1234"), DIGEST)
    assert second.exchanges == []
    recovered(lambda: (desk.status().reader, desk.status().insertion) == (ALPHA, 2), "the second card")
    assert visit(desk.client())


def test_the_configured_reader_away_the_other_one_is_left_alone(
    alpha: UsbReader, beta: UsbReader, card: VirtualCard, make_card: MakeCard
) -> None:
    theirs = make_card()
    alpha.insert(theirs)
    assert alpha.wait_until_seen(5)
    with Desk(PcscReaders("Beta")) as desk:
        recovered(lambda: desk.status().reader == BETA, "the configured reader")
        beta.unplug()
        recovered(
            lambda: desk.status() == CardEvent(CardState.READER_ABSENT, "", 0, readers=(ALPHA,)), "the reader away"
        )
        with pytest.raises(ReaderAbsentError):
            desk.client().read()
        assert theirs.exchanges == []
        beta.plug()
        put(beta, card, desk)
        assert visit(desk.client())
    assert theirs.exchanges == []


def test_pcscd_comes_back_with_another_reader(
    desk: Desk, usb: UsbPcscd, card: VirtualCard, make_card: MakeCard
) -> None:
    alpha, beta = usb.readers
    put(alpha, make_card(), desk)
    client = desk.client()
    client.read()
    usb.kill()
    recovered(lambda: desk.status().state is CardState.SERVICE_ABSENT, "the service that is away")
    alpha.unplug()
    beta.plug()
    beta.insert(card)
    usb.start()
    recovered(lambda: desk.status().state is CardState.PRESENT, "the other reader")
    assert desk.status().readers == ("Beta Reader 00 00",)
    assert desk.status().insertion == 2
    with pytest.raises(ReaderServiceError):
        signed(client, bytearray(b"1234"), DIGEST)
    assert visit(desk.client())


def test_a_mute_card_is_told_of_and_another_one_read(
    desk: Desk, alpha: UsbReader, card: VirtualCard, make_card: MakeCard
) -> None:
    alpha.insert(make_card(), mute=True)
    recovered(lambda: desk.status().state is CardState.MUTE, "the mute card")
    with pytest.raises(CardMuteError):
        desk.client().read()
    put(alpha, card, desk)
    assert visit(desk.client())


def test_another_program_at_the_reader_is_told_of_and_we_are_not(
    desk: Desk, alpha: UsbReader, card: VirtualCard
) -> None:
    put(alpha, card, desk)
    heard: list[CardEvent] = []
    watching = threading.Thread(target=lambda: heard.extend(watch_until_held(desk)))
    watching.start()
    for _ in range(5):
        assert visit(desk.client())
    with Thief(ALPHA):
        recovered(lambda: desk.status().held, "the program at the reader")
        assert (desk.status().state, desk.status().insertion) == (CardState.PRESENT, 1)
    recovered(lambda: not desk.status().held, "the reader that is free again")
    watching.join(5)
    assert [event.held for event in heard] == [False, True]
    assert visit(desk.client())


def watch_until_held(desk: Desk) -> Iterator[CardEvent]:
    for event in desk.client().watch():
        yield event
        if event.held:
            return
