"""``appliance hub evidence``: the verifier opens what a box has sealed, and shows an auditor one act of it.

It needs the verifier's key and neither the hub's database nor its settings, so it works on a machine apart. On the hub
itself ``show --mirror`` also compares the evidence with the record in the mirror of the school's ledger.
"""

import argparse
import json
from pathlib import Path
from typing import TypeAlias

from appliance.config import CredentialSource, read_credential
from appliance.ledger.disclosure import disclose, item_keys
from appliance.ledger.evidence import EvidenceOpener
from appliance.ledger.evidence_file import Claim, EvidenceFile
from appliance.ledger.examination import examine
from appliance.programs.hub.files import read_file, write_file
from appliance.programs.hub.mirrored import Mirrored, look_up
from appliance.programs.hub.settings import DATABASE_KEY, DATABASE_NAME, EVIDENCE_KEY, load_hub_settings
from appliance.school.statement import Statement
from appliance.store.database import Database
from appliance.trust.anchors import parse_anchors
from appliance.trust.policy import card_policy
from appliance.web.console import sentence
from appliance.web.examination import describe_examination

# What add_subparsers gives back: its type has no public name, and takes a parameter for type checkers only.
Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
GOOD, REFUSED = 0, 1


def add(commands: Commands) -> None:
    """Adds ``evidence show`` and ``evidence disclose``."""
    group = commands.add_parser("evidence", help="open the evidence of one act, or disclose it to an auditor")
    parts = group.add_subparsers(metavar="COMMAND", required=True)
    show = parts.add_parser("show", help="open an evidence file and check it as a numbered list")
    show.add_argument("--anchors", type=Path, required=True, metavar="FILE", help="root certificates (PEM or DER)")
    text = "on the hub itself: also compare it with the record in the mirror of the school's ledger"
    show.add_argument("--mirror", action="store_true", help=text)
    show.set_defaults(run=show_evidence)
    disclosure = parts.add_parser("disclose", help="give an auditor the keys of this act and of no other")
    disclosure.add_argument("--auditor", type=Path, required=True, metavar="FILE", help="the auditor's public key")
    disclosure.add_argument("--out", type=Path, required=True, metavar="FILE", help="where to write the disclosure")
    disclosure.set_defaults(run=disclose_evidence)
    for command in (show, disclosure):
        command.add_argument("file", type=Path, help="what appliance ledger evidence wrote on the box")
        command.add_argument("--key", type=Path, metavar="FILE", help=f"default: the credential {EVIDENCE_KEY}")
        command.add_argument("--json", action="store_true", help="answer with JSON, for programs")


def show_evidence(arguments: argparse.Namespace) -> int:
    """Prints the list, what the person read, for which school and when; 1 if anything does not hold.

    With ``--mirror`` also 1 unless the mirrored record names exactly this evidence.
    """
    verifier, file = _verifier(arguments.key), EvidenceFile.from_bytes(read_file(arguments.file))
    anchors = parse_anchors(read_file(arguments.anchors))
    # Whoever names the anchors decides what is believed; a card of the look-alike hierarchy is called one.
    policy = card_policy(allow_test_cards=True)
    found = examine(file.claim, lambda: item_keys(file, verifier), anchors, policy, Statement.parse)
    summary = found.summary()
    words, good = describe_examination(summary, found.fault), found.good
    if arguments.mirror:
        mirrored = _mirrored(file.claim)
        summary["mirror"], good = mirrored.value, good and mirrored is Mirrored.COMMITTED
        words = f"{sentence(f'proof-mirror-{mirrored.value}', {})}\n{words}"
    _answer(summary, arguments.json, words)
    return GOOD if good else REFUSED


def _mirrored(claim: Claim) -> Mirrored:
    folder = load_hub_settings().hub.state_dir
    with Database.open(folder / DATABASE_NAME, CredentialSource(DATABASE_KEY)) as database:
        return look_up(database, claim)


def disclose_evidence(arguments: argparse.Namespace) -> int:
    """Writes the disclosure; whether the evidence is good is for ``show`` and for the auditor to find out."""
    verifier, file = _verifier(arguments.key), EvidenceFile.from_bytes(read_file(arguments.file))
    disclosure = disclose(file, verifier, read_file(arguments.auditor))
    write_file(arguments.out, disclosure.to_bytes())
    number, out = f"M-{file.claim.entry:06d}", str(arguments.out)
    words = sentence("proof-disclosed", {"number": number, "file": out})
    _answer({"origin": file.claim.origin, "entry": file.claim.entry, "file": out}, arguments.json, words)
    return GOOD


def _verifier(key: Path | None) -> EvidenceOpener:
    return EvidenceOpener.from_bytes(read_credential(EVIDENCE_KEY) if key is None else read_file(key))


def _answer(value: object, as_json: bool, words: str) -> None:
    print(json.dumps(value, ensure_ascii=False) if as_json else words)  # noqa: T201 - a command's answer
