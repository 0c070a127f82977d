"""Whatever a card, a reader or a peer says: every target keeps its promises for thousands of inputs."""

from importlib.util import find_spec

import pytest

from tests.fuzz.run import TARGETS, fuzz

pytestmark = [
    pytest.mark.fuzz,
    pytest.mark.skipif(find_spec("atheris") is None, reason="atheris has no wheel for this kind of machine"),
]
# Places of the product that each target reaches at least. Fewer mean that a fuzzer sees nothing of what it does.
LEAST_COVERAGE = {
    "tlv": 20,
    "apdu": 40,
    "session": 250,
    "server": 350,
    "client": 120,
    "certificate": 80,
    "anchors": 40,
}


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.timeout(300)
def test_ten_thousand_inputs(target: str) -> None:
    holds(target, 10_000, seed=1)


@pytest.mark.long
@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.timeout(3600)
def test_a_hundred_thousand_other_inputs(target: str) -> None:
    holds(target, 100_000, seed=0)


def holds(target: str, runs: int, seed: int) -> None:
    outcome = fuzz(target, runs, seed=seed)
    assert outcome.finding is None, f"{outcome.finding}\n{outcome.cause}"
    assert outcome.runs >= runs
    assert outcome.coverage >= LEAST_COVERAGE[target]
