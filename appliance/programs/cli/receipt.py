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
from appliance.ledger.key_file import read_keys, write_keys
from appliance.ledger.keys import KeyFormError, VerifyingKey
from appliance.ledger.receipt import Claim, VerifiedReceipt, open_receipt, read_claim
from appliance.ledger.signers import Pinned, Signers
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
    """Public keys that are believed, and the file that they came from: None for what the box itself knows, which it
    knows of its ledger ``origin``."""

    keys: Pinned
    file: Path | None
    origin: str | None = None

    def fits(self, claim: Claim) -> bool:
        """Whether they may have signed what a receipt claims to be."""
        return self.origin in (None, claim.origin) and claim.box_key in Signers.of(self.keys)


def add(commands: Commands) -> None:
    """Adds ``receipt verify`` and ``receipt key``."""
    receipts = add_group(commands, "receipt", "check a receipt that somebody brings")
    check = add_command(receipts, "verify", "check a receipt offline", verify_receipt)
    forms = "the receipt: its bytes, its text beginning with MDG1:, or a photo or screenshot (PNG, JPEG, WebP)"
    check.add_argument("file", type=Path, help=f"{forms}; - reads from standard input")
    several = "may be given several times, the right one is found by its id"
    for option, whose in (("--box-key", "a box; default: this box's"), ("--hub-key", "a hub")):
        text = f"public keys of {whose}, as receipt key prints them; {several}"
        check.add_argument(option, type=Path, metavar="FILE", action="append", default=[], help=text)
    key = add_command(receipts, "key", "print the public key that others verify this box's receipts with", show_key)
    key.add_argument("--hub", action="store_true", help="the key of the hub that confirms them, instead of the box's")
    key.add_argument("--archive", action="store_true", help="the key that seals each day for the archive (ML-DSA-65)")


def verify_receipt(arguments: argparse.Namespace) -> int:
    """Tells apart whose receipt it is, whether it is unchanged, and whether the hub confirmed it, and when."""
    data = receipt_in(read_bounded(arguments.file))
    boxes, hubs = _keys(arguments.box_key, arguments.hub_key)
    claim = read_claim(data)
    box = next((one for one in boxes if one.fits(claim)), None)
    if box is None:
        return _show_unknown(claim, arguments.json)
    hub = None if claim.hub_key is None else hubs.get(claim.hub_key)
    try:
        found = open_receipt(data, claim.origin, box.keys, hub)
    except UntrustedError as error:
        return _show_bad(claim, box, error, arguments.json)
    return _show_good(claim, box, found, arguments.json)


def show_key(arguments: argparse.Namespace) -> int:
    """Prints the box's, the hub's or the archive's public keys, as ``--box-key``, ``--hub-key`` and ``--archive-key``
    take them; several keys of the box have the size of the ledger from which on each signs."""
    if arguments.archive:
        return _show_archive_key(arguments.json)
    with opened_box() as box:
        hub = _hub_key(box)
        keys = box.ledger.keys
    if arguments.hub:
        if hub is None:
            raise NoHubKeyError()
        keys = Signers.of(hub)
    rows = [{"key": one.key.key_id.hex(), "from": one.size, "pem": one.key.pem().decode()} for one in keys.periods]
    newest = {name: rows[-1][name] for name in ("key", "pem")}
    show({**newest, "keys": rows}, arguments.json, write_keys(keys).rstrip())
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


def _keys(box_files: list[Path], hub_files: list[Path]) -> tuple[list[Known], dict[bytes, VerifyingKey]]:
    """The keys of boxes, and those of hubs by key id; without a file for a box, those that this box knows."""
    boxes = _read(box_files)
    hubs = {one.key.key_id: one.key for known in _read(hub_files) for one in Signers.of(known.keys).periods}
    if box_files:
        return boxes, hubs
    try:
        with opened_box() as box:
            own, hub = generations(box.database), _hub_key(box)
    except CredentialError as error:
        raise NoKeyError() from error
    if hub is not None:
        hubs[hub.key_id] = hub
    return [Known(one.keys, None, one.origin) for one in own], hubs


def _hub_key(box: OpenBox) -> VerifyingKey | None:
    enrolment = EnrolmentStore(box.database).find()
    return None if enrolment is None else VerifyingKey.from_pem(enrolment.hub_key.encode())


def _read(files: list[Path]) -> list[Known]:
    known = []
    for file in files:
        try:
            known += [Known(keys, file) for keys in read_keys(file.read_bytes())]
        except KeyFormError as error:
            error.fields["file"] = str(file)
            raise
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
