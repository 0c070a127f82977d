"""``scripts/demo --once``: one guardian's visit through the real programs, with its timeline."""

import json
import time
from collections.abc import Callable
from typing import Any

from tests.sim.visit import register_and_visit, timeline
from tests.sim.visitor import Guardian
from tests.sim.world import World

CARD = "card-01"
OFFLINE_S = 1.0
CONFIRM_S = 60.0
WORDS = {
    "card_seen": "カードが置かれた",
    "certificate_read": "証明書を読み、確かめた",
    "pin_asked": "暗証番号をきいた",
    "signed": "カードが署名した",
    "committed": "署名つきの記録を 暗号化データベースに書いた",
    "sent": "県のハブへ送った",
    "cosigned": "ハブが確かめ、連署した",
    "receipt_at_kiosk": "受領が 受付端末に届いた",
}


def play(world: World, offline_first: bool, say: Callable[[dict[str, Any]], None]) -> int:
    """Plays the visit and reports each step; 0 if the hub's receipt arrived and nothing is pending."""
    if offline_first:
        world.line.cut()
        say({"event": "line_cut"})

    def on_committed(visitor: Guardian) -> None:
        if not offline_first:
            return
        time.sleep(OFFLINE_S)  # long enough for the box to have sent, had there been a way
        status = json.loads(world.appliance("sync", "status", "--json"))
        say({"event": "offline", "screen": visitor.wait_for("done")["step"], "pending": status["pending"]})
        world.line.restore()
        say({"event": "line_restored"})

    visitor = register_and_visit(world, CARD, world.guardian_ids()[0], on_committed)
    visitor.wait_until_confirmed(CONFIRM_S)
    entry = _entry(world)
    steps = [{"name": one.name, "ms": one.ms, "program": one.program} for one in timeline(world, entry)]
    for step in steps:
        say({"event": "step", **step})
    world.stage.remove()
    visitor.wait_for("waiting")
    status = json.loads(world.appliance("sync", "status", "--json"))
    verified = json.loads(world.appliance("ledger", "verify", "--json"))
    receipted = status["receipted"] > entry and verified["verify"] == "ok"
    done = {
        "event": "done",
        "receipted": receipted,
        "entries": status["recorded"],
        "pending": status["pending"],
        "steps": steps,
    }
    say(done)
    return 0 if receipted and status["pending"] == 0 and len(steps) == len(WORDS) else 1


def in_words(message: dict[str, Any]) -> str:
    """A message of ``play`` for a person."""
    match message["event"]:
        case "line_cut":
            return "回線を切りました。受付はこのまま続けられます。"
        case "offline":
            return f"回線が切れたまま受付が終わりました（県に未着 {message['pending']} 件）。"
        case "line_restored":
            return "回線をつなぎました。"
        case "step":
            return f"{message['ms']:7} ms  {WORDS[message['name']]}  ({message['program']})"
        case _:
            state = "県の受領まで終わりました" if message["receipted"] else "県の受領を確かめられませんでした"
            return f"{state}。記録 {message['entries']} 件、未着 {message['pending']} 件。"


def _entry(world: World) -> int:
    """Index of the visit's entry, from the kiosk's own log."""
    return max(
        int(str(one["entry"])) for one in world.programs["kiosk"].events() if one.get("event") == "visit.committed"
    )
