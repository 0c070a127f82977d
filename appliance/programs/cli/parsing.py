"""How every sub-command is declared, so that each explains itself and knows ``--json``."""

import argparse
from collections.abc import Callable
from typing import TypeAlias

from appliance.errors import RefusedError

MOST_DIGITS = 18
"""As many as fit an SQLite integer."""
# What add_subparsers gives back: its type has no public name, and takes a parameter for type checkers only.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"


class ReceiptNumberError(RefusedError):
    """Not an entry's index and not a receipt number such as ``M-000123``."""

    code = "receipt.number"


def add_group(commands: Commands, name: str, text: str) -> Commands:
    """A command that only has commands below it; ``text`` says in lower case what it is about."""
    parser = commands.add_parser(name, help=text, description=_sentence(text))
    return parser.add_subparsers(metavar="COMMAND", required=True, title="commands")


def add_command(
    commands: Commands, name: str, text: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    """A command that does something; ``run`` returns its exit code."""
    parser = commands.add_parser(name, help=text, description=_sentence(text))
    parser.add_argument("--json", action="store_true", help="answer with JSON, for programs")
    parser.set_defaults(run=run)
    return parser


def add_generation(command: argparse.ArgumentParser) -> None:
    """Adds ``--generation``."""
    text = "an earlier ledger of this box, from before it was restored; default: the one that is written now"
    command.add_argument("--generation", type=int, metavar="N", help=text)


def named_place(arguments: argparse.Namespace) -> tuple[int, int | None]:
    """As ``entry_place``, of a command with a number and ``--generation``, which must not contradict each other."""
    index, generation = entry_place(arguments.number)
    if None not in (generation, arguments.generation) and generation != arguments.generation:
        raise ReceiptNumberError()
    return index, arguments.generation if generation is None else generation


def entry_place(number: str) -> tuple[int, int | None]:
    """The index of an entry and the generation of its ledger, as in ``M-000123/1``; None for the one that is written.

    Raises ``ReceiptNumberError``.
    """
    text, slash, generation = number.partition("/")
    index = entry_index(text)
    return (index, entry_index(generation)) if slash else (index, None)


def entry_index(number: str) -> int:
    """The index of an entry from what people call it; raises ``ReceiptNumberError``."""
    text = number.upper().removeprefix("M-")
    if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS:
        raise ReceiptNumberError()
    return int(text)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + "."
