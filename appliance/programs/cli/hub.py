"""``appliance hub ...``: handed over to the hub's own program, which shares nothing with a box's."""

import argparse
import os
import sys

from appliance.programs.cli.parsing import Commands


def add(commands: Commands) -> None:
    """Adds ``hub``, which takes everything after it as it is."""
    # Without a prefix for options of its own, even --help is passed on.
    parser = commands.add_parser(
        "hub", help="the prefecture's hub (appliance hub --help)", add_help=False, prefix_chars="\0"
    )
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    parser.set_defaults(run=hand_over)


def hand_over(arguments: argparse.Namespace) -> int:
    """Replaces this process by the hub's program; its exit code is the command's."""
    sys.stdout.flush()
    command = [sys.executable, "-m", "appliance.programs.hub", *arguments.rest]
    os.execv(sys.executable, command)  # noqa: S606 - the same interpreter, no shell
