"""``hub replace``: the box of a school is broken; it is shut out, and a token lets the restored one take its place."""

import argparse
import json
from datetime import UTC, datetime

from appliance.clock import SystemClock
from appliance.config import CredentialSource
from appliance.programs.hub.registry import Registry
from appliance.programs.hub.revocation import Revocations, write_list
from appliance.programs.hub.settings import DATABASE_KEY, DATABASE_NAME, FAMILIES, load_hub_settings
from appliance.programs.hub.tokens import Tokens, make_token
from appliance.store.database import Database
from appliance.store.migrate import migrate

REASON = "replaced"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds ``replace``."""
    replace = commands.add_parser("replace", help="shut a broken box out, and make a token for the one in its place")
    replace.add_argument("school", metavar="SCHOOLCODE")
    replace.add_argument("--json", action="store_true")
    replace.set_defaults(run=_run)


def _run(arguments: argparse.Namespace) -> int:
    settings, clock = load_hub_settings(), SystemClock()
    token = make_token(settings)  # first, so that nobody is shut out by a hub that can let nobody in
    with Database.open(settings.hub.state_dir / DATABASE_NAME, CredentialSource(DATABASE_KEY)) as database:
        migrate(database, FAMILIES)
        school = Registry(database).school(arguments.school)
        (state,) = (one for one in Registry(database).overview() if one.code == school.code)
        Revocations(database).revoke(school.code, REASON, clock.now_ms())
        write_list(settings, database, clock)
        until_ms = Tokens(database).add(token, school.code, clock.now_ms(), new_generation=True)
    until = datetime.fromtimestamp(until_ms / 1000, UTC).astimezone()
    words = (
        f"{token.to_text()}\n\nFor the restored box of {school.code}, once, until {until:%H:%M:%S}. The old one is shut"
        f" out.\nIts ledger {school.box_origin} stays here with {state.mirrored} entries, root {state.root.hex()}."
    )
    told = {
        "token": token.to_text(),
        "school": school.code,
        "until": until.isoformat(timespec="seconds"),
        "before": school.box_origin,
        "entries": state.mirrored,
        "root": state.root.hex(),
    }
    print(json.dumps(told) if arguments.json else words)  # noqa: T201 - a command's answer
    return 0
