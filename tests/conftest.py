"""Fixtures that every folder of tests may use."""

import pytest
from hypothesis import settings

# The developer's short loop looks at fewer examples of each property; everything else at the library's own number.
settings.register_profile("short", max_examples=15)

pytest_plugins = ["tests.sim.fixtures", "tests.sim.box", "tests.sim.logged", "tests.hardware.options"]

PROGRAMS = {"session_pcscd", "prefecture", "world", "booted"}
"""Fixtures that start real programs; a test that uses one is a scenario, and not in the developer's short loop."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="also runs what takes minutes and more of computing alone")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    for item in items:
        if PROGRAMS & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.scenario)
    if not config.getoption("--long"):
        # Left out and not skipped: nothing is missing on this machine.
        config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("long")])
        items[:] = [item for item in items if not item.get_closest_marker("long")]
