"""``appliance roster import``: the school's people from a OneRoster file."""

import argparse
from pathlib import Path

from appliance.programs.cli.opened import opened_box
from appliance.programs.cli.output import FINE, say, show
from appliance.programs.cli.parsing import Commands, add_command, add_group
from appliance.services.roster import ImportRoster
from appliance.store.cards import CardStore
from appliance.store.people import PeopleStore


def add(commands: Commands) -> None:
    """Adds ``roster import``."""
    parts = add_group(commands, "roster", "the school's people")
    text = "take over a OneRoster 1.2 ZIP (Japan K-12/Schools Profile v1.0)"
    add_command(parts, "import", text, import_file).add_argument("file", type=Path, help="the ZIP file")


def import_file(arguments: argparse.Namespace) -> int:
    """Takes over the people of a roster file, or none of them."""
    file = arguments.file.read_bytes()
    with opened_box() as box:
        counts = ImportRoster(box, PeopleStore(box.database), CardStore(box.database)).run(file)
    classes, pupils, guardians, staff = (counts.get(name, 0) for name in ("classes", "pupil", "guardian", "staff"))
    words = say("roster-imported", classes=classes, pupils=pupils, guardians=guardians, staff=staff)
    show({"imported": counts}, arguments.json, words)
    return FINE
