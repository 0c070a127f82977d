"""``appliance``: the command line of the box. Every sub-command is one module here with ``add`` and its function.

Exit codes everywhere: 0 fine, 1 found a problem, 2 could not run. With ``--json`` the output is for programs.
"""

import argparse
import sys
from collections.abc import Callable, Sequence

from appliance import __version__
from appliance.errors import ConfigError, MadoguchiError, UnavailableError
from appliance.programs.cli import card, init, ledger

COMMANDS = (init, card, ledger)


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the arguments, runs one sub-command and returns its exit code."""
    parser = argparse.ArgumentParser(prog="appliance", description="Madoguchi: the box at the school's window.")
    parser.add_argument("--version", action="version", version=f"madoguchi {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    parsed = parser.parse_args(arguments)
    run: Callable[[argparse.Namespace], int] = parsed.run
    try:
        return run(parsed)
    except (ConfigError, UnavailableError) as error:
        print(f"appliance: {error}", file=sys.stderr)
        return 2
    except MadoguchiError as error:
        print(f"appliance: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
