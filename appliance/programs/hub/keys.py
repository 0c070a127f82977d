"""``hub keys rotate database``: a new key for the hub's database while the hub goes on (docs/decisions/0012)."""

import argparse
import json
import sys

from appliance.programs.hub.settings import DATABASE_KEY, DATABASE_NAME, HubSettings, load_hub_settings
from appliance.services.key_rotation import KeyRotation, Stage


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds ``keys rotate``."""
    parts = commands.add_parser("keys", help="the keys of the hub").add_subparsers(metavar="COMMAND", required=True)
    rotate = parts.add_parser("rotate", help="make a new key and put it in the place of the old; the hub works on")
    rotate.add_argument("key", choices=["database"], help="what opens the hub's database")
    rotate.add_argument("--json", action="store_true")
    rotate.set_defaults(run=_rotate)


def finish_rotation(settings: HubSettings) -> None:
    """Ends a change of the key of which only the last steps are missing; for the start of the hub."""
    path = settings.hub.state_dir / DATABASE_NAME
    if path.exists():
        KeyRotation(path, DATABASE_KEY).finish()


def _rotate(arguments: argparse.Namespace) -> int:
    """Changes the key, or ends a change that was interrupted; progress goes to standard error."""
    path = load_hub_settings().hub.state_dir / DATABASE_NAME
    rotation = KeyRotation(path, DATABASE_KEY, None if arguments.json else _tell)
    rotation.run()
    words = "The key of the hub's database was changed. The old key opens nothing any more."
    if rotation.sealed:
        words = (
            "The hub's database is under the new key. It remains to seal it in place of the old one: appliance-admin"
            " does that."
        )
    told = {"rotated": arguments.key, "sealed": rotation.sealed}
    print(json.dumps(told) if arguments.json else words)  # noqa: T201 - a command's answer
    return 0


def _tell(stage: Stage, percent: int) -> None:
    words = {
        Stage.REWRITING: f"The database is being written anew: {percent} %. What the boxes send waits.",
        Stage.REWRITTEN: "The database is under the new key.",
        Stage.EMPTIED: "Every page is being checked.",
    }.get(stage)
    if words is not None:
        print(words, file=sys.stderr, flush=True)  # noqa: T201 - progress of a command
