"""The bench that the options name; only tests marked ``hardware`` use it."""

import sys
from collections.abc import Callable, Iterator

import pytest

from appliance.programs.cli.pin import read_pin
from appliance.trust.anchors import parse_anchors
from tests.hardware.bench import Bench
from tests.hardware.declaration import Declaration, DeclarationError, load
from tests.hardware.given_pin import GivenPin
from tests.hardware.options import REPORT
from tests.hardware.refusal import RefusalError
from tests.hardware.report import Report
from tests.sim.card import pki
from tests.sim.card.hierarchy import Hierarchy

PROMPT = "\n>>> PIN of the user certificate (4 digits; nothing is shown): "


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> Report:
    return pytestconfig.stash[REPORT]


@pytest.fixture(scope="session")
def declaration(pytestconfig: pytest.Config) -> Declaration | None:
    path = pytestconfig.getoption("test_card")
    try:
        return None if path is None else load(path)
    except DeclarationError as error:
        raise RefusalError(str(error)) from None


class Asked:
    """Asks for the PIN when it is first wanted: by then the card is known to be the declared one."""

    def __init__(self, descriptor: int | None) -> None:
        self._descriptor = descriptor
        self.pin: GivenPin | None = None

    def __call__(self) -> GivenPin:
        if self.pin is None:
            self.pin = GivenPin(read_pin(self._descriptor, PROMPT))
        return self.pin


@pytest.fixture(scope="session")
def ask_pin(pytestconfig: pytest.Config) -> Iterator[Asked]:
    asked = Asked(pytestconfig.getoption("pin_fd"))
    yield asked
    if asked.pin is not None:
        asked.pin.wipe()


@pytest.fixture(scope="session")
def bench(
    pytestconfig: pytest.Config, declaration: Declaration | None, ask_pin: Asked, report: Report
) -> Iterator[Bench]:
    given = pytestconfig.getoption("anchors")
    anchors = () if given is None else parse_anchors(given.read_bytes())
    with Bench(pytestconfig.getoption("reader"), declaration, anchors, ask_pin, report) as bench:
        yield bench


@pytest.fixture(scope="session")
def office() -> Hierarchy:
    """Roots with the names of the real ones, as an office's cards have them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pki, "ORGANISATION", "JPKI")
        return Hierarchy.make({pki.LATEST: pki.KeyType.RSA_2048})


@pytest.fixture
def say(capfd: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Speaks to the person while the test runs."""

    def speak(sentence: str) -> None:
        with capfd.disabled():
            sys.stdout.write(f"\n>>> {sentence}\n")
            sys.stdout.flush()

    return speak
