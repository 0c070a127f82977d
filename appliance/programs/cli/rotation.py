"""``appliance keys rotate``: a new key for the database, while all programs go on."""

import argparse
import sys

from appliance.programs.cli.opened import settings
from appliance.programs.cli.output import FINE, say, show
from appliance.programs.cli.parsing import Commands, add_command
from appliance.services.founding import DATABASE_KEY
from appliance.services.key_rotation import KeyRotation, Stage
from appliance.services.opening import DATABASE_NAME


def add(commands: Commands) -> None:
    """Adds ``rotate`` to the commands of ``keys``."""
    rotate_it = add_command(commands, "rotate", "make a new key and put everything under it; others work on", rotate)
    rotate_it.add_argument("key", choices=["database"], help="which key")


def rotate(arguments: argparse.Namespace) -> int:
    """Changes the key of the database, or ends a change that was interrupted; progress goes to standard error."""
    tell = None if arguments.json else _tell
    rotation = KeyRotation(settings().box.state_dir / DATABASE_NAME, DATABASE_KEY, tell)
    rotation.run()
    words = say("keys-rotated-sealed") if rotation.sealed else say("keys-rotated")
    show({"rotated": arguments.key, "sealed": rotation.sealed}, arguments.json, words)
    return FINE


def _tell(stage: Stage, percent: int) -> None:
    match stage:
        case Stage.REWRITING:
            words = say("keys-rewriting", percent=percent)
        case Stage.REWRITTEN:
            words = say("keys-rewritten")
        case Stage.EMPTIED:
            words = say("keys-checking")
        case _:
            return
    print(words, file=sys.stderr, flush=True)
