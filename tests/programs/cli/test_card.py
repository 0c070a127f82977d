"""``appliance card`` as an installer runs it: a real process, real pcscd, with ``cardd`` running or not."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.card.ipc import CardClient
from appliance.card.service import CardState
from tests.card.test_desk import eventually
from tests.programs.cardd.daemon import Daemon
from tests.sim.card import faults, files
from tests.sim.card.card import VirtualCard
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.card.pki import Wish, key_usage
from tests.sim.card.vpcd import VirtualReader
from tests.sim.fixtures import MakeCard
from tests.sim.pcscd import PrivatePcscd

pytestmark = pytest.mark.scenario
KEYS = ["verdict", "code", "tries_left", "exchanges", "bytes", "ms", "revocation"]
DAY = timedelta(days=1)


class Installer:
    """Runs the command; ``cardd`` or the bare reader is behind it."""

    def __init__(self, folder: Path, anchors: bytes) -> None:
        self.folder = folder
        self.anchors = folder / "anchors.pem"
        self.anchors.write_bytes(anchors)
        settings = folder / "box.toml"
        settings.write_text(f'[box]\nrun_dir = "{folder}"\n')
        self.environment = {**os.environ, "APPLIANCE_SETTINGS": str(settings)}
        self.output = ""

    def run(self, *arguments: str, pin: str = "") -> tuple[int, str]:
        ran = subprocess.run(
            [sys.executable, "-m", "appliance.programs.cli", "card", *arguments],
            input=pin, env=self.environment, capture_output=True, text=True, timeout=60,
        )  # fmt: skip
        self.output = ran.stdout + ran.stderr
        return ran.returncode, ran.stdout

    def check(self, *more: str, pin: str = "1234") -> tuple[int, dict[str, object]]:
        """The exit code and the last line of ``authenticate``."""
        code, written = self.run(
            "authenticate", "--anchors", str(self.anchors), "--statement", "設置", "--pin-fd", "0", "--json", *more,
            pin=pin,
        )  # fmt: skip
        last = json.loads(written.splitlines()[-1])
        assert list(last) == KEYS
        assert last["revocation"] == "not checked"
        return code, last


@pytest.fixture(params=["with cardd", "without cardd"])
def installer(
    request: pytest.FixtureRequest, pcscd: PrivatePcscd, tmp_path: Path, hierarchy: Hierarchy
) -> Iterator[Installer]:
    one = Installer(tmp_path, hierarchy.anchors_pem())
    if request.param == "without cardd":
        yield one
        return
    daemon = Daemon(tmp_path)
    try:
        assert daemon.notified() == "READY=1"
        yield one
    finally:
        daemon.stop()


@pytest.fixture
def bare_installer(pcscd: PrivatePcscd, tmp_path: Path, hierarchy: Hierarchy) -> Installer:
    return Installer(tmp_path, hierarchy.anchors_pem())


def pins_sent(card: VirtualCard) -> int:
    return sum("<pin>" in one.command for one in card.exchanges)


def test_from_good_to_locked(installer: Installer, reader: VirtualReader, make_card: MakeCard) -> None:
    card = make_card()
    reader.insert(card)
    code, said = installer.check()
    assert (code, said["verdict"], said["code"], said["tries_left"]) == (0, "good", None, 3)
    assert (said["exchanges"], said["bytes"]) == (5, 1811)
    for left in (2, 1):
        code, said = installer.check(pin="9999")
        assert (code, said["verdict"], said["code"], said["tries_left"]) == (1, "refused", "card.wrong_pin", left)
    code, said = installer.check()
    assert (code, said["code"], said["tries_left"], card.pin_tries) == (1, "card.last_try", 1, 1)
    code, said = installer.check("--last-try", pin="9999")
    assert (code, said["code"], said["tries_left"]) == (1, "card.locked", 0)
    before = pins_sent(card)
    code, said = installer.check("--last-try")
    assert (code, said["code"], pins_sent(card)) == (1, "card.locked", before)
    assert card.forbidden_selected == []


def test_the_last_try_with_the_right_pin(installer: Installer, reader: VirtualReader, make_card: MakeCard) -> None:
    card = make_card()
    card.pin_tries = 1
    reader.insert(card)
    code, said = installer.check("--last-try")
    assert (code, said["verdict"], said["tries_left"]) == (0, "good", 3)


def test_no_card(installer: Installer) -> None:
    code, said = installer.check()
    assert (code, said["verdict"], said["code"], said["exchanges"]) == (2, "refused", "card.absent", 0)


def test_no_reader_of_that_name(installer: Installer) -> None:
    code, said = installer.check("--reader", "Some Other Reader")
    assert (code, said["code"]) == (2, "reader.absent")


def test_no_service(tmp_path: Path, hierarchy: Hierarchy) -> None:
    one = Installer(tmp_path, hierarchy.anchors_pem())
    one.environment["PCSCLITE_CSOCK_NAME"] = str(tmp_path / "none")
    code, said = one.check()
    assert (code, said["code"]) == (2, "reader.service")


@pytest.mark.parametrize(
    ("wish", "refused"),
    [
        (Wish(not_before=datetime.now(UTC) - 9 * DAY, not_after=datetime.now(UTC) - DAY), "card.untrusted_expired"),
        (Wish(not_before=datetime.now(UTC) + DAY), "card.untrusted_not_yet_valid"),
        (Wish(policy="1.2.392.200149.8.5.1.1.20"), "card.untrusted_wrong_use"),
        (Wish(key_usage=key_usage("key_encipherment")), "card.untrusted_wrong_use"),
    ],
)
def test_a_bad_certificate_is_never_sent_a_pin(
    bare_installer: Installer, reader: VirtualReader, make_card: MakeCard, wish: Wish, refused: str
) -> None:
    card = make_card(authentication=wish)
    reader.insert(card)
    code, said = bare_installer.check()
    assert (code, said["code"], said["exchanges"]) == (1, refused, 2)
    assert pins_sent(card) == 0


def test_a_card_of_another_issuer_is_never_sent_a_pin(
    bare_installer: Installer, reader: VirtualReader, make_card: MakeCard, stranger: Hierarchy
) -> None:
    card = make_card(issuer=stranger)
    reader.insert(card)
    code, said = bare_installer.check()
    assert (code, said["code"]) == (1, "card.untrusted_issuer")
    assert pins_sent(card) == 0


def test_a_copied_certificate_without_its_key(
    bare_installer: Installer, reader: VirtualReader, make_card: MakeCard, hierarchy: Hierarchy
) -> None:
    own, other = hierarchy.make_blank(), make_card()
    copy = own.make_card()
    copy.contents = other.contents
    reader.insert(copy)
    code, said = bare_installer.check()
    assert (code, said["verdict"], said["code"]) == (1, "refused", "card.untrusted_bad_signature")


@pytest.mark.parametrize("kind", [files.Kind.ANDROID, files.Kind.IPHONE])
def test_a_telephone_is_checked_after_its_pin(
    installer: Installer, reader: VirtualReader, make_card: MakeCard, kind: files.Kind
) -> None:
    card = make_card(kind=kind)
    reader.insert(card)
    code, said = installer.check()
    assert (code, said["verdict"], said["tries_left"], pins_sent(card)) == (0, "good", 3, 1)
    code, said = installer.check(pin="9999")
    assert (code, said["code"], said["tries_left"]) == (1, "card.wrong_pin", 2)


def test_the_coming_card(installer: Installer, reader: VirtualReader, make_card: MakeCard) -> None:
    reader.insert(make_card(generation=4))
    for key, secret in (("authentication", "1234"), ("signature", "abc123")):
        code, said = installer.check("--key", key, pin=secret)
        assert (code, said["verdict"]) == (0, "good")


def test_the_signature_key(installer: Installer, reader: VirtualReader, make_card: MakeCard) -> None:
    card = make_card()
    reader.insert(card)
    code, said = installer.check("--key", "signature", pin="abc123")
    assert (code, said["verdict"], said["tries_left"]) == (0, "good", 5)
    assert "花子" not in installer.output
    code, said = installer.check("--key", "signature", pin="abc124")
    assert (code, said["code"], said["tries_left"]) == (1, "card.wrong_password", 4)
    code, said = installer.check("--key", "signature", pin="abc-123")
    assert (code, said["code"], card.password_tries, card.pin_tries) == (1, "card.password_form", 4, 3)


def test_a_card_without_a_signature_certificate(
    bare_installer: Installer, reader: VirtualReader, make_card: MakeCard
) -> None:
    card = make_card(with_signature=False)
    reader.insert(card)
    code, said = bare_installer.check("--key", "signature", pin="ABC123")
    assert (code, said["code"], pins_sent(card)) == (1, "card.no_signature_certificate", 0)


@pytest.mark.parametrize("removed_at", range(1, 6))
def test_a_card_pulled_at_any_exchange(
    bare_installer: Installer, reader: VirtualReader, make_card: MakeCard, removed_at: int
) -> None:
    card = make_card()
    reader.insert(card)
    eventually(lambda: (bare_installer.run("status", "--json")[1]).find('"present"') > 0, 15)
    card.place()
    card.removed_at = removed_at
    code, said = bare_installer.check()
    assert (code, said["code"], card.pin_tries) == (2, "card.removed", 3)


@pytest.mark.parametrize("pin", ["", "123", "12345", "abcd", "１２３４"])
def test_what_is_no_pin(bare_installer: Installer, reader: VirtualReader, make_card: MakeCard, pin: str) -> None:
    card = make_card()
    reader.insert(card)
    code, said = bare_installer.check(pin=pin)
    assert (code, said["code"], pins_sent(card)) == (1, "card.pin_form", 0)


@pytest.mark.parametrize("content", [None, b"", b"nonsense"])
def test_anchors_that_are_none(bare_installer: Installer, content: bytes | None) -> None:
    bare_installer.anchors.unlink()
    if content is not None:
        bare_installer.anchors.write_bytes(content)
    code, said = bare_installer.check()
    assert (code, said["code"]) == (2, "trust.anchor_file")


def test_neither_pin_nor_serial_is_printed(installer: Installer, reader: VirtualReader, make_card: MakeCard) -> None:
    serial = 0x7A6B5C4D3E2F1A0B9C8D
    reader.insert(make_card(pin="4719", authentication=Wish(serial=serial)))
    for pin in ("4719", "4718"):
        installer.check(pin=pin)
        assert pin not in installer.output
        assert str(serial) not in installer.output
        assert f"{serial:x}" not in installer.output.lower()


def test_for_a_person(bare_installer: Installer, reader: VirtualReader, make_card: MakeCard) -> None:
    reader.insert(make_card())
    arguments = ["authenticate", "--anchors", str(bare_installer.anchors), "--statement", "x", "--pin-fd", "0"]
    code, written = bare_installer.run(*arguments, pin="1234")
    assert code == 0
    assert written.startswith("good; revocation not checked")
    assert "tries left: 3" in written
    code, written = bare_installer.run(*arguments, pin="9999")
    assert code == 1
    assert "card.wrong_pin" in bare_installer.output


def test_an_odd_card_is_good_all_the_same(
    bare_installer: Installer, reader: VirtualReader, make_card: MakeCard
) -> None:
    card = make_card()
    card.extended_le, card.filler, card.style_61xx, card.style_6282 = False, True, True, True
    card.faults[1] = faults.status(0x6F00)
    reader.insert(card)
    code, said = bare_installer.check()
    assert (code, said["verdict"]) == (0, "good")


def test_status_and_watch(installer: Installer, reader: VirtualReader, make_card: MakeCard) -> None:
    eventually(lambda: '"empty"' in installer.run("status", "--json")[1], 15)  # the last test's card is on its way out
    watching = subprocess.Popen(
        [sys.executable, "-u", "-m", "appliance.programs.cli", "card", "watch", "--json"],
        env=installer.environment, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    with watching:
        try:
            assert watching.stdout is not None
            assert json.loads(watching.stdout.readline())["state"] == CardState.EMPTY.value
            reader.insert(make_card())
            assert json.loads(watching.stdout.readline())["state"] == CardState.PRESENT.value
            watching.terminate()  # not SIGINT: whoever runs in the background has it ignored
            assert watching.wait(10) == 0
        finally:
            watching.kill()
    assert "a card lies on it" in installer.run("status")[1]


def test_a_reader_that_cardd_does_not_hold_is_opened_directly(
    pcscd: PrivatePcscd, tmp_path: Path, hierarchy: Hierarchy, second_reader: VirtualReader, make_card: MakeCard
) -> None:
    daemon = Daemon(tmp_path)
    try:
        assert daemon.notified() == "READY=1"
        with CardClient(daemon.path) as client:
            assert client.status().reader == "Virtual PCD 00 00"
        one = Installer(tmp_path, hierarchy.anchors_pem())
        assert json.loads(one.run("status", "--json", "--reader", "Virtual PCD 00 01")[1])["reader"].endswith("01")
    finally:
        daemon.stop()
