"""``python -m tests.sim.card --socket PATH --port N --cards DIR``: the virtual reader as a process of its own."""

import argparse
import json
import signal
import threading
from pathlib import Path

from tests.sim.card.deck import Deck
from tests.sim.card.faults import as_in_life
from tests.sim.card.stage import Stage, StageServer
from tests.sim.card.vpcd import VirtualReader
from tests.sim.pcscd import SLOTS


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.sim.card", description="Holds the virtual card reader.")
    parser.add_argument("--socket", type=Path, required=True, help="where requests are taken")
    parser.add_argument("--port", type=int, default=35963, help="the driver's first port")
    parser.add_argument("--cards", type=Path, required=True, help="directory of cards made by tests.sim.card.pki")
    parser.add_argument("--as-in-life", action="store_true", help="cards as slow as real ones without contacts")
    chosen = parser.parse_args()
    deck = Deck(chosen.cards)
    if not deck.names():
        parser.error(f"there are no cards in {chosen.cards}: make some with python -m tests.sim.card.pki")
    readers = tuple(VirtualReader(chosen.port + slot) for slot in range(SLOTS))
    stage = Stage(deck, readers, as_in_life) if chosen.as_in_life else Stage(deck, readers)
    with StageServer(chosen.socket, stage) as server:
        # ``shutdown`` waits for the loop below, so it cannot run inside the handler of a signal.
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: threading.Thread(target=server.shutdown).start())
        print(json.dumps({"event": "ready", "socket": str(chosen.socket)}), flush=True)
        server.serve_forever(poll_interval=0.1)
    stage.clear()
    chosen.socket.unlink(missing_ok=True)


if __name__ == "__main__":
    main()
