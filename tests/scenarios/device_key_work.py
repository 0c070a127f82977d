"""What processes do to a box whose device key is changed: ``python -m tests.scenarios.device_key_work DEED FOLDER``.

Each says on standard output what it has done, one line each time, and ends when its standard input does.
"""

import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.clock import SystemClock
from appliance.config import CredentialSource
from appliance.ledger.entry import EntryType
from appliance.services import device_key_rotation as module
from appliance.services.device_key_rotation import DeviceKeyRotation
from appliance.services.device_keys import DeviceKeys
from appliance.services.founding import DATABASE_KEY
from appliance.services.opening import OpenBox, open_box
from appliance.services.successor import Successor
from appliance.store.appending import Draft
from appliance.store.ledger import OwnLedger
from tests.scenarios.key_work import asked_to_end, say

STEPS: dict[str, tuple[Any, str]] = {
    "keep": (Successor, "keep"),
    "hand_over": (OwnLedger, "hand_over"),
    "check_chain": (module, "check_chain"),
    "take_over": (Successor, "take_over"),
}


def opened(folder: Path) -> OpenBox:
    return open_box(folder, CredentialSource(DATABASE_KEY), DeviceKeys(), SystemClock())


def keep_recording(box: OpenBox) -> None:
    """Says the index of each record as soon as it is durable."""
    while not asked_to_end(0.001):
        with box.ledger.append() as appending:
            index = appending.add(Draft(EntryType.GUARDIAN_AUTHENTICATED, {"purpose": "visit"}))
        say(str(index))


def rotate(box: OpenBox, end_at: str) -> None:
    """``end_at`` is ``before:STEP``, ``after:STEP`` or ``never``: there it ends as when the power goes."""
    when, _, step = end_at.partition(":")
    if step:
        place, name = STEPS[step]
        real = getattr(place, name)

        def end(*arguments: object) -> object:
            if when == "before":
                os.kill(os.getpid(), signal.SIGKILL)
            done = real(*arguments)
            os.kill(os.getpid(), signal.SIGKILL)
            return done

        setattr(place, name, end)
    say("begun")
    DeviceKeyRotation(box).run()
    say("done")


def main(deed: str, folder: Path, *more: str) -> None:
    deeds: dict[str, Callable[..., None]] = {"record": keep_recording, "rotate": rotate}
    box = opened(folder)
    with box.database:
        deeds[deed](box, *more)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
