"""``appliance backup``: everything that the box knows, sealed for the prefecture, in two files."""

import argparse
from pathlib import Path

from appliance.errors import ConfigError
from appliance.programs.cli.opened import opened_box
from appliance.programs.cli.output import FINE, say, show, show_progress
from appliance.programs.cli.parsing import Commands, add_command
from appliance.services.backup import make_backup
from appliance.services.enrolment import EnrolmentStore
from appliance.services.opening import OpenBox


class NoBackupKeyError(ConfigError):
    """The box knows no key to seal backups for: it is not enrolled, or was enrolled before the hub had one."""

    code = "backup.no_key"


def add(commands: Commands) -> None:
    """Adds ``backup``."""
    backup = add_command(
        commands, "backup", "write a backup that only the prefecture can open; all programs go on", run
    )
    backup.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder for the two files")
    backup.add_argument("--to", type=Path, metavar="FILE", help="the prefecture's public key; default: as enrolled")


def run(arguments: argparse.Namespace) -> int:
    """Writes the backup and the keys of the bodies, and says which of the two is to be kept how."""
    with opened_box() as box:
        public = _enrolled_key(box) if arguments.to is None else arguments.to.read_bytes()
        made = make_backup(box, public, arguments.out, show_progress)
    result = {
        "backup": str(made.backup),
        "keys": str(made.keys),
        "records": made.about.size,
        "rows": made.rows,
        "bytes": made.backup.stat().st_size,
        "removed": [str(one) for one in made.removed],
    }
    words = say("backup-done", backup=str(made.backup), keys=str(made.keys), count=made.about.size)
    if made.removed:
        words += "\n" + say("backup-removed", count=len(made.removed))
    show(result, arguments.json, words)
    return FINE


def _enrolled_key(box: OpenBox) -> bytes:
    bundle = EnrolmentStore(box.database).find()
    if bundle is None or bundle.backup_key is None:
        raise NoBackupKeyError(enrolled=bundle is not None)
    return bundle.backup_key
