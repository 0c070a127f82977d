"""The virtual card behind the real pcscd, seen by a PC/SC client."""

import time
from collections.abc import Callable, Iterator

import pytest
from smartcard import scard

from tests.sim.card.faults import overlong, silent
from tests.sim.card.files import CONTACT_ATR, CONTACTLESS_ATR
from tests.sim.card.vpcd import ReaderMissingError, VirtualReader
from tests.sim.fixtures import MakeCard
from tests.sim.pcscd import PrivatePcscd

SELECT = bytes.fromhex("00A4040C0AD392F000260100000001")
READ_WHOLE = bytes.fromhex("00B08A00000000")
VERIFY = bytes.fromhex("0020009804") + b"1234"
SIGN = bytes.fromhex("802A009733" + "3031300d060960864801650304020105000420" + "11" * 32 + "00")
SEEN_S = 5.0


class Client:
    """PC/SC as ``winscard.h`` has it: every call returns its result code first."""

    def __init__(self) -> None:
        result, self.context = scard.SCardEstablishContext(scard.SCARD_SCOPE_USER)
        assert result == scard.SCARD_S_SUCCESS, scard.SCardGetErrorMessage(result)
        self.card = 0

    def readers(self) -> list[str]:
        return list(scard.SCardListReaders(self.context, [])[1])

    def state(self, slot: int = 0) -> int:
        result, states = scard.SCardGetStatusChange(
            self.context, 0, [(self.readers()[slot], scard.SCARD_STATE_UNAWARE)]
        )
        assert result == scard.SCARD_S_SUCCESS
        return int(states[0][1])

    def sees(self, flag: int, slot: int = 0) -> bool:
        """Whether the reader gets into this state soon; pcscd asks the slot a few times a second."""
        end = time.monotonic() + SEEN_S
        while time.monotonic() < end:
            if self.state(slot) & flag:
                return True
            time.sleep(0.01)
        return False

    def connect(self, slot: int = 0) -> None:
        if self.card:  # an exclusive connection bars the reader even after its card has gone
            scard.SCardDisconnect(self.card, scard.SCARD_LEAVE_CARD)
        assert self.sees(scard.SCARD_STATE_PRESENT, slot)
        result, self.card, protocol = scard.SCardConnect(
            self.context, self.readers()[slot], scard.SCARD_SHARE_EXCLUSIVE, scard.SCARD_PROTOCOL_T1
        )
        assert (result, protocol) == (scard.SCARD_S_SUCCESS, scard.SCARD_PROTOCOL_T1)

    def transmit(self, apdu: bytes) -> tuple[int, bytes]:
        result, answer = scard.SCardTransmit(self.card, scard.SCARD_PCI_T1, list(apdu))
        return int(result), bytes(answer)

    def disconnect(self, disposition: int) -> None:
        assert scard.SCardDisconnect(self.card, disposition) == scard.SCARD_S_SUCCESS


@pytest.fixture
def make_client(pcscd: PrivatePcscd) -> Iterator[Callable[[], Client]]:
    made: list[Client] = []

    def make() -> Client:
        made.append(Client())
        return made[-1]

    yield make
    for one in made:
        scard.SCardReleaseContext(one.context)


@pytest.fixture
def client(make_client: Callable[[], Client]) -> Client:
    return make_client()


def test_two_readers_are_listed(client: Client) -> None:
    assert client.readers() == ["Virtual PCD 00 00", "Virtual PCD 00 01"]


def test_an_empty_reader_is_empty(client: Client, reader: VirtualReader) -> None:
    assert client.sees(scard.SCARD_STATE_EMPTY)
    assert reader.card is None


@pytest.mark.parametrize("atr", [CONTACT_ATR, CONTACTLESS_ATR], ids=["contact", "contactless"])
def test_a_card_shows_its_atr(client: Client, reader: VirtualReader, make_card: MakeCard, atr: bytes) -> None:
    card = make_card()
    card.atr = atr
    reader.insert(card)
    client.connect()
    assert bytes(scard.SCardStatus(client.card)[4]) == atr
    assert card.powered


def test_a_whole_certificate_comes_in_one_exchange(client: Client, reader: VirtualReader, make_card: MakeCard) -> None:
    card = make_card()
    reader.insert(card)
    client.connect()
    assert client.transmit(SELECT) == (scard.SCARD_S_SUCCESS, b"\x90\x00")
    result, answer = client.transmit(READ_WHOLE)
    assert (result, answer) == (scard.SCARD_S_SUCCESS, (card.contents.authentication or b"") + b"\x90\x00")
    assert len(answer) == 1455


def test_both_slots_serve_at_the_same_time(
    make_client: Callable[[], Client],
    reader: VirtualReader,
    second_reader: VirtualReader,
    make_card: MakeCard,
) -> None:
    client, other = make_client(), make_client()
    first, second = make_card(), make_card()
    reader.insert(first)
    second_reader.insert(second)
    client.connect(0)
    other.connect(1)
    for one, card in ((client, first), (other, second)):
        assert one.transmit(SELECT)[1] == b"\x90\x00"
        assert one.transmit(READ_WHOLE)[1][:-2] == card.contents.authentication
    assert first.contents.authentication != second.contents.authentication


def test_removal_in_the_middle_fails_that_exchange(client: Client, reader: VirtualReader, make_card: MakeCard) -> None:
    card = make_card()
    card.removed_at = 2
    reader.insert(card)
    client.connect()
    assert client.transmit(SELECT)[0] == scard.SCARD_S_SUCCESS
    assert client.transmit(READ_WHOLE) == (scard.SCARD_E_NOT_TRANSACTED, b"")
    assert reader.wait_until_gone(1)
    assert client.sees(scard.SCARD_STATE_EMPTY)
    assert client.transmit(READ_WHOLE)[0] == scard.SCARD_W_REMOVED_CARD
    assert len(card.exchanges) == 2


def test_a_card_that_was_taken_away_can_come_back(client: Client, reader: VirtualReader, make_card: MakeCard) -> None:
    card = make_card()
    card.removed_at = 1
    reader.insert(card)
    client.connect()
    assert client.transmit(SELECT)[0] == scard.SCARD_E_NOT_TRANSACTED
    assert client.sees(scard.SCARD_STATE_EMPTY)
    reader.insert(card)
    client.connect()
    assert client.transmit(SELECT) == (scard.SCARD_S_SUCCESS, b"\x90\x00")


def test_a_lost_answer_is_no_removal(client: Client, reader: VirtualReader, make_card: MakeCard) -> None:
    card = make_card()
    card.faults[1] = silent()
    reader.insert(card)
    client.connect()
    assert client.transmit(SELECT)[0] == scard.SCARD_E_NOT_TRANSACTED
    assert reader.card is card
    assert client.sees(scard.SCARD_STATE_EMPTY)
    client.connect()
    assert client.transmit(SELECT) == (scard.SCARD_S_SUCCESS, b"\x90\x00")
    assert card.count == 2


def test_an_overlong_answer_arrives_whole(client: Client, reader: VirtualReader, make_card: MakeCard) -> None:
    card = make_card()
    card.faults[1] = overlong(100)
    reader.insert(card)
    client.connect()
    assert len(client.transmit(SELECT)[1]) == 102


def test_swapping_cards_is_seen(client: Client, reader: VirtualReader, make_card: MakeCard) -> None:
    first, second = make_card(), make_card()
    reader.insert(first)
    client.connect()
    reader.insert(second)
    assert client.transmit(SELECT)[0] != scard.SCARD_S_SUCCESS
    assert client.sees(scard.SCARD_STATE_EMPTY)
    client.connect()
    assert client.transmit(SELECT) == (scard.SCARD_S_SUCCESS, b"\x90\x00")
    assert client.transmit(READ_WHOLE)[1][:-2] == second.contents.authentication


@pytest.mark.parametrize(
    ("disposition", "signs"),
    [
        (scard.SCARD_LEAVE_CARD, True),
        (scard.SCARD_RESET_CARD, True),
        (scard.SCARD_UNPOWER_CARD, False),
    ],
    ids=["leave", "reset", "unpower"],
)
def test_verify_outlives_all_but_power_off(
    make_client: Callable[[], Client], reader: VirtualReader, make_card: MakeCard, disposition: int, signs: bool
) -> None:
    client, later = make_client(), make_client()
    reader.insert(make_card())
    client.connect()
    client.transmit(SELECT)
    assert client.transmit(VERIFY)[1] == b"\x90\x00"
    client.disconnect(disposition)
    later.connect()
    later.transmit(SELECT)
    answer = later.transmit(SIGN)[1]
    assert answer[-2:] == (b"\x90\x00" if signs else b"\x69\x82")


def test_an_exchange_takes_well_under_a_delayed_acknowledgement(
    client: Client, reader: VirtualReader, make_card: MakeCard
) -> None:
    reader.insert(make_card())
    client.connect()
    client.transmit(SELECT)
    took_ms = []
    for _ in range(50):
        begin = time.perf_counter()
        client.transmit(READ_WHOLE)
        took_ms.append((time.perf_counter() - begin) * 1000)
    assert sorted(took_ms)[len(took_ms) // 2] < 10


def test_without_pcscd_there_is_no_reader(reader: VirtualReader, pcscd: PrivatePcscd, make_card: MakeCard) -> None:
    pcscd.stop()
    with pytest.raises(ReaderMissingError, match=str(pcscd.port)):
        reader.insert(make_card())
    assert reader.card is None


def test_a_card_waits_while_pcscd_is_away(reader: VirtualReader, pcscd: PrivatePcscd, make_card: MakeCard) -> None:
    card = make_card()
    reader.insert(card)
    ports = pcscd.ports
    pcscd.restart()
    assert pcscd.ports == ports
    assert reader.card is card
    again = Client()
    again.connect()
    assert again.transmit(SELECT) == (scard.SCARD_S_SUCCESS, b"\x90\x00")
    scard.SCardReleaseContext(again.context)
