"""Fixtures that every folder of tests may use."""

import pytest
from hypothesis import settings

# The developer's short loop looks at fewer examples of each property; everything else at the library's own number.
settings.register_profile("short", max_examples=15)

pytest_plugins = ["tests.sim.fixtures", "tests.sim.box", "tests.sim.logged", "tests.hardware.options"]

PROGRAMS = {"session_pcscd", "prefecture", "world", "booted"}
"""Fixtures that start real programs; a test that uses one is a scenario, and not in the developer's short loop."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if PROGRAMS & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.scenario)
