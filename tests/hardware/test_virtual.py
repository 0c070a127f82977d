"""The tests of ``test_real_card`` as a person runs them: as a process, with a virtual card on the reader."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.card.holders import pins_sent
from tests.hardware.personal import HOLDER, NEIGHBOUR, PIN, traces
from tests.sim.card.card import VirtualCard
from tests.sim.card.files import Secret
from tests.sim.card.hierarchy import Hierarchy
from tests.sim.card.vpcd import VirtualReader
from tests.sim.fixtures import MakeCard
from tests.sim.pcscd import PrivatePcscd
from tests.source import ROOT

pytestmark = pytest.mark.scenario
READER = "Virtual PCD"
# What docs/first-card.md says.
PINS, SIGNATURES = 11, 8
FINE, FAILED, ENDED_EARLY = 0, 1, 2
RUN = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--verbose", "tests/hardware", "--reader", READER]


@dataclass(frozen=True)
class Ran:
    """``pins`` is how often a secret went to the card."""

    code: int
    out: str
    pins: int


@dataclass
class Person:
    """Whoever has a reader and a card, and a directory for their files."""

    card: VirtualCard
    folder: Path

    @property
    def declaration(self) -> Path:
        return self.folder / "mine.test-card.toml"

    @property
    def report(self) -> Path:
        return self.folder / "card-report.json"

    def declare(self, **said: str) -> None:
        """Drafts the declaration and edits what is named."""
        draft = [sys.executable, "-m", "tests.hardware.declare", "--reader", READER, str(self.declaration)]
        done = subprocess.run(draft, cwd=ROOT, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        text = self.declaration.read_text()
        for name, value in said.items():
            text = text.replace(f"{name} = false", f"{name} = {value}")
        self.declaration.write_text(text)

    def run(self, *more: str, pin: str = PIN, declared: bool = True) -> Ran:
        """Runs the tests; the PIN waits in a pipe."""
        reading, writing = os.pipe()
        os.write(writing, pin.encode() + b"\n")
        os.close(writing)
        command = [*RUN, "--pin-fd", str(reading), "--report", str(self.report), *more]
        command += ["--test-card", str(self.declaration)] if declared else []
        before = pins_sent(self.card)
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=110, pass_fds=[reading])
        os.close(reading)
        return Ran(done.returncode, done.stdout + done.stderr, pins_sent(self.card) - before)


class NeverForgotten(set[Secret]):
    def clear(self) -> None:
        """Stays."""


@pytest.fixture
def lay(reader: VirtualReader, tmp_path: Path) -> Callable[[VirtualCard], Person]:
    """Puts a card on the reader, for its holder."""

    def lay(card: VirtualCard) -> Person:
        reader.insert(card)
        assert reader.wait_until_seen(5)
        return Person(card, tmp_path)

    return lay


@pytest.fixture
def person(lay: Callable[[VirtualCard], Person], make_card: MakeCard) -> Person:
    return lay(make_card(pin=PIN, authentication=HOLDER))


def assert_untouched(card: VirtualCard) -> None:
    """The counters are full, no key is open, and nothing was selected that must not be."""
    assert (card.pin_tries, card.password_tries) == (3, 5)
    assert card.verified == frozenset()
    assert card.forbidden_selected == []


def assert_nothing_personal(text: str, card: VirtualCard, make_card: MakeCard) -> None:
    personal = traces(card, make_card(authentication=NEIGHBOUR), [])
    assert [piece for piece in personal if piece in text] == []


@pytest.mark.parametrize("extended", [True, False])
def test_a_declared_card_passes(person: Person, make_card: MakeCard, extended: bool) -> None:
    person.card.extended_le = extended
    person.declare(declared_by_holder="true", wrong_pins="true")
    ran = person.run()
    assert ran.code == FINE, ran.out
    assert "test_a_wrong_pin_costs_one_try_and_the_right_one_gives_it_back PASSED" in ran.out
    assert f"extended_le: {extended}" in ran.out
    assert_untouched(person.card)
    assert_nothing_personal(ran.out.replace(str(person.folder), ""), person.card, make_card)
    assert_nothing_personal(person.report.read_text(), person.card, make_card)


def test_a_reader_that_chokes_on_the_longer_command_passes(person: Person) -> None:
    person.card.extended_le, person.card.extended_silent = False, True
    person.declare(declared_by_holder="true")
    ran = person.run()
    assert ran.code == FINE, ran.out
    assert "filler_bytes: not known" in ran.out
    assert_untouched(person.card)


def test_the_card_is_asked_as_often_as_the_page_says(person: Person) -> None:
    person.declare(declared_by_holder="true")
    assert person.run().pins == PINS
    signatures = [one for one in person.card.exchanges if one.command.startswith("802A0097") and one.answer != "6982"]
    assert len(signatures) == SIGNATURES


def test_a_wrong_pin_is_tried_on_no_card_of_an_office(
    lay: Callable[[VirtualCard], Person], make_card: MakeCard, office: Hierarchy
) -> None:
    person = lay(make_card(pin=PIN, issuer=office))
    person.declare(declared_by_holder="true", wrong_pins="true")
    ran = person.run()
    wrong = [one for one in person.card.exchanges if "<pin>" in one.command and one.answer != "9000"]
    assert ran.pins > 0
    assert ran.code == FINE, ran.out
    assert "never tried on a card that an office issued" in ran.out
    assert "issuer: unknown" in ran.out
    assert wrong == []
    assert_untouched(person.card)


def test_a_card_that_nobody_declared_is_refused(person: Person) -> None:
    ran = person.run(declared=False)
    assert (ran.code, ran.pins) == (ENDED_EARLY, 0)
    assert "refused: no card is declared" in ran.out
    assert_untouched(person.card)


def test_a_draft_is_not_enough(person: Person) -> None:
    person.declare()
    ran = person.run()
    assert (ran.code, ran.pins) == (ENDED_EARLY, 0)
    assert "declared_by_holder" in ran.out
    assert len(person.card.exchanges) == 3  # what drafting read: not even the card was asked who it is


def test_another_card_than_the_declared_one_is_refused(
    person: Person, lay: Callable[[VirtualCard], Person], make_card: MakeCard
) -> None:
    person.declare(declared_by_holder="true", wrong_pins="true")
    other = lay(make_card(pin=PIN))
    ran = other.run()
    assert (ran.code, ran.pins) == (ENDED_EARLY, 0)
    assert "refused: this card is not the declared one" in ran.out
    assert_untouched(other.card)
    assert '"test_it_is_the_declared_card": "refused"' in other.report.read_text()


def test_a_mistyped_pin_costs_one_try(person: Person) -> None:
    person.declare(declared_by_holder="true")
    ran = person.run(pin="4718")
    assert (ran.code, ran.pins) == (ENDED_EARLY, 1)
    assert "tries_left=2" in ran.out
    assert "4718" not in ran.out
    assert person.card.pin_tries == 2


@pytest.mark.parametrize("tries", [0, 1, 2])
def test_without_three_tries_no_pin_is_sent(person: Person, tries: int) -> None:
    person.declare(declared_by_holder="true", wrong_pins="true")
    person.card.pin_tries = tries
    ran = person.run()
    assert (ran.code, ran.pins, person.card.pin_tries) == (ENDED_EARLY, 0, tries)
    assert "docs/first-card.md says what now" in ran.out
    assert f"tries_authentication: {tries}" in ran.out


def test_a_key_that_stays_open_is_told(person: Person) -> None:
    """A card that never forgets: no such is known, and it would be seen."""
    person.card._verified = NeverForgotten()
    person.declare(declared_by_holder="true")
    ran = person.run()
    assert ran.code == FAILED
    assert "test_after_leaving_another_process_cannot_sign FAILED" in ran.out
    assert "signed_after_leave: True" in ran.out


def test_without_a_reader_of_that_name(person: Person) -> None:
    person.declare(declared_by_holder="true")
    ran = person.run("--reader", "Another")
    assert (ran.code, ran.pins) == (ENDED_EARLY, 0)
    assert "refused: there is no reader of this name; there is Virtual PCD 00 00 and Virtual PCD 00 01" in ran.out


def test_without_the_service(person: Person, pcscd: PrivatePcscd) -> None:
    person.declare(declared_by_holder="true")
    pcscd.stop()
    ran = person.run()
    assert (ran.code, ran.pins) == (ENDED_EARLY, 0)
    assert "there is no reader of this name; there is none at all" in ran.out


def test_the_pin_is_asked_for_at_the_terminal_and_not_shown(person: Person) -> None:
    person.declare(declared_by_holder="true")
    ours, theirs = pty.openpty()
    command = ["setsid", "--ctty", "--wait", *RUN, "--test-card", str(person.declaration)]
    asking = subprocess.Popen(command, cwd=ROOT, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = until(ours, b"PIN of the user certificate")
    os.write(ours, PIN.encode() + b"\n")
    shown += until(ours, b"passed")
    assert asking.wait(10) == FINE
    os.close(ours)
    assert PIN.encode() not in shown


def test_taken_away_in_the_middle_and_put_back(person: Person, reader: VirtualReader) -> None:
    person.declare(declared_by_holder="true")
    command = [*RUN, "--test-card", str(person.declaration), "--take-away", "-k", "test_the_card_is_taken_away"]
    running = subprocess.Popen([*command, "--report", str(person.report)], cwd=ROOT, stdout=subprocess.PIPE)
    assert running.stdout is not None
    with running:
        said = until(running.stdout.fileno(), b"Take the card away now.")
        person.card.removed_at = person.card.count + 20
        said += until(running.stdout.fileno(), b"Put the card back.")
        reader.insert(person.card)
        said += running.stdout.read()
    assert running.returncode == FINE, said.decode()
    assert '"taken_away": "card.removed"' in person.report.read_text()


def test_without_naming_a_reader_nothing_talks_to_one() -> None:
    command = [*RUN[: RUN.index("--reader")], "--collect-only", "-q"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert listed.returncode == 0
    assert "test_real_card.py::" not in listed.stdout


def test_several_processes_would_fight_for_the_card() -> None:
    done = subprocess.run([*RUN, "-n", "2"], cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert "-n cannot be used" in done.stderr


def until(descriptor: int, wanted: bytes) -> bytes:
    """Reads until the words were said; raises ``EOFError`` if they never are."""
    said = b""
    while wanted not in said:
        part = os.read(descriptor, 1000)
        if not part:
            raise EOFError(said.decode())
        said += part
    return said
