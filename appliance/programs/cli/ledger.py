"""``appliance ledger verify|show|receipt|seal|export|evidence``: what the box proves to itself, and to others."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from appliance.config import CredentialSource
from appliance.errors import MadoguchiError, UntrustedError
from appliance.ledger.entry import type_label
from appliance.ledger.keys import VerifyingKey
from appliance.ledger.receipt import receipt_text
from appliance.programs.cli.evidence import add_evidence
from appliance.programs.cli.export import add_export
from appliance.programs.cli.opened import opened_box, settings
from appliance.programs.cli.output import FINE, PROBLEM, say, show, show_progress, state
from appliance.programs.cli.parsing import Commands, add_command, add_generation, add_group, named_place
from appliance.programs.cli.seal import add_seal, seal_fields, seal_words
from appliance.services.audit import Audit, audit, audit_earlier, audit_pages
from appliance.services.check_in import receipt_number
from appliance.services.enrolment import EnrolmentStore
from appliance.services.founding import DATABASE_KEY
from appliance.services.generations import find_generation
from appliance.services.opening import DATABASE_NAME
from appliance.store.faults import StoreError, WrongKeyError

SHOWN_FAULTS = 20
"""Lines of what the database says of itself: a file that is damaged all over has one for every page."""
SHOWN_CHARACTERS = 500


def add(commands: Commands) -> None:
    """Adds ``ledger verify``, ``show``, ``receipt``, ``seal``, ``export`` and ``evidence``."""
    parts = add_group(commands, "ledger", "look at the box's own records and prove them")
    whole = add_command(parts, "verify", "check every entry, the tree and its signature", verify)
    listing = add_command(parts, "show", "list entries, the latest last", show_entries)
    listing.add_argument("--last", type=int, default=20, metavar="N", help="how many (default 20)")
    one = add_command(parts, "receipt", "print the receipt of one entry", receipt)
    one.add_argument("number", help="index of the entry, or a number such as M-000123")
    one.add_argument("--out", type=Path, metavar="FILE", help="also write the receipt's bytes here")
    for command in (whole, listing, one):
        add_generation(command)
    add_seal(parts)
    add_export(parts)
    add_evidence(parts)


def verify(arguments: argparse.Namespace) -> int:
    """Checks the database file, every entry with its body, the tree, its signatures and the noted head."""
    found = _audited(arguments.generation)
    named = {type_label(number): count for number, count in sorted(found.counts.items())}
    result: dict[str, object] = {
        "verify": "ok" if found.good else "failed",
        "origin": found.origin,
        "entries": found.size,
        "receipted": found.cosigned,
        "pending": found.size - found.cosigned,
        "types": named,
        "faults": [_fields(fault) for fault in found.faults],
        "database": found.database,
        "erased_later": found.told_later,
        "archive": None if found.seals is None else seal_fields(found.seals),
        "earlier": [_counted(one) for one in found.earlier],
        "mirrors": [_counted(one) for one in found.mirrors],
    }
    if found.faults:
        result |= _fields(found.faults[0])
        lines = _all_words(found)
    else:
        lines = [say("ledger-good", origin=found.origin, count=found.size)]
        lines += [say("ledger-delivery", receipted=found.cosigned, pending=found.size - found.cosigned)]
        lines += [] if found.seals is None else seal_words(found.seals)
        lines += [f"  {count:6}  {label}" for label, count in named.items()]
        if found.told_later:
            lines.append(say("ledger-erased-later", count=found.told_later))
    for one in found.earlier:
        lines += [say("ledger-earlier", origin=one.origin, count=one.size), *_all_words(one)]
    for one in found.mirrors:
        lines += [say("ledger-mirror", origin=one.origin, count=one.size), *_all_words(one)]
    lines += [say("ledger-damage", fault=fault[:SHOWN_CHARACTERS]) for fault in found.database[:SHOWN_FAULTS]]
    if len(found.database) > SHOWN_FAULTS:
        lines.append(say("ledger-damage-more", count=len(found.database) - SHOWN_FAULTS))
    if not found.good:
        lines.append(say("ledger-next"))
    show(result, arguments.json, "\n".join(lines))
    return FINE if found.good else PROBLEM


def _audited(generation: int | None) -> Audit:
    try:
        with opened_box() as box:
            enrolment = EnrolmentStore(box.database).find()
            hub = None if enrolment is None else VerifyingKey.from_pem(enrolment.hub_key.encode())
            ledger = find_generation(box, generation)
            if ledger is not box.ledger:
                return audit_earlier(box.database, ledger, hub, show_progress)
            return audit(box, hub, show_progress)
    except (StoreError, WrongKeyError) as error:
        return audit_pages(settings().box.state_dir / DATABASE_NAME, CredentialSource(DATABASE_KEY), error)


def _counted(found: Audit) -> dict[str, object]:
    return {"origin": found.origin, "entries": found.size, "faults": [_fields(fault) for fault in found.faults]}


def _fields(fault: MadoguchiError) -> dict[str, object]:
    return {"error": fault.code, **fault.fields}


def _all_words(found: Audit) -> list[str]:
    return [line for fault in found.faults for line in _words(fault)]


def _words(fault: MadoguchiError) -> list[str]:
    """What is wrong and where; what to do about it is the same for all, and stands below them."""
    bad = isinstance(fault, UntrustedError)
    lines = [say("ledger-bad", reason=state(fault)) if bad else say("ledger-unchecked", reason=str(fault))]
    if (index := fault.fields.get("index")) is not None:
        lines.append(say("ledger-record", index=index))
    if (first := fault.fields.get("first")) is not None:
        lines.append(say("ledger-where", first=first, last=fault.fields.get("last", first)))
    return lines


def show_entries(arguments: argparse.Namespace) -> int:
    """Lists the last entries, one line each."""
    with opened_box() as box:
        ledger = find_generation(box, arguments.generation)
        head = ledger.head()
        for index in range(max(0, head.size - max(0, arguments.last)), head.size):
            entry, received = ledger.entry(index), index < head.cosigned_size
            at = datetime.fromtimestamp(entry.wall_ms / 1000, UTC).astimezone()
            row = {
                "index": index,
                "type": type_label(entry.type),
                "at": at.isoformat(timespec="milliseconds"),
                "actor": entry.actor,
                "subject": entry.subject,
                "received": received,
            }
            where = say("ledger-received") if received else say("ledger-waiting")
            show(row, arguments.json, f"{index:7}  {at:%Y-%m-%d %H:%M:%S}  {where}  {type_label(entry.type)}")
    return FINE


def receipt(arguments: argparse.Namespace) -> int:
    """Prints the receipt of one entry as the text of its QR code."""
    index, generation = named_place(arguments)
    with opened_box() as box:
        ledger = find_generation(box, generation)
        generation = None if ledger is box.ledger else generation
        data, confirmed = ledger.receipt(index), ledger.confirmation(index) is not None
    if arguments.out is not None:
        arguments.out.write_bytes(data)
    text = receipt_text(data)
    result = {"number": receipt_number(index, generation), "confirmed": confirmed, "bytes": len(data), "text": text}
    show(result, arguments.json, text)
    return FINE
