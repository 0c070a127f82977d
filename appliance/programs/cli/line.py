"""``appliance sync line``: what the school's line carries, beside what the ministry recommends."""

import argparse
from datetime import datetime

from appliance.programs.cli.opened import opened_box
from appliance.programs.cli.output import FINE, say, show
from appliance.services.line import SchoolLine
from appliance.store.line import LineSample, LineStore
from appliance.store.people import PeopleStore
from appliance.store.signal import SignalStore

LISTED = 10


def show_line(arguments: argparse.Namespace) -> int:
    """Prints the latest measurements and the recommendation for the number of pupils."""
    with opened_box() as box:
        signals = SignalStore(box.database)
        view = SchoolLine(LineStore(box.database), PeopleStore(box.database), signals, box.clock).view()
    result = {
        "pupils": view.pupils,
        "recommended_bit_s": view.recommended_bit_s,
        "share": view.share,
        "samples": [{"at_ms": one.at_ms, "bit_s": one.bit_s, "rtt_ms": one.rtt_ms} for one in view.samples],
    }
    if view.recommended_bit_s is None:
        words = [say("line-no-pupils")]
    else:
        words = [say("line-recommended", pupils=view.pupils, mbit=view.recommended_bit_s // 1_000_000)]
    if view.share is not None:
        words.append(say("line-share", percent=round(view.share * 100)))
    words += [_line(one) for one in reversed(view.samples[-LISTED:])] or [say("line-none")]
    show(result, arguments.json, "\n".join(words))
    return FINE


def _line(one: LineSample) -> str:
    at = datetime.fromtimestamp(one.at_ms / 1000).astimezone()
    return say("line-sample", at=f"{at:%Y-%m-%d %H:%M}", mbit=f"{one.bit_s / 1e6:.1f}", rtt=one.rtt_ms)
