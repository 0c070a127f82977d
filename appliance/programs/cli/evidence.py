"""``appliance ledger evidence`` on the box, and ``appliance evidence`` for an auditor, who needs no box."""

import argparse
from pathlib import Path

from appliance.errors import RefusedError
from appliance.ledger.disclosure import Auditor, Disclosure
from appliance.ledger.examination import examine
from appliance.programs.cli.opened import opened_box
from appliance.programs.cli.output import FINE, PROBLEM, say, show
from appliance.programs.cli.parsing import Commands, add_command, add_generation, add_group, named_place
from appliance.school.statement import Statement
from appliance.services.check_in import receipt_number
from appliance.services.evidence import evidence_file
from appliance.services.generations import find_generation
from appliance.store.evidence import EvidenceStore
from appliance.store.files import make_file, make_folder
from appliance.trust.anchors import parse_anchors
from appliance.trust.policy import card_policy
from appliance.web.examination import describe_examination

KEY_NAME, PUBLIC_NAME = "auditor.key", "auditor.pub"


class AuditorKeyExistsError(RefusedError):
    """There is a key already; what was disclosed for it would never open again."""

    code = "evidence.key_exists"


def add(commands: Commands) -> None:
    """Adds ``evidence audit`` and ``evidence auditor-key``."""
    parts = add_group(commands, "evidence", "look at evidence that the prefecture disclosed to an auditor")
    audit = add_command(parts, "audit", "open and check one disclosed act; needs no box", audit_disclosure)
    audit.add_argument("file", type=Path, help="the disclosure that the prefecture gave")
    audit.add_argument("--key", type=Path, required=True, metavar="FILE", help="the auditor's private key")
    audit.add_argument("--anchors", type=Path, required=True, metavar="FILE", help="root certificates (PEM or DER)")
    keys = add_command(parts, "auditor-key", "make the auditor's pair of keys", make_keys)
    keys.add_argument("--out", type=Path, required=True, metavar="DIR", help="where to write them")


def add_evidence(parts: Commands) -> None:
    """Adds ``ledger evidence``."""
    export = add_command(parts, "evidence", "write the sealed evidence of one visit for the prefecture", export_file)
    export.add_argument("number", help="index of the entry, or a number such as M-000123")
    add_generation(export)
    export.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to write it")


def export_file(arguments: argparse.Namespace) -> int:
    """Writes what only the hub's verifier opens."""
    index, generation = named_place(arguments)
    with opened_box() as box:
        ledger = find_generation(box, generation)
        data = evidence_file(ledger, EvidenceStore(box.database), index).to_bytes()
        number = receipt_number(index, None if ledger is box.ledger else generation)
    arguments.out.write_bytes(data)
    file = str(arguments.out)
    show(
        {"number": number, "file": file, "bytes": len(data)}, arguments.json, say("evidence", number=number, file=file)
    )
    return FINE


def audit_disclosure(arguments: argparse.Namespace) -> int:
    """Opens a disclosure with the auditor's key and goes through the list; 1 if anything does not hold."""
    auditor = Auditor.from_file(arguments.key.read_bytes())
    disclosure = Disclosure.from_bytes(arguments.file.read_bytes())
    anchors = parse_anchors(arguments.anchors.read_bytes())
    # Whoever names the anchors decides what is believed; a card of the look-alike hierarchy is called one.
    policy = card_policy(allow_test_cards=True)
    found = examine(disclosure.claim, lambda: disclosure.keys(auditor), anchors, policy, Statement.parse)
    summary = found.summary()
    show(summary, arguments.json, describe_examination(summary, found.fault))
    return FINE if found.good else PROBLEM


def make_keys(arguments: argparse.Namespace) -> int:
    """Makes a private key that only its owner reads, and the public one to give to the prefecture."""
    auditor, folder = Auditor.make(), arguments.out
    make_folder(folder, 0o700)
    for name in (KEY_NAME, PUBLIC_NAME):  # both are looked for first: half a new pair would be none
        if (folder / name).exists():
            raise AuditorKeyExistsError(file=str(folder / name))
    for name, data, mode in ((KEY_NAME, auditor.private_file(), 0o600), (PUBLIC_NAME, auditor.public_file(), 0o644)):
        if not make_file(folder / name, data, mode):
            raise AuditorKeyExistsError(file=str(folder / name))
    private, public = str(folder / KEY_NAME), str(folder / PUBLIC_NAME)
    words = say("auditor-key", private=private, public=public)
    show({"private": private, "public": public}, arguments.json, words)
    return FINE
