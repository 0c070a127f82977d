"""``scripts/demo``: see ``--help``."""

import argparse
import json
import logging
import shutil
import signal
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tests.sim.broker import BrokerFailedError, BrokerMissingError, accepts, free_port
from tests.sim.demo.command import write_command
from tests.sim.demo.once import in_words, play
from tests.sim.demo.page import Stage
from tests.sim.pcscd import PcscdFailedError, PcscdMissingError
from tests.sim.program import ProgramFailedError
from tests.sim.visitor import UnexpectedPageError
from tests.sim.world import ADMIN, CommandFailedError, World

FOLDER = Path(__file__).parents[3] / ".demo"
FAULTS = (
    BrokerFailedError,
    BrokerMissingError,
    CommandFailedError,
    PcscdFailedError,
    PcscdMissingError,
    ProgramFailedError,
    UnexpectedPageError,
)
PORTS = {"page": 8000, "kiosk": 8080, "staff": 8443, "hub": 8090}


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="scripts/demo", description="The whole product on this machine, with a virtual reader and virtual cards."
    )
    parser.add_argument("--once", action="store_true", help="play one guardian's visit, print its timeline, and end")
    parser.add_argument("--offline-first", action="store_true", help="with --once: the hub is away during the visit")
    parser.add_argument("--json", action="store_true", help="with --once: one JSON object a line")
    parser.add_argument("--fresh", action="store_true", help="forget what earlier demos recorded")
    arguments = parser.parse_args()
    if (arguments.offline_first or arguments.json) and not arguments.once:
        parser.error("--offline-first and --json go with --once")
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return once(arguments.offline_first, arguments.json) if arguments.once else stay(arguments.fresh)
    except FAULTS as error:
        print(f"demo: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 0


def once(offline_first: bool, as_json: bool) -> int:
    """In a folder that is gone afterwards."""

    def say(message: Mapping[str, Any]) -> None:
        print(json.dumps(message) if as_json else in_words(dict(message)), flush=True)

    folder = Path(tempfile.mkdtemp(prefix="madoguchi-demo-"))
    try:
        with World(folder, cards=1, as_in_life=True) as world:
            return play(world, offline_first, say)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def stay(fresh: bool) -> int:
    """Until it is interrupted; what was recorded stays in ``.demo``."""
    if fresh:
        shutil.rmtree(FOLDER, ignore_errors=True)
    ports = {name: free_port() if accepts(port) else port for name, port in PORTS.items()}
    print("準備しています。数秒かかります。", flush=True)
    with World(FOLDER, cards=4, odd_cards=True, as_in_life=True, ports=ports) as world:
        stage = Stage(world, ports["page"])
        stage.start()
        command = write_command(FOLDER / "appliance", world.box_environment, world.hub_environment)
        print(
            f"""
窓口のデモが動いています。まず この ページを 開いてください。

  はじめのページ   {stage.url}

  受付端末         {world.kiosk_url}/
  教職員のページ   {world.staff_url}/   （アカウント {ADMIN} / パスワード {world.password}）
  県のハブ         {world.hub_url}/

コマンドは {command.relative_to(FOLDER.parent)} で 試せます。例:

  {command.relative_to(FOLDER.parent)} doctor
  {command.relative_to(FOLDER.parent)} ledger verify
  {command.relative_to(FOLDER.parent)} hub schools

記録は {FOLDER.name}/ に残ります（消して始めるには --fresh）。終わるには Ctrl+C。
""",
            flush=True,
        )
        try:
            threading.Event().wait()
        finally:
            stage.stop()
            print("終わります。", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
