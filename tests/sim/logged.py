"""What a program that was started in the test's own process logs."""

import json
import logging
from collections.abc import Callable, Iterator

import pytest

from appliance.log import ROOT

Logged = Callable[[], list[dict[str, object]]]


@pytest.fixture
def logged(capsys: pytest.CaptureFixture[str]) -> Iterator[Logged]:
    """The lines written to standard error since it was last asked; afterwards the test run's own logging is back."""
    root, ours = logging.getLogger(), logging.getLogger(ROOT)
    handlers, level, our_level = root.handlers[:], root.level, ours.level
    yield lambda: [json.loads(line) for line in capsys.readouterr().err.splitlines()]
    root.handlers[:] = handlers
    root.setLevel(level)
    ours.setLevel(our_level)
