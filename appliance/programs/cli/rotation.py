"""``appliance keys rotate``: a new key for the database, or to sign the ledger with, while all programs go on."""

import argparse
import sys

from appliance.programs.cli.opened import opened_box, settings
from appliance.programs.cli.output import FINE, say, show
from appliance.programs.cli.parsing import Commands, add_command
from appliance.services.device_key_rotation import DeviceKeyRotation
from appliance.services.founding import DATABASE_KEY
from appliance.services.key_rotation import KeyRotation, Stage
from appliance.services.opening import DATABASE_NAME


def add(commands: Commands) -> None:
    """Adds ``rotate`` to the commands of ``keys``."""
    rotate_it = add_command(
        commands, "rotate", "make a new key and put it in the place of the old; others work on", rotate
    )
    rotate_it.add_argument("key", choices=["database", "device"], help="what opens the database, or signs the ledger")


def rotate(arguments: argparse.Namespace) -> int:
    """Changes a key, or ends a change that was interrupted."""
    return _rotate_device(arguments) if arguments.key == "device" else _rotate_database(arguments)


def _rotate_device(arguments: argparse.Namespace) -> int:
    with opened_box() as box:
        rotation = DeviceKeyRotation(box)
        period = rotation.run()
    key_id = period.key.key_id.hex()
    words = say("keys-device-rotated", key_id=key_id, size=period.size)
    if rotation.sealed:
        words += "\n" + say("keys-device-sealed")
    words += "\n" + say("keys-print-anew")
    told = {"rotated": arguments.key, "sealed": rotation.sealed, "key": key_id, "from": period.size}
    show(told, arguments.json, words)
    return FINE


def _rotate_database(arguments: argparse.Namespace) -> int:
    """Progress goes to standard error."""
    tell = None if arguments.json else _tell
    rotation = KeyRotation(settings().box.state_dir / DATABASE_NAME, DATABASE_KEY, tell)
    rotation.run()
    words = say("keys-rotated-sealed") if rotation.sealed else say("keys-rotated")
    words += "\n" + say("keys-print-anew")
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
