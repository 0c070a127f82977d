"""After us nobody else can: real ``cardd`` and real pcscd, and then another program that tries without any PIN.

Each way by which a visit ends has its test, the killing of each process among them. That the thieves are able is shown
on a card that a careless program left open.
"""

import hashlib
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.card.ipc import CardClient
from appliance.card.key import Key
from tests.card.conftest import MESSAGE
from tests.card.holders import SECRETS, assert_signed, pins_sent
from tests.card.test_desk import eventually
from tests.card.thief import ATTEMPTS, CONNECTED, COUNTERS, NOTHING, SELECT, Thief, stolen
from tests.programs.cardd.daemon import Daemon, DyingClient
from tests.sim.card.card import VirtualCard
from tests.sim.card.files import Secret
from tests.sim.card.vpcd import VirtualReader
from tests.sim.fixtures import MakeCard

pytestmark = pytest.mark.scenario
DIGEST = hashlib.sha256(MESSAGE).digest()
READER = "Virtual PCD 00 00"
MODULE = "/usr/lib/x86_64-linux-gnu/opensc-pkcs11.so"
BOTH = frozenset(Secret)
EVERYTHING = CONNECTED | dict.fromkeys(ATTEMPTS, "9000") | COUNTERS
HELD = {"connected": "8010000B"}  # SCARD_E_SHARING_VIOLATION
RESET_BY_ANOTHER = "80100068"  # SCARD_W_RESET_CARD


@pytest.fixture
def card(reader: VirtualReader, make_card: MakeCard) -> VirtualCard:
    one = make_card()
    reader.insert(one)
    assert reader.wait_until_seen(5)
    return one


@pytest.fixture
def daemons(run_directory: Path, card: VirtualCard) -> Iterator[list[Daemon]]:
    """``cardd`` and whatever a test starts after it."""
    started = [running(run_directory)]
    yield started
    for one in started:
        one.stop()


def running(folder: Path) -> Daemon:
    daemon = Daemon(folder)
    assert daemon.notified() == "READY=1"
    return daemon


def open_both(client: CardClient) -> None:
    """Authenticates and signs with both keys, and stays in the session."""
    certificate = client.read().certificate
    assert certificate is not None
    for key, secret in SECRETS.items():
        client.open(bytearray(secret), key)
        if key is Key.SIGNATURE:
            certificate = client.certificate(key)
        assert_signed(certificate, client.sign(DIGEST, key))


def run(*command: str) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LC_ALL": "C"}
    return subprocess.run(
        command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, env=environment
    )


def assert_full(card: VirtualCard) -> None:
    assert (card.pin_tries, card.password_tries) == (3, 5)


def test_the_thieves_are_able(card: VirtualCard) -> None:
    with Thief(READER) as careless:
        password = SECRETS[Key.SIGNATURE].upper()
        careless.says(SELECT, "0020009804" + SECRETS[Key.AUTHENTICATION].hex(), "0020009B06" + password.hex())
    assert stolen(READER) == EVERYTHING
    assert opensc_signs() == ["9000", "9000"]
    assert opensc_reads_the_signature_certificate()


def test_after_a_visit_with_both_keys(daemons: list[Daemon], card: VirtualCard) -> None:
    with daemons[0].client() as client:
        open_both(client)
        assert stolen(READER) == HELD
        client.leave()
        assert stolen(READER) == NOTHING
        assert opensc_signs() == ["6982", "6982"]
        assert not opensc_reads_the_signature_certificate()
        assert_full(card)


@pytest.mark.parametrize(("slot", "key"), [("0", "01"), ("1", "02")])
def test_after_a_visit_pkcs11_is_asked_for_the_secret(
    daemons: list[Daemon], card: VirtualCard, tmp_path: Path, slot: str, key: str
) -> None:
    with daemons[0].client() as client:
        open_both(client)
        client.leave()
    before = pins_sent(card)
    (tmp_path / "data").write_bytes(bytes(51))
    done = run("pkcs11-tool", "--module", MODULE, "--slot-index", slot, "--sign", "--id", key, "--mechanism",
               "RSA-PKCS", "--input-file", str(tmp_path / "data"), "--output-file", str(tmp_path / "out"))  # fmt: skip
    assert done.returncode != 0
    assert "Please enter User PIN" in done.stdout + done.stderr
    assert not (tmp_path / "out").exists() or not (tmp_path / "out").read_bytes()
    assert pins_sent(card) == before
    assert_full(card)


def test_after_the_death_of_the_client(daemons: list[Daemon], card: VirtualCard) -> None:
    with DyingClient(daemons[0].path, authentication="1234", signature="ABC123"):
        assert card.verified == BOTH
    # Until cardd has noticed, the card is still its own.
    assert stolen(READER) in (HELD, NOTHING)
    eventually(lambda: not card.verified)
    assert stolen(READER) == NOTHING
    assert_full(card)


def test_after_the_death_of_cardd_the_card_loses_its_power(daemons: list[Daemon], card: VirtualCard) -> None:
    with daemons[0].client() as client:
        open_both(client)
        assert card.verified == BOTH
        daemons[0].stop(signal.SIGKILL)
        # pcscd resets the card at once, which changes nothing, and takes the power after a while: see clearing.py.
        eventually(lambda: not card.powered, timeout_s=5)
    assert stolen(READER) == NOTHING
    assert_full(card)


def test_who_was_quick_after_the_death_of_cardd_is_thrown_out_by_the_next(
    daemons: list[Daemon], card: VirtualCard, run_directory: Path
) -> None:
    with daemons[0].client() as client:
        open_both(client)
        daemons[0].stop(signal.SIGKILL)
    with as_soon_as_it_can() as quick:
        assert quick.says(*ATTEMPTS.values()) == [*(["9000"] * 4), *COUNTERS.values()]
        time.sleep(2)  # longer than pcscd leaves the power to a card that nobody is connected to
        assert card.verified == BOTH
        daemons.append(running(run_directory))
        eventually(lambda: not card.verified)  # the driver does not wait for the card to lose its power
        assert quick.says(ATTEMPTS["sign with the authentication key"]) == [RESET_BY_ANOTHER]
    assert "card.cleared" in [event["event"] for event in daemons[1].events]
    assert stolen(READER) == NOTHING
    with daemons[1].client() as client:
        open_both(client)
    assert_full(card)


def test_whoever_keeps_the_card_to_itself_is_told_of_and_outlasted(
    daemons: list[Daemon], card: VirtualCard, run_directory: Path
) -> None:
    with daemons[0].client() as client:
        open_both(client)
        daemons[0].stop(signal.SIGKILL)
    with as_soon_as_it_can(alone=True) as quick:
        daemons.append(running(run_directory))
        eventually(lambda: "card.not_cleared" in [event["event"] for event in daemons[1].events])
        assert quick.says(ATTEMPTS["select"]) == ["9000"]
    eventually(lambda: not card.verified)
    assert stolen(READER) == NOTHING
    assert_full(card)


def as_soon_as_it_can(alone: bool = False) -> Thief:
    """Connected in the moment in which pcscd has noticed that the one before has died."""
    while (thief := Thief(READER, alone)).code != 0:
        with thief:  # gives back what it has
            assert f"{thief.code & 0xFFFFFFFF:08X}" == HELD["connected"]
    return thief


def opensc_signs() -> list[str]:
    """The status words that OpenSC gets for a signature with each key, sent raw as ``opensc-tool -s`` does."""
    keys = [ATTEMPTS[f"sign with the {name} key"] for name in ("authentication", "signature")]
    done = run("opensc-tool", "--send-apdu", SELECT, "--send-apdu", keys[0], "--send-apdu", keys[1])
    assert done.returncode == 0, done.stderr
    words = [line for line in done.stdout.splitlines() if line.startswith("Received (SW1=")]
    return [f"{word[16:18]}{word[26:28]}" for word in words[1:]]


def opensc_reads_the_signature_certificate() -> bool:
    return "BEGIN CERTIFICATE" in run("pkcs15-tool", "--read-certificate", "2").stdout
