"""The stage: cards put on and taken off by another process."""

import json
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.sim.card.apdu import Ins
from tests.sim.card.card import VirtualCard
from tests.sim.card.client import CardStage, StageError
from tests.sim.card.deck import Deck, make_deck
from tests.sim.card.edit import change
from tests.sim.card.faults import CONTACTLESS, as_in_life, contactless
from tests.sim.card.files import CONTACTLESS_ATR, Kind
from tests.sim.card.vpcd import VirtualReader
from tests.sim.fixtures import MakeCard
from tests.sim.pcscd import PrivatePcscd

ROOT = Path(__file__).parents[3]
SEEN_S = 5


@pytest.fixture(scope="module")
def deck(tmp_path_factory: pytest.TempPathFactory) -> Deck:
    return make_deck(tmp_path_factory.mktemp("deck"), 2, 1)


@pytest.fixture
def short_path() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="stage-") as name:
        yield Path(name) / "stage"


@pytest.fixture
def process(pcscd: PrivatePcscd, slots: tuple[VirtualReader, ...], deck: Deck, short_path: Path) -> Iterator[CardStage]:
    command = [sys.executable, "-m", "tests.sim.card", "--socket", str(short_path), "--port", str(pcscd.port)]
    with subprocess.Popen([*command, "--cards", str(deck.folder)], cwd=ROOT, stdout=subprocess.PIPE) as running:
        assert running.stdout is not None
        assert json.loads(running.stdout.readline()) == {"event": "ready", "socket": str(short_path)}
        yield CardStage(short_path)
        running.send_signal(signal.SIGTERM)
        assert running.wait(10) == 0
    assert not short_path.exists()


def test_a_card_goes_on_and_off(process: CardStage) -> None:
    assert process.status()["card"] is None
    process.insert("card-01")
    status = process.status()
    assert (status["card"], status["pin_tries"], status["exchanges"]) == ("card-01", 3, 0)
    assert [(card["card"], card["slot"]) for card in process.list()] == [("card-01", 0), ("card-02", None)]
    with pytest.raises(StageError, match="lies on the other reader"):
        process.insert("card-01", slot=1)
    process.insert("card-02", slot=1)
    assert process.status(1)["card"] == "card-02"
    assert process.remove() == "card-01"
    assert process.remove() is None
    assert process.status()["card"] is None


def test_state_is_edited_and_kept(process: CardStage) -> None:
    process.insert("card-01")
    process.set(pin_tries=1, kind="android")
    process.set("card-02", pin_locked=True)
    process.remove()
    process.insert("card-01")
    assert (process.status()["pin_tries"], process.status()["kind"]) == (1, "android")
    assert [card["pin_locked"] for card in process.list()] == [False, True]
    assert process.trace("card-02") == []


def test_refusals_say_why_and_change_nothing(process: CardStage, short_path: Path) -> None:
    with pytest.raises(StageError, match="no such card; there are card-01, card-02"):
        process.insert("card-99")
    with pytest.raises(StageError, match="slot must be 0 to 1"):
        process.insert("card-01", slot=2)
    with pytest.raises(StageError, match="no card on the reader"):
        process.set(pin_tries=1)
    with pytest.raises(StageError, match="pin_tries must be 0 to 3"):
        process.set("card-01", filler=True, pin_tries=9)
    with socket.socket(socket.AF_UNIX) as line:
        line.connect(str(short_path))
        line.sendall(b'not json\n[]\n{"op":"fly"}\n')
        with line.makefile() as answers:
            assert [json.loads(answers.readline())["ok"] for _ in range(3)] == [False] * 3
    assert short_path.stat().st_mode & 0o777 == 0o600


def test_nobody_there(tmp_path: Path) -> None:
    with pytest.raises(StageError, match="does not answer"):
        CardStage(tmp_path / "none").status()


def test_a_directory_without_cards(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.sim.card", "--socket", str(tmp_path / "s"), "--cards", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert done.returncode == 2
    assert "there are no cards in" in done.stderr


class TestEdit:
    @pytest.fixture
    def card(self, make_card: MakeCard) -> VirtualCard:
        return make_card()

    def test_every_state(self, card: VirtualCard) -> None:
        state = {
            "pin": "9999", "pin_tries": 2, "password_tries": 4, "pin_locked": True, "kind": "iphone", "filler": True,
            "timing": "contactless", "atr": "contactless", "delay_ms": {"verify": 20}, "faults": {"3": "6F00"},
        }  # fmt: skip
        for name, value in state.items():
            change(card, name, value)()
        assert (card.pin, card.pin_tries, card.password_tries, card.pin_locked) == ("9999", 2, 4, True)
        assert (card.kind, card.filler, card.timing, card.atr) == (Kind.IPHONE, True, CONTACTLESS, CONTACTLESS_ATR)
        assert card.delay_ms == {0x20: 20.0}
        assert card.faults[3].spoil(b"") == b"\x6f\x00"

    def test_removal_counts_from_now(self, card: VirtualCard) -> None:
        card.transmit(bytes.fromhex("00200098"))
        change(card, "removed_in", 2)()
        assert card.removed_at == 3
        change(card, "removed_at", None)()
        assert vars(card)["removed_at"] is None

    def test_one_delay_for_all(self, card: VirtualCard) -> None:
        change(card, "delay_ms", 5)()
        assert set(card.delay_ms.values()) == {5.0}
        assert {0xA4, 0xB0, 0x20, 0x2A} <= set(card.delay_ms)

    @pytest.mark.parametrize(
        ("name", "value"),
        [
            ("colour", "red"),
            ("contents", "x"),
            ("transmit", "x"),
            ("pin", "12"),
            ("pin_tries", True),
            ("pin_tries", "3"),
            ("pin_locked", 1),
            ("removed_at", 0),
            ("removed_in", None),
            ("kind", "credit"),
            ("kind", ["card"]),
            ("timing", {}),
            ("delay_ms", {"fly": 3}),
            ("delay_ms", -1),
            ("faults", {"3": "explode"}),
            ("faults", {"x": "cut"}),
            ("faults", "cut"),
        ],
    )
    def test_what_a_card_cannot_be(self, card: VirtualCard, name: str, value: object) -> None:
        before = dict(vars(card))
        with pytest.raises(ValueError, match=f"{name} must be|a card has no {name}"):
            change(card, name, value)
        assert vars(card) == before


def test_the_pace_of_a_card_is_its_own_and_stays() -> None:
    paces = [as_in_life(f"card-{number:02}") for number in range(1, 30)]
    assert as_in_life("card-01") == paces[0]
    assert len({pace.byte_ms for pace in paces}) == 3
    signatures = [pace.work_ms[Ins.COMPUTE_SIGNATURE] for pace in paces]
    assert 300 <= min(signatures) < max(signatures) <= 600
    # A certificate at 106 kbit/s: about as long as was measured with real readers.
    assert 100 < contactless(106, 480).takes_ms(Ins.READ_BINARY, 1460) < 200
