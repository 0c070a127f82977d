"""``appliance``: the command line of the box. Every sub-command is one module here with ``add`` and its function.

Exit codes everywhere: 0 fine, 1 found a problem, 2 could not run. With ``--json`` the output is for programs.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence

from appliance import __version__
from appliance.errors import MadoguchiError
from appliance.programs.cli import (
    backup,
    card,
    doctor,
    enroll,
    erase,
    evidence,
    export,
    hub,
    init,
    keys,
    ledger,
    receipt,
    restore,
    roster,
    staff,
)
from appliance.programs.cli.output import PROBLEM, CommandFileError, show_error

COMMANDS = (
    init, enroll, doctor, card, ledger, export, receipt, evidence, erase, roster, staff, keys, backup, restore, hub,
)  # fmt: skip


def main(arguments: Sequence[str] | None = None) -> int:
    """Parses the arguments, runs one sub-command and returns its exit code."""
    parser = argparse.ArgumentParser(prog="appliance", description="Madoguchi: the box at the school's window.")
    parser.add_argument("--version", action="version", version=f"madoguchi {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    parsed = parser.parse_args(arguments)
    as_json: bool = getattr(parsed, "json", False)
    run: Callable[[argparse.Namespace], int] = parsed.run
    try:
        code = run(parsed)
        sys.stdout.flush()  # here, where a reader that is gone can still be dealt with
        return code
    except MadoguchiError as error:
        return show_error(error, as_json)
    except BrokenPipeError:
        # The reader of a pipe has seen enough; the interpreter must not complain on the way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return PROBLEM
    except OSError as error:
        reason = error.strerror or type(error).__name__
        return show_error(CommandFileError(file=str(error.filename or ""), reason=reason), as_json)


if __name__ == "__main__":
    sys.exit(main())
