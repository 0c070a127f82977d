"""``appliance ledger verify|show|receipt`` and ``appliance receipt verify``."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from appliance.errors import RefusedError, UntrustedError
from appliance.ledger.entry import type_label
from appliance.ledger.keys import VerifyingKey
from appliance.ledger.receipt import (
    PREFIX,
    open_receipt,
    parse_receipt_text,
    receipt_origin,
    receipt_text,
)
from appliance.ledger.verify import verify_ledger
from appliance.programs.cli.opened import opened_box
from appliance.programs.cli.output import FINE, PROBLEM, explain, say, show
from appliance.programs.cli.parsing import Commands, add_command, add_group
from appliance.services.check_in import receipt_number
from appliance.services.enrolment import EnrolmentStore
from appliance.store.database import StoreError

MOST_DIGITS = 18
"""As many as fit an SQLite integer."""


class ReceiptNumberError(RefusedError):
    """Not an entry's index and not a receipt number such as ``M-000123``."""

    code = "receipt.number"


def add(commands: Commands) -> None:
    """Adds ``ledger verify``, ``ledger show``, ``ledger receipt`` and ``receipt verify``."""
    parts = add_group(commands, "ledger", "look at the box's own records and prove them")
    add_command(parts, "verify", "check every entry, the tree and its signature", verify)
    listing = add_command(parts, "show", "list entries, the latest last", show_entries)
    listing.add_argument("--last", type=int, default=20, metavar="N", help="how many (default 20)")
    one = add_command(parts, "receipt", "print the receipt of one entry", receipt)
    one.add_argument("number", help="index of the entry, or a number such as M-000123")
    one.add_argument("--out", type=Path, metavar="FILE", help="also write the receipt's bytes here")
    receipts = add_group(commands, "receipt", "check a receipt that somebody brings")
    check = add_command(receipts, "verify", "check a receipt offline", verify_receipt)
    check.add_argument("file", type=Path, help="the receipt: its bytes, or its text beginning with MDG1:")
    check.add_argument("--box-key", type=Path, metavar="FILE", help="public key (PEM) of the box; default: this box's")
    check.add_argument("--hub-key", type=Path, metavar="FILE", help="public key (PEM) of the hub, with --box-key")


def verify(arguments: argparse.Namespace) -> int:
    """Checks the database file, then every entry with its body, the tree and the signature of its head."""
    with opened_box() as box:
        head, origin = box.ledger.head(), box.school.origin
        faults = box.database.check()
        try:
            stored = ((one.entry, one.body) for one in box.ledger.items(0, head.size))
            found = verify_ledger(stored, head.checkpoint, origin, box.ledger.public_key)
        except (UntrustedError, StoreError) as error:
            bad = {"verify": "failed", "error": error.code, **error.fields, "database": faults}
            words = "ledger-bad" if isinstance(error, UntrustedError) else "ledger-unchecked"
            lines = [say(words, reason=explain(error)), *(say("ledger-damage", fault=fault) for fault in faults)]
            show(bad, arguments.json, "\n".join(lines))
            return PROBLEM
    named = {type_label(number): count for number, count in sorted(found.counts.items())}
    result = {
        "verify": "ok" if not faults else "failed",
        "origin": origin,
        "entries": found.size,
        "receipted": head.cosigned_size,
        "pending": head.size - head.cosigned_size,
        "types": named,
        "database": faults,
    }
    lines = [say("ledger-good", origin=origin, count=found.size)]
    lines += [say("ledger-delivery", receipted=head.cosigned_size, pending=head.size - head.cosigned_size)]
    lines += [f"  {count:6}  {label}" for label, count in named.items()]
    lines += [say("ledger-damage", fault=fault) for fault in faults]
    show(result, arguments.json, "\n".join(lines))
    return PROBLEM if faults else FINE


def show_entries(arguments: argparse.Namespace) -> int:
    """Lists the last entries, one line each."""
    with opened_box() as box:
        head = box.ledger.head()
        for index in range(max(0, head.size - max(0, arguments.last)), head.size):
            entry, received = box.ledger.entry(index), index < head.cosigned_size
            at = datetime.fromtimestamp(entry.wall_ms / 1000, UTC).astimezone()
            row = {
                "index": index,
                "type": type_label(entry.type),
                "at": at.isoformat(timespec="milliseconds"),
                "actor": entry.actor,
                "subject": entry.subject,
                "received": received,
            }
            state = say("ledger-received") if received else say("ledger-waiting")
            show(row, arguments.json, f"{index:7}  {at:%Y-%m-%d %H:%M:%S}  {state}  {type_label(entry.type)}")
    return FINE


def receipt(arguments: argparse.Namespace) -> int:
    """Prints the receipt of one entry as the text of its QR code."""
    index = _entry_index(arguments.number)
    with opened_box() as box:
        data = box.ledger.receipt(index)
        confirmed = box.ledger.confirmation(index) is not None
    if arguments.out is not None:
        arguments.out.write_bytes(data)
    text = receipt_text(data)
    result = {"number": receipt_number(index), "confirmed": confirmed, "bytes": len(data), "text": text}
    show(result, arguments.json, text)
    return FINE


def verify_receipt(arguments: argparse.Namespace) -> int:
    """Checks a receipt with the keys that were given, or else with those this box knows."""
    raw = arguments.file.read_bytes()
    # What is no ASCII is no receipt either, and is told so where the text is read.
    data = parse_receipt_text(raw.decode("ascii", "replace").strip()) if raw.startswith(PREFIX.encode()) else raw
    origin = receipt_origin(data)
    found = open_receipt(data, origin, *_keys(arguments))
    at = datetime.fromtimestamp(found.entry.wall_ms / 1000, UTC).astimezone()
    confirmed = None
    if found.cosignature is not None:
        confirmed = datetime.fromtimestamp(found.cosignature.time_s, UTC).astimezone()
    number, kind = receipt_number(found.index), type_label(found.entry.type)
    result = {
        "verify": "ok",
        "issuer": origin,
        "number": number,
        "type": kind,
        "recorded": at.isoformat(),
        "confirmed": None if confirmed is None else confirmed.isoformat(),
        "confirmed_by": None if found.cosignature is None else found.cosignature.signer,
    }
    words = [
        say("receipt-box", origin=origin),
        say("receipt-content", number=number, type=kind, at=f"{at:%Y-%m-%d %H:%M}"),
        say("receipt-unconfirmed") if confirmed is None else say("receipt-confirmed", at=f"{confirmed:%Y-%m-%d %H:%M}"),
    ]
    show(result, arguments.json, "\n".join(words))
    return FINE


def _entry_index(number: str) -> int:
    text = number.upper().removeprefix("M-")
    if not text.isascii() or not text.isdigit() or len(text) > MOST_DIGITS:
        raise ReceiptNumberError()
    return int(text)


def _keys(arguments: argparse.Namespace) -> tuple[VerifyingKey, VerifyingKey | None]:
    """The keys of box and hub."""
    if arguments.box_key is not None:
        hub_file = arguments.hub_key
        hub_key = None if hub_file is None else VerifyingKey.from_pem(hub_file.read_bytes())
        return VerifyingKey.from_pem(arguments.box_key.read_bytes()), hub_key
    with opened_box() as box:
        enrolment = EnrolmentStore(box.database).find()
        return box.ledger.public_key, None if enrolment is None else VerifyingKey.from_pem(enrolment.hub_key.encode())
