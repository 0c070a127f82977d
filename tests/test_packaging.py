"""A release holds every file that the programs read: templates, sentences, migrations, assets."""

import configparser
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_every_data_file_is_in_the_release() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    packed: set[Path] = set()
    for package, patterns in settings["options.package_data"].items():
        folder = ROOT / package.replace(".", "/")
        for pattern in patterns.replace("\n", "").split(","):
            packed |= set(folder.glob(pattern.strip()))
    there = {
        path
        for path in (ROOT / "appliance").rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc") and "__pycache__" not in path.parts
    }
    assert len(there) > 50
    assert there - packed == set()


def test_the_command_is_declared() -> None:
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    assert "appliance = appliance.programs.cli.__main__:main" in settings["options.entry_points"]["console_scripts"]
