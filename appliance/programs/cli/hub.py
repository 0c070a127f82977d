"""``appliance hub ...``: handed over to the hub's own program, which shares nothing with a box's."""

import argparse
import os
import sys


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("hub", help="the prefecture's hub (appliance hub --help)", add_help=False)
    parser.add_argument("rest", nargs=argparse.REMAINDER)
    parser.set_defaults(run=hand_over)


def hand_over(arguments: argparse.Namespace) -> int:
    sys.stdout.flush()
    command = [sys.executable, "-m", "appliance.programs.hub", *arguments.rest]
    os.execv(sys.executable, command)  # noqa: S606 - the same interpreter, no shell
