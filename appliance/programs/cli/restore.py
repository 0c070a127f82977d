"""``appliance restore``: a box from its backup, on new hardware with keys of its own."""

import argparse
import os
from pathlib import Path

from appliance.clock import SystemClock
from appliance.config import CredentialSource, read_credential
from appliance.ledger.keys import SigningKey
from appliance.ledger.release import MOST_BYTES, Release
from appliance.programs.cli.opened import settings
from appliance.programs.cli.output import FINE, say, show, show_progress
from appliance.programs.cli.parsing import Commands, add_command, add_group
from appliance.services.founding import (
    DATABASE_KEY,
    DEVICE_KEY,
    STAFF_KEY,
    make_credentials,
    write_staff_certificate,
)
from appliance.services.restoring import Restoring, request_restore


def add(commands: Commands) -> None:
    """Adds ``restore request`` and ``restore accept``."""
    parts = add_group(commands, "restore", "make this new box the school's, from the backup of the old one")
    request = add_command(parts, "request", "write the file with which the prefecture releases a backup", write_request)
    request.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to write it")
    accept = add_command(parts, "accept", "restore the box from backup, keys and release", restore)
    for name, text in (
        ("backup", "the backup"),
        ("keys", "its file of keys, the newest there is"),
        ("release", "the prefecture's answer"),
    ):
        accept.add_argument(f"--{name}", type=Path, required=True, metavar="FILE", help=text)
    accept.add_argument("--credentials", type=Path, metavar="DIR", help="where this box's keys lie or are to be made")
    accept.add_argument("--make-keys", type=Path, metavar="DIR", help="only make the keys there, to be sealed first")


def write_request(arguments: argparse.Namespace) -> int:
    """Writes the request, and shows the number that both ends compare."""
    request = request_restore(settings().box.state_dir)
    arguments.out.write_bytes(request.to_json())
    words = say("restore-request", file=str(arguments.out), number=request.number)
    show({"file": str(arguments.out), "number": request.number}, arguments.json, words)
    return FINE


def restore(arguments: argparse.Namespace) -> int:
    """Restores the box if everything verifies, and says how it goes on from there."""
    if arguments.make_keys is not None:
        made = make_credentials(arguments.make_keys)
        show({"made": made}, arguments.json, "\n".join(made))
        return FINE
    with arguments.release.open("rb") as file:
        release = Release.from_json(file.read(MOST_BYTES + 1))
    if arguments.credentials is not None:
        make_credentials(arguments.credentials)
        os.environ["CREDENTIALS_DIRECTORY"] = str(arguments.credentials)
    chosen = settings()
    device_key = SigningKey.from_pem(read_credential(DEVICE_KEY))
    restoring = Restoring(chosen.box.state_dir, CredentialSource(DATABASE_KEY), device_key, SystemClock())
    restored = restoring.run(arguments.backup, arguments.keys, release, show_progress)
    write_staff_certificate(chosen.staff.certificate, read_credential(STAFF_KEY), chosen.staff.names)
    result = {
        "school": restored.school,
        "previous": restored.previous,
        "origin": restored.origin,
        "records": restored.size,
        "erased": restored.erased,
    }
    words = say("restore-done", previous=restored.previous, origin=restored.origin, count=restored.size)
    if restored.erased:
        words += "\n" + say("restore-erased", count=restored.erased)
    show(result, arguments.json, words + "\n" + say("restore-next"))
    return FINE
