"""Founding a hub: its keys, its authority, the certificates of broker and hub, its database."""

import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from appliance.clock import Clock
from appliance.config import CredentialSource, read_credential
from appliance.errors import RefusedError
from appliance.ledger.evidence import EvidenceOpener
from appliance.ledger.keys import SigningKey
from appliance.ledger.recipient import Recipient
from appliance.programs.hub.authority import Authority, make_key, pem
from appliance.programs.hub.settings import (
    AUTHORITY_FILE,
    AUTHORITY_KEY,
    BACKUP_FILE,
    BACKUP_KEY,
    BROKER_FILE,
    BROKER_KEY,
    DATABASE_KEY,
    DATABASE_NAME,
    EVIDENCE_FILE,
    EVIDENCE_KEY,
    FAMILIES,
    HUB_KEY,
    LINE_FILE,
    LINE_KEY,
    HubSettings,
)
from appliance.store.database import KEY_BYTES, Database
from appliance.store.files import make_file, make_folder, write_file
from appliance.store.migrate import migrate

CLIENT_NAME = "hub"
"""The broker's access rules know the hub by this name."""
PUBLIC = 0o666  # less what the umask takes
MAKERS: dict[str, Callable[[], bytes]] = {
    HUB_KEY: lambda: SigningKey.make().pem(),
    AUTHORITY_KEY: make_key,
    LINE_KEY: make_key,
    BROKER_KEY: make_key,
    DATABASE_KEY: lambda: os.urandom(KEY_BYTES),
    EVIDENCE_KEY: lambda: EvidenceOpener.make().to_bytes(),
    BACKUP_KEY: lambda: Recipient.make().to_bytes(),
}


class HubFoundedError(RefusedError):
    """``init`` was run where a hub already is; its keys would be replaced, and no box would know it any more."""

    code = "hub.already_founded"


def make_credentials(folder: Path) -> list[str]:
    """Makes the keys that are missing, each a file that only its owner reads; returns their names.

    ``broker.key`` is for the broker; ``hub-evidence.key`` opens evidence and ``hub-backup.key`` the backups of boxes:
    both are best kept off this machine.
    """
    make_folder(folder, 0o700)
    return [name for name, make in MAKERS.items() if make_file(folder / name, make())]


def found_hub(settings: HubSettings, clock: Clock) -> None:
    """Writes certificates and database from the credentials; raises ``HubFoundedError``.

    The authority's certificate comes last: until it is there, founding can be done again.
    """
    folder = settings.hub.state_dir
    if (folder / AUTHORITY_FILE).exists():
        raise HubFoundedError(path=str(folder))
    make_folder(folder, 0o700)
    with Database.create(folder / DATABASE_NAME, CredentialSource(DATABASE_KEY)) as database:
        migrate(database, FAMILIES)
    now = datetime.fromtimestamp(clock.now_ms() // 1000, UTC)
    authority = Authority.make(settings.hub.name, read_credential(AUTHORITY_KEY), now)
    names = tuple(dict.fromkeys((settings.boxes.host, settings.broker.host)))
    broker = authority.issue_server(names, read_credential(BROKER_KEY), now)
    write_file(folder / BROKER_FILE, pem(broker), PUBLIC)
    line = authority.issue_own_client(CLIENT_NAME, read_credential(LINE_KEY), now)
    write_file(folder / LINE_FILE, pem(line), PUBLIC)
    opener = EvidenceOpener.from_bytes(read_credential(EVIDENCE_KEY))
    write_file(folder / EVIDENCE_FILE, opener.public_bytes(), PUBLIC)
    write_backup_key(folder)
    write_file(folder / AUTHORITY_FILE, pem(authority.certificate), PUBLIC)


def make_backup_key(folder: Path) -> bool:
    """Makes the key that opens backups, for a hub that was founded before there was one; whether it did."""
    make_folder(folder, 0o700)
    return make_file(folder / BACKUP_KEY, MAKERS[BACKUP_KEY]())


def write_backup_key(folder: Path) -> Path:
    """Writes the public half, which enrolments carry; where it is."""
    holder = Recipient.from_bytes(read_credential(BACKUP_KEY))
    write_file(folder / BACKUP_FILE, holder.public_bytes(), PUBLIC)
    return folder / BACKUP_FILE
