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
from appliance.programs.cli.output import FINE, PROBLEM, explain, show
from appliance.services.check_in import receipt_number
from appliance.services.enrolment import EnrolmentStore


class ReceiptNumberError(RefusedError):
    """Not an entry's index and not a receipt number such as ``M-000123``."""

    code = "receipt.number"


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    ledger = commands.add_parser("ledger", help="look at the box's own records and prove them")
    parts = ledger.add_subparsers(metavar="verify|show|receipt", required=True)
    for name, run, text in (
        ("verify", verify, "check every entry, the tree and its signature"),
        ("show", show_entries, "list entries, the latest last"),
        ("receipt", receipt, "print the receipt of one entry"),
    ):
        part = parts.add_parser(name, help=text)
        part.add_argument("--json", action="store_true")
        part.set_defaults(run=run)
        if name == "show":
            part.add_argument("--last", type=int, default=20, metavar="N", help="how many (default 20)")
        if name == "receipt":
            part.add_argument("number", help="index of the entry, or a number such as M-000123")
            part.add_argument("--out", type=Path, help="write the receipt's bytes here")
    receipts = commands.add_parser("receipt", help="check a receipt that somebody brings")
    check = receipts.add_subparsers(metavar="verify", required=True).add_parser("verify", help="check it offline")
    check.add_argument("file", type=Path, help="the receipt: its bytes, or its text beginning with MDG1:")
    check.add_argument("--box-key", type=Path, help="public key of the box (PEM); this box's own without it")
    check.add_argument("--hub-key", type=Path, help="public key of the hub (PEM)")
    check.add_argument("--json", action="store_true")
    check.set_defaults(run=verify_receipt)


def verify(arguments: argparse.Namespace) -> int:
    box = opened_box()
    head = box.ledger.head()
    faults = box.database.check()
    try:
        stored = ((one.entry, one.body) for one in box.ledger.items(0, head.size))
        found = verify_ledger(stored, head.checkpoint, box.school.origin, box.ledger.public_key)
    except UntrustedError as error:
        show(
            {"verify": "failed", "error": error.code, **error.fields},
            arguments.json,
            f"台帳が 正しく ありません: {explain(error)}",
        )
        return PROBLEM
    named = {type_label(number): count for number, count in sorted(found.counts.items())}
    result = {
        "verify": "ok" if not faults else "failed",
        "origin": box.school.origin,
        "entries": found.size,
        "receipted": head.cosigned_size,
        "pending": head.size - head.cosigned_size,
        "types": named,
        "database": faults,
    }
    lines = [f"台帳 {box.school.origin}", f"{found.size} 件。木と 署名は 正しいです。"]
    lines += [f"  県が 受領 {head.cosigned_size} 件、送信待ち {head.size - head.cosigned_size} 件"]
    lines += [f"  {count:6}  {label}" for label, count in named.items()]
    lines += [f"データベースの 異常: {fault}" for fault in faults]
    show(result, arguments.json, "\n".join(lines))
    return PROBLEM if faults else FINE


def show_entries(arguments: argparse.Namespace) -> int:
    box = opened_box()
    head = box.ledger.head()
    first = max(0, head.size - max(0, arguments.last))
    for index in range(first, head.size):
        entry = box.ledger.entry(index)
        at = datetime.fromtimestamp(entry.wall_ms / 1000, UTC).astimezone()
        received = index < head.cosigned_size
        row = {
            "index": index,
            "type": type_label(entry.type),
            "at": at.isoformat(timespec="milliseconds"),
            "actor": entry.actor,
            "subject": entry.subject,
            "received": received,
        }
        words = f"{index:7}  {at:%Y-%m-%d %H:%M:%S}  {'受領' if received else '待ち'}  {type_label(entry.type)}"
        show(row, arguments.json, words)
    return FINE


def receipt(arguments: argparse.Namespace) -> int:
    box = opened_box()
    text = arguments.number.upper().removeprefix("M-")
    if not text.isascii() or not text.isdigit():
        raise ReceiptNumberError()
    data = box.ledger.receipt(int(text))
    if arguments.out is not None:
        arguments.out.write_bytes(data)
    confirmed = box.ledger.confirmation(int(text)) is not None
    result = {
        "number": receipt_number(int(text)),
        "confirmed": confirmed,
        "bytes": len(data),
        "text": receipt_text(data),
    }
    show(result, arguments.json, receipt_text(data))
    return FINE


def verify_receipt(arguments: argparse.Namespace) -> int:
    raw = arguments.file.read_bytes()
    data = parse_receipt_text(raw.decode().strip("\n")) if raw.startswith(PREFIX.encode()) else raw
    origin = receipt_origin(data)
    if arguments.box_key is not None:
        box_key = VerifyingKey.from_pem(arguments.box_key.read_bytes())
        hub_key = VerifyingKey.from_pem(arguments.hub_key.read_bytes()) if arguments.hub_key is not None else None
    else:
        box = opened_box()
        enrolment = EnrolmentStore(box.database).find()
        box_key = box.ledger.public_key
        hub_key = None if enrolment is None else VerifyingKey.from_pem(enrolment.hub_key.encode())
    found = open_receipt(data, origin, box_key, hub_key)
    at = datetime.fromtimestamp(found.entry.wall_ms / 1000, UTC).astimezone()
    confirmed = None
    if found.cosignature is not None:
        confirmed = datetime.fromtimestamp(found.cosignature.time_s, UTC).astimezone()
    result = {
        "verify": "ok",
        "issuer": origin,
        "number": receipt_number(found.index),
        "type": type_label(found.entry.type),
        "recorded": at.isoformat(),
        "confirmed": None if confirmed is None else confirmed.isoformat(),
        "confirmed_by": None if found.cosignature is None else found.cosignature.signer,
    }
    words = [
        f"発行した 箱: {origin}（署名は 本物です）",
        f"内容: {receipt_number(found.index)} {type_label(found.entry.type)} {at:%Y-%m-%d %H:%M}（変わって いません）",
        f"県の 受領: {confirmed:%Y-%m-%d %H:%M}" if confirmed is not None else "県の 受領: まだ 確認できません",
    ]
    show(result, arguments.json, "\n".join(words))
    return FINE
