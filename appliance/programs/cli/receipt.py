"""``appliance receipt verify``: whose receipt it is, whether it is unchanged, and whether the hub confirmed it; and
``appliance receipt key``, which gives the keys that others verify with.

Verifying works without a box: with the key files that are named, it needs neither settings nor a database nor a line.
"""

import argparse
import sys
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance.config import CredentialError
from appliance.errors import ConfigError, RefusedError, UntrustedError
from appliance.ledger.entry import type_label
from appliance.ledger.keys import KeyFormError, VerifyingKey
from appliance.ledger.receipt import Claim, VerifiedReceipt, open_receipt, read_claim
from appliance.programs.cli.opened import opened_box
from appliance.programs.cli.output import FINE, PROBLEM, explain, say, show
from appliance.programs.cli.parsing import Commands, add_command, add_group
from appliance.services.archive import introduced_key
from appliance.services.check_in import receipt_number
from appliance.services.enrolment import EnrolmentStore
from appliance.services.generations import generations
from appliance.services.opening import OpenBox
from appliance.services.receipt_forms import receipt_in

MOST_BYTES = 32 << 20
"""Larger than any photo of a telephone."""


class ReceiptLengthError(RefusedError):
    """A file that is larger than a receipt in any form."""

    code = "receipt.length"


class NoKeyError(ConfigError):
    """No key was named, and there is no box here whose key could be taken."""

    code = "receipt.no_key"


class NoHubKeyError(RefusedError):
    """A box that is not enrolled knows no key of a hub."""

    code = "receipt.no_hub_key"


@dataclass(frozen=True, slots=True)
class Known:
    """A public key that is believed, and the file that it came from: None for what the box itself knows."""

    key: VerifyingKey
    file: Path | None


def add(commands: Commands) -> None:
    """Adds ``receipt verify`` and ``receipt key``."""
    receipts = add_group(commands, "receipt", "check a receipt that somebody brings")
    check = add_command(receipts, "verify", "check a receipt offline", verify_receipt)
    forms = "the receipt: its bytes, its text beginning with MDG1:, or a photo or screenshot (PNG, JPEG, WebP)"
    check.add_argument("file", type=Path, help=f"{forms}; - reads from standard input")
    several = "may be given several times, the right one is found by its id"
    for option, whose in (("--box-key", "a box; default: this box's"), ("--hub-key", "a hub")):
        text = f"public key (PEM) of {whose}; {several}"
        check.add_argument(option, type=Path, metavar="FILE", action="append", default=[], help=text)
    key = add_command(receipts, "key", "print the public key that others verify this box's receipts with", show_key)
    key.add_argument("--hub", action="store_true", help="the key of the hub that confirms them, instead of the box's")
    key.add_argument("--archive", action="store_true", help="the key that seals each day for the archive (ML-DSA-65)")


def verify_receipt(arguments: argparse.Namespace) -> int:
    """Tells apart whose receipt it is, whether it is unchanged, and whether the hub confirmed it, and when."""
    data = receipt_in(read_bounded(arguments.file))
    boxes, hubs = _keys(arguments.box_key, arguments.hub_key)
    claim = read_claim(data)
    box = boxes.get(claim.box_key)
    if box is None:
        return _show_unknown(claim, arguments.json)
    hub = None if claim.hub_key is None else hubs.get(claim.hub_key)
    try:
        found = open_receipt(data, claim.origin, box.key, None if hub is None else hub.key)
    except UntrustedError as error:
        return _show_bad(claim, box, error, arguments.json)
    return _show_good(claim, box, found, arguments.json)


def show_key(arguments: argparse.Namespace) -> int:
    """Prints the box's, the hub's or the archive's public key in PEM, as ``--box-key``, ``--hub-key`` and
    ``--archive-key`` take it."""
    if arguments.archive:
        return _show_archive_key(arguments.json)
    with opened_box() as box:
        key: VerifyingKey | None = box.ledger.public_key
        if arguments.hub:
            key = _hub_key(box)
    if key is None:
        raise NoHubKeyError()
    pem = key.pem().decode()
    show({"key": key.key_id.hex(), "pem": pem}, arguments.json, pem.rstrip())
    return FINE


def _show_archive_key(as_json: bool) -> int:
    with opened_box() as box:
        key = introduced_key(box.ledger)
    pem, fingerprint = key.pem().decode(), key.fingerprint.hex(" ", 4)
    result = {"key": key.key_id.hex(), "fingerprint": key.fingerprint.hex(), "pem": pem}
    show(result, as_json, f"{say('receipt-archive-key', fingerprint=fingerprint)}\n{pem.rstrip()}")
    return FINE


def read_bounded(file: Path) -> bytes:
    """All of a file, or of standard input for ``-``; raises ``ReceiptLengthError`` or an ``OSError``."""
    if str(file) == "-":
        data = sys.stdin.buffer.read(MOST_BYTES + 1)
    else:
        with file.open("rb") as opened:
            data = opened.read(MOST_BYTES + 1)
    if len(data) > MOST_BYTES:
        raise ReceiptLengthError(most=MOST_BYTES >> 20)
    return data


def _keys(box_files: list[Path], hub_files: list[Path]) -> tuple[dict[bytes, Known], dict[bytes, Known]]:
    """The keys of boxes and hubs by key id; without a file for a box, those that this box knows come first."""
    boxes, hubs = _by_id(box_files), _by_id(hub_files)
    if box_files:
        return boxes, hubs
    try:
        with opened_box() as box:
            own, hub = [one.public_key for one in generations(box.database)], _hub_key(box)
    except CredentialError as error:
        raise NoKeyError() from error
    boxes |= {key.key_id: Known(key, None) for key in own}
    if hub is not None:
        hubs[hub.key_id] = Known(hub, None)
    return boxes, hubs


def _hub_key(box: OpenBox) -> VerifyingKey | None:
    enrolment = EnrolmentStore(box.database).find()
    return None if enrolment is None else VerifyingKey.from_pem(enrolment.hub_key.encode())


def _by_id(files: list[Path]) -> dict[bytes, Known]:
    known = {}
    for file in files:
        try:
            key = VerifyingKey.from_pem(file.read_bytes())
        except KeyFormError as error:
            error.fields["file"] = str(file)
            raise
        known[key.key_id] = Known(key, file)
    return known


def _show_good(claim: Claim, box: Known, found: VerifiedReceipt, as_json: bool) -> int:
    number, kind = receipt_number(found.index), type_label(found.entry.type)
    recorded, confirmed, hub = _at(found.entry.wall_ms // 1000), None, found.cosignature
    if hub is not None:
        confirmed, state = _at(hub.time_s), "confirmed"
        words = say("receipt-confirmed", at=_clock(confirmed), hub=hub.signer)
    elif claim.hub_key is None:
        state, words = "not_yet", say("receipt-unconfirmed")
    else:
        state = "unknown_key"
        words = say("receipt-confirmation-unknown", hub=str(claim.hub), key_id=claim.hub_key.hex())
    result = {
        "verify": "ok",
        **_issuer(claim, box),
        "unchanged": True,
        "number": number,
        "type": kind,
        "recorded": recorded.isoformat(),
        "confirmation": state,
        "confirmed": None if confirmed is None else confirmed.isoformat(),
        "confirmed_by": None if hub is None else hub.signer,
    }
    lines = [
        _issuer_words(claim, box),
        say("receipt-unchanged", number=number, type=kind),
        say("receipt-recorded", at=_clock(recorded)),
        words,
    ]
    show(result, as_json, "\n".join(lines))
    return FINE


def _show_bad(claim: Claim, box: Known, error: UntrustedError, as_json: bool) -> int:
    result = {"verify": "failed", **_issuer(claim, box), "unchanged": False, "error": error.code, **error.fields}
    lines = [say("receipt-issuer-claimed", origin=claim.origin), say("receipt-changed", reason=explain(error))]
    show(result, as_json, "\n".join(lines))
    return PROBLEM


def _show_unknown(claim: Claim, as_json: bool) -> int:
    result = {"verify": "unknown", **_issuer(claim, None), "unchanged": None}
    words = say("receipt-issuer-unknown", origin=claim.origin, key_id=claim.box_key.hex())
    show(result, as_json, f"{words}\n{say('receipt-unproven')}")
    return PROBLEM


def _issuer(claim: Claim, box: Known | None) -> dict[str, str | bool | None]:
    file = None if box is None or box.file is None else str(box.file)
    known = box is not None
    return {"issuer": claim.origin, "issuer_known": known, "issuer_key": claim.box_key.hex(), "issuer_key_file": file}


def _issuer_words(claim: Claim, box: Known) -> str:
    key = say("receipt-own-key") if box.file is None else str(box.file)
    return say("receipt-issuer", origin=claim.origin, key_file=key)


def _at(time_s: int) -> datetime:
    return datetime.fromtimestamp(time_s, UTC).astimezone()


def _clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M %Z}"
