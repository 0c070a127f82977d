"""``appliance roster import``: the school's people from a OneRoster file."""

import argparse
from pathlib import Path

from appliance.programs.cli.opened import opened_box
from appliance.programs.cli.output import FINE, show
from appliance.services.roster import ImportRoster
from appliance.store.people import PeopleStore

NAMES = {"classes": "学級", "pupil": "児童・生徒", "guardian": "保護者", "staff": "教職員"}


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    parser = commands.add_parser("roster", help="the school's people")
    parts = parser.add_subparsers(metavar="import", required=True)
    take = parts.add_parser("import", help="take over a OneRoster 1.2 ZIP (Japan K-12/Schools Profile v1.0)")
    take.add_argument("file", type=Path)
    take.add_argument("--json", action="store_true")
    take.set_defaults(run=import_file)


def import_file(arguments: argparse.Namespace) -> int:
    box = opened_box()
    counts = ImportRoster(box, PeopleStore(box.database)).run(arguments.file.read_bytes())
    words = "、".join(f"{NAMES.get(name, name)} {count}" for name, count in counts.items())
    show({"imported": counts}, arguments.json, f"名簿を取り込みました: {words}")
    return FINE
