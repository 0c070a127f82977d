"""The page for the first person with a real card says what the programs do, the same in both languages."""

import re
import shlex
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.hardware import test_real_card
from tests.hardware.bench import MESSAGE
from tests.hardware.conftest import PROMPT
from tests.hardware.test_virtual import PINS, SIGNATURES
from tests.source import ROOT

PAGES = [ROOT / "docs" / name for name in ("first-card.md", "first-card.ja.md")]
PROGRAMS = ("scripts/", ".venv/bin/python", "rm")


def blocks(page: Path) -> list[list[str]]:
    """The commands and the outputs that the page shows, as lines without their indentation."""
    found = re.findall(r"^ *```\n(.*?)^ *```$", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [[line.strip() for line in block.splitlines()] for block in found]


def commands(page: Path) -> list[list[str]]:
    return [shlex.split(block[0]) for block in blocks(page) if block[0].startswith(PROGRAMS)]


def test_both_pages_show_the_same() -> None:
    first, second = PAGES
    assert blocks(first) == blocks(second)
    assert len(commands(first)) == 6


@cache
def help_of(*program: str) -> str:
    command = [sys.executable, *program, "--help"]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60).stdout


def test_every_program_and_option_exists() -> None:
    for command in commands(PAGES[0]):
        program, *words = command
        assert program in ("rm", ".venv/bin/python") or (ROOT / program).exists()
        options = [word for word in words if word.startswith("--")]
        told = help_of("-m", "tests.hardware.declare") if "-m" in words else help_of("-m", "pytest", "tests/hardware")
        assert [option for option in options if option not in told] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_what_it_quotes_is_what_is_said(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    sources = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "hardware").glob("*.py"))
    assert PROMPT.strip() in text
    assert MESSAGE.decode() in text
    for quoted in ("the counter does not show three tries", "It holds nothing personal; read it before you send it."):
        assert quoted in text
        assert quoted in sources


def test_how_often_the_card_is_asked() -> None:
    english, japanese = (page.read_text(encoding="utf-8") for page in PAGES)
    in_words = {11: "eleven", 8: "eight"}
    assert f"{in_words[PINS]} times, right each time" in english
    assert f'a card" {in_words[SIGNATURES]} times' in english
    assert f"{PINS}回送ります" in japanese
    assert f"{SIGNATURES}回署名します" in japanese


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_check_that_it_shows_exists(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for check in re.findall(r"::(test_\w+)", text):
        assert hasattr(test_real_card, check)
