"""Worlds to play in. One is founded for the whole run; a module that wants its own starts a copy of it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.sim.world import World

CARDS = 4


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a world that was founded and switched off again: nobody has visited yet."""
    folder = tmp_path_factory.mktemp("founded") / "world"
    with World(folder, cards=CARDS, odd_cards=True):
        pass
    return folder


@pytest.fixture(scope="module")
def world(founded: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A world of this module's own, in which everything runs."""
    with copied(founded, tmp_path_factory.mktemp("world")) as world:
        yield world


@contextmanager
def copied(founded: Path, into: Path, log_level: str = "info") -> Iterator[World]:
    """Starts a copy of a world in another folder, and switches it off at the end."""
    folder = into / "world"
    shutil.copytree(founded, folder)
    with World(folder, cards=CARDS, odd_cards=True, log_level=log_level) as world:
        yield world
