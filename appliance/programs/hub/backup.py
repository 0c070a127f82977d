"""``hub release`` lets a new box open the backup of a school; ``hub backup-key`` gives the key that backups are for.

The private key stays here: of the two files only the headers are read, and the keys of their content are sealed for the
box that asks.
"""

import argparse
import json
import os
from pathlib import Path

from appliance.config import CredentialSource, read_credential
from appliance.errors import RefusedError
from appliance.ledger.recipient import Recipient
from appliance.ledger.release import Release, RestoreRequest
from appliance.ledger.sealed_file import Header, SealedFileError, recipient_id
from appliance.programs.hub.files import HubFileError, read_file, write_file
from appliance.programs.hub.founding import make_backup_key, write_backup_key
from appliance.programs.hub.settings import BACKUP_KEY, DATABASE_KEY, DATABASE_NAME, load_hub_settings
from appliance.store.database import Database
from appliance.store.ledger import LedgerStore, NoLedgerError


class UnknownBoxError(RefusedError):
    """The ledger of the backup was never admitted here, so nobody knows whose signature it has to bear."""

    code = "hub.unknown_box"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Adds ``release`` and ``backup-key``."""
    release = commands.add_parser("release", help="let a new box open the backup of its school")
    for name, text in (
        ("backup", "the backup"),
        ("keys", "its file of keys, the newest there is"),
        ("request", "what the new box asked with"),
        ("out", "where to write the release"),
    ):
        release.add_argument(f"--{name}", type=Path, required=True, metavar="FILE", help=text)
    release.add_argument("--not-admitted", action="store_true", help="release it though this hub never knew the box")
    release.set_defaults(run=_release)
    key = commands.add_parser("backup-key", help="write the public key of backups, and make the key if there is none")
    key.add_argument("--credentials", type=Path, metavar="DIR", help="where the keys lie")
    key.set_defaults(run=_write_key)
    for command in (release, key):
        command.add_argument("--json", action="store_true")


def _release(arguments: argparse.Namespace) -> int:
    request = RestoreRequest.from_json(read_file(arguments.request))
    holder = Recipient.from_bytes(read_credential(BACKUP_KEY))
    backup, keys = _header(arguments.backup, "backup"), _header(arguments.keys, "keys")
    settings = load_hub_settings()
    with Database.open(settings.hub.state_dir / DATABASE_NAME, CredentialSource(DATABASE_KEY)) as database:
        for header in (backup, keys):
            _check_box(database, header, arguments.not_admitted)
    write_file(arguments.out, Release.make(request, holder, backup, keys).to_json())
    about = backup.about
    words = (
        f"The backup of {about.school} ({about.size} records of {about.origin}) opens for the box with the number"
        f" {request.number}.\nCompare it with the number on the new box before {arguments.out} is handed over."
    )
    told = {"school": about.school, "origin": about.origin, "records": about.size, "number": request.number}
    _show({**told, "out": str(arguments.out)}, arguments.json, words)
    return 0


def _write_key(arguments: argparse.Namespace) -> int:
    made = False
    if arguments.credentials is not None:
        made = make_backup_key(arguments.credentials)
        os.environ["CREDENTIALS_DIRECTORY"] = str(arguments.credentials)
    path = write_backup_key(load_hub_settings().hub.state_dir)
    number = recipient_id(path.read_bytes()).hex()
    words = f"The public key of backups ({number}) is in {path}. Enrolments carry it from now on."
    _show({"made": made, "file": str(path), "key": number}, arguments.json, words)
    return 0


def _header(path: Path, kind: str) -> Header:
    """Of a file of any size, of which only the beginning is read."""
    try:
        with path.open("rb") as file:
            header = Header.read(file.read)
    except OSError as error:
        raise HubFileError(file=str(path), reason=error.strerror) from error
    if header.about.kind != kind:
        raise SealedFileError(reason="kind")
    return header


def _check_box(database: Database, header: Header, not_admitted: bool) -> None:
    """The box whose key is pinned here signed the file; raises ``UnknownBoxError`` or an ``UntrustedError``."""
    try:
        ledger = LedgerStore.find(database, header.about.origin)
    except NoLedgerError as error:
        if not_admitted:
            return
        raise UnknownBoxError(origin=header.about.origin) from error
    header.verify(ledger.keys)


def _show(value: object, as_text: bool, words: str) -> None:
    print(json.dumps(value, ensure_ascii=False) if as_text else words)  # noqa: T201 - a command's answer
