"""``appliance ledger export`` and ``appliance export verify``: the records as a file, and the check of such a file."""

import argparse
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import chain
from pathlib import Path

from appliance.errors import RefusedError
from appliance.ledger.archive_keys import ArchiveVerifyingKey
from appliance.ledger.entry import type_label
from appliance.ledger.export import Confirmed, ExportFormError, Header, Item, read_export, write_export
from appliance.ledger.export_check import VerifiedExport, header_keys, verify_export
from appliance.ledger.key_file import read_keys
from appliance.ledger.keys import VerifyingKey
from appliance.ledger.signers import Signers
from appliance.ledger.verify import Sealed
from appliance.programs.cli.opened import opened_box
from appliance.programs.cli.output import FINE, PROBLEM, CommandFileError, say, show, show_progress
from appliance.programs.cli.parsing import Commands, add_command, add_generation, add_group
from appliance.programs.cli.seal import seal_fields, seal_words
from appliance.programs.cli.whole_file import CHUNK_BYTES, write_whole
from appliance.services.export import export_ledger

LAST_S = 253_370_764_800
"""9999-01-01: a foreign file may claim any time, and a calendar ends."""


class FileExistsAlreadyError(RefusedError):
    """The file is there already, and ``--force`` was not given."""

    code = "export.exists"


def add(commands: Commands) -> None:
    """Adds ``export verify``."""
    parts = add_group(commands, "export", "check an exported ledger that somebody brings")
    check = add_command(parts, "verify", "check an exported ledger offline", verify)
    check.add_argument("file", type=Path, help="what appliance ledger export wrote")
    text = "public keys of the box, as appliance receipt key prints them; the first one is enough"
    check.add_argument("--box-key", type=Path, metavar="PEM", action="append", default=[], help=text)
    text = "public keys of the hub, as appliance receipt key --hub prints them; several times after a change of it"
    check.add_argument("--hub-key", type=Path, metavar="PEM", action="append", default=[], help=text)
    text = "public key (PEM) of the archive; several times after a change of it; default: as the ledger itself says"
    check.add_argument("--archive-key", type=Path, metavar="PEM", action="append", default=[], help=text)


def add_export(parts: Commands) -> None:
    """Adds ``export`` to the commands of ``ledger``."""
    one = add_command(parts, "export", "write the records to a file that others can check", export)
    one.add_argument("--out", type=Path, required=True, metavar="FILE", help="the file to write")
    one.add_argument("--bodies", action="store_true", help="with the personal contents that were not erased")
    one.add_argument("--first", type=int, metavar="N", help="only the first N records")
    add_generation(one)
    one.add_argument("--force", action="store_true", help="replace the file if it is there already")


def export(arguments: argparse.Namespace) -> int:
    """Writes the ledger to a file that appears under its name only when it is complete."""
    out: Path = arguments.out
    if out.exists() and not (arguments.force and out.is_file()):  # what is no file, such as a device, is not replaced
        raise FileExistsAlreadyError(file=str(out))
    written = _Written()
    with opened_box() as box:
        items = export_ledger(
            box,
            first=arguments.first,
            bodies=arguments.bodies,
            generation=arguments.generation,
            progress=show_progress,
        )
        try:
            written.bytes = write_whole(out, write_export(written.seen(items)))
        except OSError as error:
            raise CommandFileError(file=str(out), reason=error.strerror or type(error).__name__) from error
    result = {
        "export": str(out),
        "origin": written.origin,
        "entries": written.entries,
        "bodies": written.bodies,
        "confirmed": written.confirmed,
        "bytes": written.bytes,
        "key": written.key_id,
    }
    lines = [
        say("export-written", file=str(out), entries=written.entries, bytes=written.bytes),
        say("export-personal", bodies=written.bodies) if arguments.bodies else say("export-impersonal"),
    ]
    show(result, arguments.json, "\n".join(lines))
    return FINE


class _Written:
    """What went into a file."""

    def __init__(self) -> None:
        self.origin = self.key_id = ""
        self.entries = self.bodies = self.confirmed = self.bytes = 0

    def seen(self, items: Iterable[Item]) -> Iterator[Item]:
        for item in items:
            match item:
                case Header():
                    self.origin, self.key_id = item.origin, item.signers.newest.key.key_id.hex()
                case Sealed():
                    self.entries += 1
                    self.bodies += item.body is not None
                case Confirmed():
                    self.confirmed = self.entries
            yield item


def verify(arguments: argparse.Namespace) -> int:
    """Tells apart whose ledger it is, whether it is unchanged, and how much of it the hub confirmed when."""
    pinned = [key for file in arguments.box_key for key in read_keys(file.read_bytes())]
    hubs = [VerifyingKey.from_pem(file.read_bytes()) for file in arguments.hub_key]
    archive = [ArchiveVerifyingKey.from_pem(file.read_bytes()) for file in arguments.archive_key] or None
    total = arguments.file.stat().st_size
    with arguments.file.open("rb") as file:
        items = read_export(_pieces(lambda: file.read(CHUNK_BYTES), total))
        header = next(items)
        if not isinstance(header, Header):
            raise ExportFormError(reason="header")
        if pinned and header.signers.first not in [Signers.of(one).first for one in pinned]:
            return _show_other(header, arguments.json)
        # Without a pinned key the file can still be compared with itself; whose it is stays open then, and is said so.
        found = verify_export(chain([header], items), pinned or header_keys(header), hubs, archive)
    known = bool(pinned)
    state = {**seal_fields(found.seals), "keys_known": archive is not None}
    result = {**_result(found, known=known), "archive": state}
    show(result, arguments.json, "\n".join(_words(found, known=known, archive_known=archive is not None)))
    return FINE if known else PROBLEM


def _show_other(header: Header, as_json: bool) -> int:
    key_id = header.signers.first.key_id.hex()
    result = {"verify": "unknown", **_issuer(header, known=False), "unchanged": None}
    show(result, as_json, say("export-issuer-other", origin=header.origin, key_id=key_id))
    return PROBLEM


def _issuer(header: Header, *, known: bool) -> dict[str, object]:
    ids = [period.key.key_id.hex() for period in header.signers.periods]
    return {"issuer": header.origin, "issuer_known": known, "issuer_keys": ids}


def _result(found: VerifiedExport, *, known: bool) -> dict[str, object]:
    header, last, state = found.header, found.confirmation, "confirmed"
    if last is None:
        state = "unknown_key" if found.confirmations else "not_yet"
    return {
        "verify": "ok" if known else "unknown",
        **_issuer(header, known=known),
        "unchanged": True,
        "entries": header.size,
        "whole": header.whole,
        "signed": _at(found.checkpoint.time_s).isoformat(),
        "exported": _at(header.time_s).isoformat(),
        "confirmation": state,
        "confirmed_entries": 0 if last is None else last.size,
        "confirmed": None if last is None else _at(last.time_s).isoformat(),
        "confirmed_by": None if last is None else last.signer,
        "bodies": found.bodies if header.bodies else None,
        "erased": found.erased if header.bodies else None,
        "erased_later": found.told_later if header.bodies else None,
        "later": [one.origin for one in header.later],
        "types": {type_label(number): count for number, count in sorted(found.counts.items())},
    }


def _words(found: VerifiedExport, *, known: bool, archive_known: bool) -> list[str]:
    header, last = found.header, found.confirmation
    origin, key_id = header.origin, header.signers.newest.key.key_id.hex()
    if known:
        lines = [say("export-issuer", origin=origin, key_id=key_id)]
    else:
        lines = [say("export-issuer-unknown", origin=origin, key_id=key_id)]
    lines.append(say("export-unchanged", entries=header.size, at=_clock(_at(found.checkpoint.time_s))))
    if not header.whole:
        lines.append(say("export-part"))
    if last is not None:
        lines.append(say("export-confirmed", entries=last.size, at=_clock(_at(last.time_s)), hub=last.signer))
    elif found.confirmations:
        lines.append(say("export-confirmation-unknown"))
    else:
        lines.append(say("export-unconfirmed"))
    lines += seal_words(found.seals)
    if found.seals.keys and not archive_known:
        lines.append(say("seal-key-unknown"))
    if header.bodies:
        lines.append(say("export-bodies", bodies=found.bodies, erased=found.erased))
    if found.told_later:
        lines.append(say("export-erased-later", count=found.told_later))
    return lines + [f"  {count:6}  {type_label(number)}" for number, count in sorted(found.counts.items())]


def _pieces(read: Callable[[], bytes], total: int) -> Iterator[bytes]:
    done = 0
    while piece := read():
        yield piece
        done += len(piece)
        show_progress(min(done, total), total)


def _at(time_s: int) -> datetime:
    return datetime.fromtimestamp(min(time_s, LAST_S), UTC).astimezone()


def _clock(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M}"
