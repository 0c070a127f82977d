"""``appliance doctor``, ``appliance sync status`` and ``appliance config``: how the box is, in words."""

import argparse
from dataclasses import asdict, replace
from datetime import datetime

from appliance.config import changed_settings
from appliance.errors import UnavailableError
from appliance.programs.cli.line import show_line
from appliance.programs.cli.opened import opened_box, settings
from appliance.programs.cli.output import FINE, PROBLEM, say, sentence, show
from appliance.programs.cli.parsing import Commands, add_command, add_group
from appliance.services.backlog import explain_backlog, sentences_of
from appliance.services.checks import problems
from appliance.services.checks.disk import disk_problem
from appliance.services.checks.storage import closed_problem, storage_problem
from appliance.services.condition import NOTE, Condition, Problem, observe
from appliance.services.device_key_rotation import DeviceKeyRotation
from appliance.services.enrolment import EnrolmentStore
from appliance.services.founding import DATABASE_KEY
from appliance.services.key_rotation import KeyRotation
from appliance.services.sealing import read_seal
from appliance.store.disk import look_at_disk
from appliance.store.line import LineStore
from appliance.store.signal import SignalStore


def add(commands: Commands) -> None:
    """Adds ``doctor``, ``sync status``, ``sync line`` and ``config``."""
    add_command(commands, "doctor", "say what is wrong and what to do about it", examine)
    sync = add_group(commands, "sync", "what has reached the hub")
    add_command(sync, "status", "say what is recorded, received and pending, and how the line is", sync_status)
    add_command(sync, "line", "say what the line carries, beside what is recommended for the school", show_line)
    config = add_command(commands, "config", "show the settings of this box", show_settings)
    config.add_argument("--changes", action="store_true", help="only what differs from the defaults")


def examine(arguments: argparse.Namespace) -> int:
    """Runs every health check; ``PROBLEM`` if one found something that somebody has to mend."""
    found = _found()
    rows = [
        {
            "code": one.code,
            "severity": one.severity,
            "what": sentence(one.code, one.fields),
            "means": sentence(one.code, one.fields, "means"),
            "next": sentence(one.code, one.fields, "next"),
            **one.fields,
        }
        for one in found
    ]
    lines = [f"{row['what']}\n    {row['means']}\n    → {row['next']}  [{row['code']}]" for row in rows]
    ill = any(one.severity != NOTE for one in found)
    show({"problems": rows}, arguments.json, "\n".join(lines if ill else [say("doctor-well"), *lines]))
    return PROBLEM if ill else FINE


def sync_status(arguments: argparse.Namespace) -> int:
    """Says what is recorded, received and pending, and how the line is."""
    condition = _condition()
    line = condition.sync.value if condition.sync is not None else {}
    result: dict[str, object] = {
        "recorded": condition.recorded,
        "receipted": condition.receipted,
        "pending": condition.pending,
        "enrolled": condition.enrolled,
        "line": line,
    }
    backlog = explain_backlog(condition, _line_bit_s())
    result["backlog"] = {**asdict(backlog), "waiting": backlog.waiting.value}
    recorded, receipted, pending = condition.recorded, condition.receipted, condition.pending
    words = [say("sync-counts", recorded=recorded, receipted=receipted, pending=pending)]
    if not condition.enrolled:
        words.append(say("sync-line-none"))
    else:
        words.append(say("sync-line-up") if line.get("connected") else say("sync-line-down"))
    if condition.pending:
        words.append(" ".join(sentence(code, fields) for code, fields in sentences_of(backlog)))
    if condition.oldest_pending_ms is not None:
        since = datetime.fromtimestamp(condition.oldest_pending_ms / 1000).astimezone()
        words.append(say("sync-oldest", at=f"{since:%Y-%m-%d %H:%M}"))
    show(result, arguments.json, "\n".join(words))
    return FINE


def show_settings(arguments: argparse.Namespace) -> int:
    """Prints the settings as they came out of all files, or what differs from the defaults."""
    chosen = settings()
    changed = changed_settings(chosen)
    if arguments.changes:
        rows = {name: {"default": before, "now": now} for name, (before, now) in changed.items()}
        lines = [say("config-changed", name=name, now=now, default=before) for name, (before, now) in changed.items()]
        show(rows, arguments.json, "\n".join(lines) if lines else say("config-none"))
        return FINE
    everything = {
        f"{section}.{name}": str(value)
        for section, table in vars(chosen).items()
        for name, value in vars(table).items()
    }
    lines = [f"{name} = {value}{'    *' if name in changed else ''}" for name, value in everything.items()]
    show(everything, arguments.json, "\n".join(lines))
    return FINE


def _found() -> list[Problem]:
    try:
        return problems(_condition())
    except UnavailableError as error:
        # The database does not open: the disk below it can still be asked.
        disk = look_at_disk(settings().box.state_dir)
        return [storage_problem(disk) or disk_problem(disk) or closed_problem(error.code)]


def _line_bit_s() -> int | None:
    with opened_box() as box:
        latest = LineStore(box.database).latest()
    return None if latest is None else latest.bit_s


def _condition() -> Condition:
    with opened_box() as box:
        enrolled = EnrolmentStore(box.database).find() is not None
        chosen = settings()
        unfinished = KeyRotation(box.database.path, DATABASE_KEY).unfinished
        device_unfinished = DeviceKeyRotation(box).unfinished
        seal = read_seal(chosen.keys.status)
        seen = observe(box, SignalStore(box.database), enrolled, chosen.reader.name, seal)
        return replace(seen, rotation_unfinished=unfinished, device_rotation_unfinished=device_unfinished)
