"""The real ``cardd`` in daily life: clients die, cables are pulled, pcscd crashes, somebody has two readers."""

import hashlib
import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.card.connection import CardMuteError, CardRemovedError, ReaderAbsentError, ReaderServiceError
from appliance.card.ipc import CardClient
from appliance.card.service import CardState
from tests.card.holders import pins_sent
from tests.card.recovery import PROMISED_S, recovered
from tests.card.table import signed
from tests.card.test_desk import eventually
from tests.programs.cardd.daemon import BusyClient, Daemon, DyingClient
from tests.sim.card.card import VirtualCard
from tests.sim.card.vpcd import VirtualReader
from tests.sim.fixtures import MakeCard
from tests.sim.pcscd import PrivatePcscd
from tests.sim.usb import UsbPcscd

pytestmark = pytest.mark.scenario
DIGEST = hashlib.sha256(b"statement").digest()
ALPHA, BETA = "Alpha Reader 00 00", "Beta Reader 01 00"
LOST = (ReaderServiceError, ReaderAbsentError, CardRemovedError, CardMuteError)


@pytest.fixture
def card(make_card: MakeCard) -> VirtualCard:
    return make_card()


def visit(client: CardClient) -> bool:
    client.read()
    done = len(signed(client, bytearray(b"1234"), DIGEST)) == 256
    client.leave()
    return done


@pytest.fixture
def client(cardd: Daemon, reader: VirtualReader, card: VirtualCard) -> Iterator[CardClient]:
    """The one that goes on living, in front of a card."""
    with cardd.client() as one:
        reader.insert(card)
        eventually(lambda: one.status().state is CardState.PRESENT)
        yield one


@pytest.mark.parametrize("secrets", [{}, {"authentication": "1234"}], ids=["after read", "after open"])
def test_a_client_that_dies_in_its_session(
    cardd: Daemon, client: CardClient, card: VirtualCard, secrets: dict[str, str]
) -> None:
    with DyingClient(cardd.path, **secrets):
        assert card.powered
    eventually(lambda: not card.powered)
    assert not card.verified
    recovered(lambda: visit(client), "the next client")
    assert card.pin_tries == 3


@pytest.mark.parametrize(
    ("exchange", "instruction"), [(1, 0xA4), (2, 0xB0), (4, 0x20), (5, 0x2A)], ids=["SELECT", "READ", "VERIFY", "SIGN"]
)
def test_a_client_that_dies_in_the_middle_of_an_exchange(
    cardd: Daemon, client: CardClient, card: VirtualCard, exchange: int, instruction: int
) -> None:
    card.delay_ms = {instruction: 500.0}
    with BusyClient(cardd.path, "1234"):
        eventually(lambda: card.count == exchange, timeout_s=15)
    card.delay_ms = {}
    recovered(lambda: visit(client), "the next client")
    assert pins_sent(card) == (2 if exchange >= 4 else 1)
    assert card.pin_tries == 3


@pytest.mark.parametrize("end", ["kill", "stop"])
def test_pcscd_is_lost_while_nothing_happens(
    pcscd: PrivatePcscd, client: CardClient, card: VirtualCard, end: str
) -> None:
    getattr(pcscd, end)()
    recovered(lambda: client.status().state is CardState.SERVICE_ABSENT, "pcscd away")
    pcscd.start()
    recovered(lambda: client.status().state is CardState.PRESENT, "pcscd back")
    recovered(lambda: visit(client), "the next tap")
    assert card.pin_tries == 3


@pytest.mark.parametrize("exchange", [0, 4, 5], ids=["between exchanges", "VERIFY", "SIGN"])
def test_pcscd_is_killed_during_a_visit(
    pcscd: PrivatePcscd, client: CardClient, card: VirtualCard, exchange: int
) -> None:
    card.delay_ms = {0x20: 400.0, 0x2A: 400.0}
    failures: list[Exception] = []

    def go() -> None:
        try:
            visit(client)
        except LOST as error:
            failures.append(error)

    if exchange:
        visiting = threading.Thread(target=go)
        visiting.start()
        eventually(lambda: card.count == exchange)
        pcscd.kill()
        visiting.join(10)
    else:
        client.read()
        pcscd.kill()
        with pytest.raises(LOST):
            signed(client, bytearray(b"1234"), DIGEST)
    assert len(failures) == bool(exchange)
    card.delay_ms = {}
    pcscd.start()
    recovered(lambda: client.status().state is CardState.PRESENT, "pcscd back")
    recovered(lambda: visit(client), "the next tap")
    assert card.pin_tries == 3


def test_a_pcscd_that_stands_still_for_a_while_is_waited_for(
    pcscd: PrivatePcscd, client: CardClient, card: VirtualCard
) -> None:
    pid = pcscd.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    visiting = threading.Thread(target=visit, args=(client,))
    try:
        visiting.start()
        visiting.join(1.0)
        assert visiting.is_alive()
    finally:
        os.kill(pid, signal.SIGCONT)
    visiting.join(10)
    assert not visiting.is_alive()
    assert pins_sent(card) == 1
    recovered(lambda: visit(client), "the next tap")


def test_the_reader_is_unplugged_and_plugged_in_again(usb: UsbPcscd, run_directory: Path, card: VirtualCard) -> None:
    alpha, beta = usb.readers
    beta.unplug()
    daemon = Daemon(run_directory)
    try:
        assert daemon.notified() == "READY=1"
        with daemon.client() as client:
            alpha.insert(card)
            eventually(lambda: client.status().state is CardState.PRESENT)
            client.read()
            alpha.unplug()
            recovered(lambda: client.status().state is CardState.READER_ABSENT, "the reader that is away")
            with pytest.raises(LOST):
                signed(client, bytearray(b"1234"), DIGEST)
            alpha.plug()
            took_s = recovered(lambda: client.status().state is CardState.PRESENT, "the reader that is back")
            took_s += recovered(lambda: visit(client), "the next tap")
            assert took_s < 2 * PROMISED_S
            assert card.pin_tries == 3
    finally:
        daemon.stop()
    assert {"reader.absent", "card.left"} <= {event["event"] for event in daemon.events}


def test_a_name_in_the_settings_keeps_the_other_reader_out_of_it(
    usb: UsbPcscd, run_directory: Path, card: VirtualCard, make_card: MakeCard
) -> None:
    alpha, beta = usb.readers
    theirs = make_card()
    alpha.insert(theirs)
    daemon = Daemon(run_directory, reader="Beta")
    try:
        assert daemon.notified() == "READY=1"
        with daemon.client() as client:
            assert (client.status().state, client.status().reader) == (CardState.EMPTY, BETA)
            beta.insert(card)
            recovered(lambda: visit(client), "a card on the configured reader")
            beta.unplug()
            recovered(lambda: client.status().state is CardState.READER_ABSENT, "the configured reader away")
            assert client.status().readers == (ALPHA,)
            with pytest.raises(ReaderAbsentError):
                client.read()
    finally:
        daemon.stop()
    assert theirs.exchanges == []


def test_the_card_of_a_session_stays_the_same_when_another_is_put_on_another_reader(
    usb: UsbPcscd, run_directory: Path, card: VirtualCard, make_card: MakeCard
) -> None:
    alpha, beta = usb.readers
    second = make_card()
    daemon = Daemon(run_directory)
    try:
        assert daemon.notified() == "READY=1"
        with daemon.client() as client:
            beta.insert(card)
            eventually(lambda: client.status().state is CardState.PRESENT)
            client.read()
            alpha.insert(second)
            assert alpha.wait_until_seen(5)
            time.sleep(0.2)
            assert (client.status().reader, client.status().insertion) == (BETA, 1)
            assert len(signed(client, bytearray(b"1234"), DIGEST)) == 256
            beta.remove()
            with pytest.raises(CardRemovedError):
                client.sign(DIGEST)
            assert second.exchanges == []
            recovered(lambda: client.status().insertion == 2, "the second card")
            assert visit(client)
    finally:
        daemon.stop()
