"""``appliance ledger seal``: what the timer does every night, and how far the archive's seals reach, in words."""

import argparse

from appliance.config import CredentialError, read_credential
from appliance.ledger.archive_keys import ArchiveSigningKey
from appliance.ledger.day_seals import SealState
from appliance.programs.cli.opened import opened_box
from appliance.programs.cli.output import FINE, say, show, show_progress
from appliance.programs.cli.parsing import Commands, add_command
from appliance.services.archive import Archive, NoArchiveKeyError
from appliance.services.founding import ARCHIVE_KEY


def add_seal(parts: Commands) -> None:
    """Adds ``seal`` to the commands of ``ledger``."""
    add_command(parts, "seal", "seal every past day for the archive; the timer does it every night", seal)


def seal(arguments: argparse.Namespace) -> int:
    """Seals what is due; raises ``NoArchiveKeyError`` on a box that has no key for it yet."""
    try:
        pem = read_credential(ARCHIVE_KEY)
    except CredentialError as error:
        raise NoArchiveKeyError() from error
    key = ArchiveSigningKey.from_pem(pem)
    with opened_box() as box:
        sealed = Archive(box, key).run(show_progress)
    result = {"sealed": [one.date.isoformat() for one in sealed], "key": key.public.key_id.hex()}
    words = say("seal-done", count=len(sealed), date=result["sealed"][-1]) if sealed else say("seal-none")
    show(result, arguments.json, words)
    return FINE


def seal_fields(state: SealState) -> dict[str, object]:
    """How far the seals reach, for programs."""
    return {
        "sealed_to": None if state.day is None else state.day.isoformat(),
        "entries": state.size,
        "seals": state.count,
        "unread": state.unread,
        "keys": [key.key_id.hex() for key in state.keys],
    }


def seal_words(state: SealState) -> list[str]:
    """The same for a person."""
    if state.day is None:
        lines = [say("seal-nothing")]
    else:
        key_id = state.keys[-1].key_id.hex()
        lines = [say("seal-reach", date=state.day.isoformat(), entries=state.size, count=state.count, key_id=key_id)]
    return lines + ([say("seal-unread", count=state.unread)] if state.unread else [])
