"""Commands are declared in one way: a sentence, ``--json``, and the function that runs."""

import argparse

import pytest

from appliance.programs.cli.parsing import (
    ReceiptNumberError,
    add_command,
    add_group,
    entry_index,
    entry_place,
    named_place,
)


def run(arguments: argparse.Namespace) -> int:
    return int(arguments.json)


@pytest.fixture
def parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="made")
    commands = parser.add_subparsers(required=True)
    add_command(commands, "alone", "do one thing (ALL of it)", run)
    add_command(add_group(commands, "group", "what belongs together"), "inner", "do another", run)
    return parser


@pytest.mark.parametrize("words", [["alone"], ["group", "inner"]])
def test_a_command_runs_its_function(parser: argparse.ArgumentParser, words: list[str]) -> None:
    parsed = parser.parse_args(words)
    assert parsed.run(parsed) == 0
    parsed = parser.parse_args([*words, "--json"])
    assert parsed.run(parsed) == 1


def test_a_group_alone_is_not_enough(parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser.parse_args(["group"])
    assert "required: COMMAND" in capsys.readouterr().err


def test_the_text_becomes_a_sentence(parser: argparse.ArgumentParser, capsys: pytest.CaptureFixture[str]) -> None:
    for words, sentence in ((["alone"], "Do one thing (ALL of it)."), (["group"], "What belongs together.")):
        with pytest.raises(SystemExit):
            parser.parse_args([*words, "--help"])
        assert f"\n\n{sentence}\n\n" in capsys.readouterr().out


@pytest.mark.parametrize(("number", "index"), [("0", 0), ("M-000123", 123), ("m-7", 7), ("9" * 18, 10**18 - 1)])
def test_an_entry_goes_by_its_index_or_its_number(number: str, index: int) -> None:
    assert entry_index(number) == index


@pytest.mark.parametrize(("number", "place"), [("7", (7, None)), ("M-000123/1", (123, 1)), ("m-7/12", (7, 12))])
def test_an_entry_of_an_earlier_ledger_says_so(number: str, place: tuple[int, int | None]) -> None:
    assert entry_place(number) == place


@pytest.mark.parametrize(
    ("number", "generation", "place"),
    [("7", None, (7, None)), ("7", 1, (7, 1)), ("M-7/1", None, (7, 1)), ("M-7/1", 1, (7, 1))],
)
def test_a_number_and_a_generation_go_together(
    number: str, generation: int | None, place: tuple[int, int | None]
) -> None:
    assert named_place(argparse.Namespace(number=number, generation=generation)) == place
    with pytest.raises(ReceiptNumberError):
        named_place(argparse.Namespace(number="M-7/1", generation=2))


@pytest.mark.parametrize("number", ["M-7/", "/1", "M-7/1/2", "M-7/x", "M-7/-1"])
def test_what_is_no_generation_is_no_number(number: str) -> None:
    with pytest.raises(ReceiptNumberError):
        entry_place(number)


@pytest.mark.parametrize("number", ["", "M-", "-1", "1.0", "１２", "x", "9" * 19])
def test_anything_else_is_no_number(number: str) -> None:
    with pytest.raises(ReceiptNumberError):
        entry_index(number)
