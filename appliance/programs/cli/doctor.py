"""``appliance doctor``, ``appliance sync status`` and ``appliance config``: how the box is, in words."""

import argparse
from datetime import datetime

from appliance.config import changed_settings
from appliance.programs.cli.opened import opened_box, settings
from appliance.programs.cli.output import FINE, PROBLEM, sentence, show
from appliance.services.checks import problems
from appliance.services.condition import Condition, observe
from appliance.services.enrolment import EnrolmentStore
from appliance.store.signal import SignalStore


def add(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    doctor = commands.add_parser("doctor", help="say what is wrong and what to do about it")
    doctor.add_argument("--json", action="store_true")
    doctor.set_defaults(run=examine)
    sync = commands.add_parser("sync", help="what has reached the hub")
    status = sync.add_subparsers(metavar="status", required=True).add_parser("status")
    status.add_argument("--json", action="store_true")
    status.set_defaults(run=sync_status)
    config = commands.add_parser("config", help="the settings of this box")
    config.add_argument("--changes", action="store_true", help="only what differs from the defaults")
    config.add_argument("--json", action="store_true")
    config.set_defaults(run=show_settings)


def examine(arguments: argparse.Namespace) -> int:
    found = problems(_condition())
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
    show({"problems": rows}, arguments.json, "\n".join(lines) if lines else "順調です。")
    return PROBLEM if found else FINE


def sync_status(arguments: argparse.Namespace) -> int:
    condition = _condition()
    line = condition.sync.value if condition.sync is not None else {}
    result = {
        "recorded": condition.recorded,
        "receipted": condition.receipted,
        "pending": condition.pending,
        "enrolled": condition.enrolled,
        "line": line,
    }
    connected = "つながっています" if line.get("connected") else "切れています"
    words = [f"記録 {condition.recorded} 件 = 県が受領 {condition.receipted} 件 + 未着 {condition.pending} 件"]
    words.append(f"回線: {connected if condition.enrolled else '未登録です'}")
    if condition.oldest_pending_ms is not None:
        since = datetime.fromtimestamp(condition.oldest_pending_ms / 1000).astimezone()
        words.append(f"いちばん古い未着の記録: {since:%Y-%m-%d %H:%M}")
    show(result, arguments.json, "\n".join(words))
    return FINE


def show_settings(arguments: argparse.Namespace) -> int:
    chosen = settings()
    changed = changed_settings(chosen)
    if arguments.changes:
        rows = {name: {"default": before, "now": now} for name, (before, now) in changed.items()}
        lines = [f"{name} = {now}    （初期値 {before}）" for name, (before, now) in changed.items()]
        show(rows, arguments.json, "\n".join(lines) if lines else "すべて初期値のままです。")
        return FINE
    everything = {
        f"{section}.{name}": str(value)
        for section, table in vars(chosen).items()
        for name, value in vars(table).items()
    }
    lines = [f"{name} = {value}{'    *' if name in changed else ''}" for name, value in everything.items()]
    show(everything, arguments.json, "\n".join(lines))
    return FINE


def _condition() -> Condition:
    box = opened_box()
    enrolled = EnrolmentStore(box.database).find() is not None
    return observe(box, SignalStore(box.database), enrolled)
