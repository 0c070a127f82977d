"""The layer is built once for all tests."""

from pathlib import Path

import pytest

from tests.sim.powercut.recorder import Recorder


@pytest.fixture(scope="session")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Recorder:
    return Recorder(tmp_path_factory.mktemp("recorder"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """What is watched."""
    folder = tmp_path / "watched"
    folder.mkdir()
    return folder
