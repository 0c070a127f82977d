"""pcscd crashes or is stopped at every moment of a visit, and starts again: nothing is lost but the visit."""

import hashlib
import threading
from collections.abc import Iterator

import pytest

from appliance.card.connection import CardMuteError, CardRemovedError, ReaderServiceError
from appliance.card.desk import Desk, DeskClient
from appliance.card.pcsc import PcscReaders
from appliance.card.service import CardState
from tests.card.holders import pins_sent
from tests.card.recovery import recovered
from tests.card.table import signed
from tests.card.test_desk import eventually
from tests.sim.card.card import VirtualCard
from tests.sim.card.vpcd import VirtualReader
from tests.sim.fixtures import MakeCard
from tests.sim.pcscd import PrivatePcscd

pytestmark = pytest.mark.scenario
DIGEST = hashlib.sha256(b"statement").digest()
# Exchange of a visit -> its instruction, and how often the PIN has been sent until then.
MOMENTS = {2: (0xB0, 0), 3: (0x20, 0), 4: (0x20, 1), 5: (0x2A, 1)}
ENDS = pytest.mark.parametrize("end", ["kill", "stop"])


@pytest.fixture
def card(make_card: MakeCard) -> VirtualCard:
    return make_card()


@pytest.fixture
def desk(pcscd: PrivatePcscd, reader: VirtualReader, card: VirtualCard) -> Iterator[Desk]:
    with Desk(PcscReaders()) as one:
        reader.insert(card)
        eventually(lambda: one.status().state is CardState.PRESENT)
        yield one


def visit(client: DeskClient) -> bool:
    client.read()
    done = len(signed(client, bytearray(b"1234"), DIGEST)) == 256
    client.leave()
    return done


def starts_again(pcscd: PrivatePcscd, desk: Desk, card: VirtualCard) -> None:
    """Everything is well again, and the card that lies there counts as a new one."""
    recovered(lambda: desk.status().state is CardState.SERVICE_ABSENT, "the service that is away")
    with pytest.raises(ReaderServiceError):
        desk.client().read()
    before = desk.status().insertion
    pcscd.start()
    recovered(lambda: desk.status().state is CardState.PRESENT, "the service that is back")
    assert desk.status().insertion == before + 1
    recovered(lambda: visit(desk.client()), "the next visit")
    assert card.pin_tries == 3


@ENDS
def test_while_nothing_happens(pcscd: PrivatePcscd, desk: Desk, card: VirtualCard, end: str) -> None:
    getattr(pcscd, end)()
    starts_again(pcscd, desk, card)


@ENDS
def test_while_the_person_reads_the_statement(pcscd: PrivatePcscd, desk: Desk, card: VirtualCard, end: str) -> None:
    client = desk.client()
    client.read()
    getattr(pcscd, end)()
    recovered(lambda: desk._owner is None, "the session without a service")
    pin = bytearray(b"1234")
    with pytest.raises(ReaderServiceError):
        signed(client, pin, DIGEST)
    assert pin == bytes(4)
    assert pins_sent(card) == 0
    starts_again(pcscd, desk, card)


@ENDS
@pytest.mark.parametrize("exchange", MOMENTS)
def test_in_the_middle_of_an_exchange(
    pcscd: PrivatePcscd, desk: Desk, card: VirtualCard, exchange: int, end: str
) -> None:
    instruction, pins = MOMENTS[exchange]
    card.delay_ms = {instruction: 500.0}
    failures: list[Exception] = []

    def go() -> None:
        try:
            visit(desk.client())
        except Exception as error:  # noqa: BLE001 - what it is, is looked at below
            failures.append(error)

    visiting = threading.Thread(target=go)
    visiting.start()
    eventually(lambda: card.count == exchange)
    getattr(pcscd, end)()
    visiting.join(10)
    # A daemon that is asked to stop may give the exchange an end of its own first.
    allowed = (ReaderServiceError,) if end == "kill" else (ReaderServiceError, CardRemovedError, CardMuteError)
    assert [isinstance(one, allowed) for one in failures] == [True], failures
    eventually(lambda: len(card.exchanges) >= exchange)  # the card itself may still be busy
    assert pins_sent(card) == pins  # and never a second time
    card.delay_ms = {}
    starts_again(pcscd, desk, card)
